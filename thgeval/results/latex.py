"""Tables for papers: LaTeX that any engine compiles, with nothing loaded but booktabs."""

import re
import unicodedata
from collections.abc import Sequence

SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$",
    "[": "{[}", "]": "{]}", "*": "{*}", '"': "''", "`": r"\textasciigrave{}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "≈": r"$\approx$", "·": r"$\cdot$", "×": r"$\times$", "±": r"$\pm$",
    "≤": r"$\le$", "≥": r"$\ge$", "−": "$-$", "°": r"$^\circ$", "²": "$^2$", "µ": r"$\mu$", "…": r"\dots{}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": "`", "’": "'", "“": "``", "”": "''", "\u00a0": "~",
    "ß": r"{\ss}", "æ": r"{\ae}", "Æ": r"{\AE}", "œ": r"{\oe}", "Œ": r"{\OE}", "ø": r"{\o}", "Ø": r"{\O}",
    "ł": r"{\l}", "Ł": r"{\L}", "ı": r"{\i}",
}  # fmt: skip
"""What stands for a character that LaTeX reads as something else, or that its first fonts don't have.

Brackets and stars are hidden because a row may begin with them, after a line break that would take them.
"""
ACCENTS = {
    "\u0300": r"\`", "\u0301": r"\'", "\u0302": r"\^", "\u0303": r"\~", "\u0304": r"\=", "\u0306": r"\u ",
    "\u0307": r"\.", "\u0308": r"\"", "\u030a": r"\r ", "\u030b": r"\H ", "\u030c": r"\v ", "\u0327": r"\c ",
}  # fmt: skip
NUMBER = r"[-+]?(\d[\d.]*(e[-+]?\d+)?|inf|nan)"
SIGNED = re.compile(r"[-+]\d[\d.]*")
NUMERIC = re.compile(rf"|-|{NUMBER}( \.\. {NUMBER}|/\d+)?|\[{NUMBER}, {NUMBER}\]")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of text under headings as a ``tabular``; columns of numbers are set to the right."""
    sides = "".join("r" if all(NUMERIC.fullmatch(cell) for cell in cells) else "l" for cells in zip(*rows, strict=True))
    lines = [rf"\begin{{tabular}}{{{sides or 'l' * len(columns)}}}", r"\toprule", _line(columns), r"\midrule"]
    return "\n".join([*lines, *(_line(row) for row in rows), r"\bottomrule", r"\end{tabular}"])


def comment(text: str) -> str:
    """Lines that LaTeX doesn't read."""
    return "\n".join(f"% {line}" for line in text.splitlines())


def escaped(text: str) -> str:
    """Text as LaTeX prints it: accents as commands, and what its fonts don't have by number, as ``U+4E2D``."""
    characters = map(_character, unicodedata.normalize("NFC", text))
    return re.sub("(?<=-)(?=-)", "{}", "".join(characters))


def cell(text: str) -> str:
    """Text as a cell has it: a number with a sign in math, so that its minus is one."""
    return f"${text}$" if SIGNED.fullmatch(text) else escaped(text)


def line(cells: Sequence[str]) -> str:
    """A line of a ``tabular`` from cells that are LaTeX already."""
    return " & ".join(cells) + r" \\"


def _line(cells: Sequence[str]) -> str:
    return line(list(map(cell, cells)))


def _character(character: str) -> str:
    if character in SIGNS:
        return SIGNS[character]
    if " " <= character <= "~":
        return character
    apart = unicodedata.normalize("NFD", character)
    if len(apart) == 2 and apart[0].isascii() and apart[1] in ACCENTS:
        return f"{{{ACCENTS[apart[1]]}{apart[0]}}}"
    return f"U+{ord(character):04X}"
