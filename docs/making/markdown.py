"""Pieces of Markdown that every page is made of."""

import re
from collections.abc import Iterable, Sequence

MADE = "<!-- made by docs/generate.py from the code; edit there -->\n\n"


def table(rows: Iterable[Sequence[object]], head: Sequence[str]) -> str:
    """A table of cells that may hold any text, a bar too."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def stacked(text: str, *kinds: str) -> str:
    """A table whose rows become a few lines each where the page is narrow."""
    return f'<div class="{" ".join(("stacked", *kinds))}" markdown>\n\n{text}\n</div>\n'


def code(text: object) -> str:
    """A short piece of code within a sentence."""
    return f"`{text}`"


def listed(texts: Iterable[object]) -> str:
    """Several pieces of code, one after the other."""
    return ", ".join(map(code, texts))


def prose(docstring: str) -> str:
    """A docstring's text as Markdown: what it marks as code keeps its mark."""
    return docstring.replace("``", "`")


def explained(text: str) -> dict[str, str]:
    """What an aligned list says of names: ``name  text``, where text may run over indented lines, names be several."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if (entry := ENTRY.match(line)) is not None:
            found[entry["names"]] = entry["says"].strip()
        elif found and line.startswith("  "):
            found[[*found][-1]] += " " + line.strip()
    return {names.replace("`", ""): " ".join(says.split()) for names, says in found.items()}


ENTRY = re.compile(r"(?P<names>(?:``)?\w+(?:``)?(?:(?:, | and )(?:``)?\w+(?:``)?)*) {2,}(?P<says>\S.*)")


def _cell(content: object) -> str:
    return str(content).replace("|", "\\|")
