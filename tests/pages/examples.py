"""Examples of a page of documentation: taken out of its text, run, and held against what the page shows.

A page shows what it shows: ``...`` stands for anything, white space may differ, and so may a number with a decimal
point by 1 %, as encoders of clips are not all one version.
"""

import doctest
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PIECE = re.compile(
    r"(?P<anything>\.\.\.)|(?P<rule>-{2,})|(?P<number>[+-]?\d+\.\d+)|(?P<space>\s+)|(?P<rest>.)", re.DOTALL
)
PATTERNS = {"anything": ".*?", "rule": "-{2,}", "number": r"([+-]?\d+(?:\.\d+)?)", "space": r"\s+"}
RELATIVE = 0.01


@dataclass(frozen=True)
class Command:
    """A line typed at a shell, and what the page shows below it."""

    words: tuple[str, ...]
    shown: str


def blocks(page: str, language: str) -> list[str]:
    """The texts of a page's code in one language."""
    return [found["text"] for found in FENCE.finditer(page) if found["language"] == language]


def commands(page: str) -> Iterator[Command]:
    """What a page has typed of thgeval itself; lines of other programs are not run."""
    for block in blocks(page, "console"):
        for typed in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, shown = typed.partition("\n")
            program, *words = shlex.split(line, comments=True)
            if program == "thgeval":
                yield Command(tuple(words), shown)


def same(shown: str, got: str) -> bool:
    """Whether a page shows what came out."""
    pieces = [(str(found.lastgroup), found[0]) for found in PIECE.finditer(shown.strip())]
    pattern = "".join(PATTERNS.get(kind, re.escape(text)) for kind, text in pieces)
    if (found := re.fullmatch(pattern, got.strip(), re.DOTALL)) is None:
        return False
    numbers = [float(text) for kind, text in pieces if kind == "number"]
    return all(
        abs(float(other) - number) <= max(RELATIVE * abs(number), 1e-4)
        for number, other in zip(numbers, found.groups(), strict=True)
    )


class Checker(doctest.OutputChecker):
    """Doctest's idea of the same, with numbers to a tolerance."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return same(want, got)


def sessions(page: str) -> str:
    """A page's Python sessions as one."""
    return "\n".join(block for block in blocks(page, "python") if block.startswith(">>>"))
