"""How a table writes what belongs to a number: first and second, ties, intervals, footnotes."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from thgeval.metric import Better
from thgeval.results.tables import score_text
from thgeval.tables.systems import Place, SystemScore, SystemsTable

INTERVALS = ("none", "range", "half-width")
"""How intervals are shown: not at all, as ``[low, high]``, or as ``±`` the larger of the two halves."""
NOTHING = "-"


class Marks(NamedTuple):
    """How one form writes them; ``escaped`` makes anybody's text harmless there."""

    best: str
    second: str
    tied: str
    note: str
    escaped: Callable[[str], str]


class Style(NamedTuple):
    """What the reader chose: digits after the point, one of ``INTERVALS``, and whether to add how columns were made."""

    digits: int
    intervals: str
    signatures: bool


def shown_score(cell: SystemScore, digits: int) -> str:
    """The score; a dash where there is none, and nothing where none could be."""
    if cell.value is None:
        return NOTHING if cell.notes else ""
    return score_text(cell.value, digits)


def score_interval(cell: SystemScore, digits: int, shown: str) -> str:
    """The interval as it stands behind the number; empty where there is none or none is wanted."""
    if cell.interval is None or cell.value is None or shown == "none":
        return ""
    low, high = cell.interval
    if shown == "range":
        return f"[{score_text(low, digits)}, {score_text(high, digits)}]"
    return f"± {score_text(max(high - cell.value, cell.value - low), digits)}"


def cell_text(cell: SystemScore, style: Style, marks: Marks) -> str:
    """A cell with everything that belongs to it."""
    shown = {Place.BEST: marks.best, Place.SECOND: marks.second, Place.OTHER: "{}"}[cell.place]
    text = shown.format(marks.escaped(shown_score(cell, style.digits)))
    if cell.tied:
        text += marks.tied
    if cell.notes:
        text += marks.note.format(",".join(map(str, cell.notes)))
    beside = score_interval(cell, style.digits, style.intervals)
    return f"{text} {marks.escaped(beside)}" if beside else text


def said(table: SystemsTable, marks: Marks) -> Iterator[str]:
    """What stands below a table: what its marks mean, remarks, and the footnotes by number."""
    yield from legend(table, marks)
    yield from map(marks.escaped, table.remarks)
    for at, sentence in enumerate(table.footnotes, 1):
        yield f"{marks.note.format(at)} {marks.escaped(sentence)}"


def legend(table: SystemsTable, marks: Marks) -> Iterator[str]:
    """What the marks mean, as far as the table has them."""
    cells = [cell for row in table.rows for cell in row.cells]
    if any(cell.place is Place.BEST for cell in cells):
        line = f"{marks.best.format('best')}, {marks.second.format('second')}"
        if any(cell.tied for cell in cells):
            line += f", {marks.tied} {marks.escaped('not to be told from the best')}"
        if table.tested:
            line += marks.escaped(f" (paired tests over clips, p < 0.05 after Holm's correction over {table.tested})")
        yield line
    if any(column.better is Better.CLOSER_TO_REFERENCE for column in table.columns):
        yield marks.escaped(
            f"{Better.CLOSER_TO_REFERENCE.arrow} best is what lies closest to the references' own value"
        )


def ways(table: SystemsTable) -> list[str]:
    """How each column was made."""
    return [f"{column.name}: {column.protocol_part}" for column in table.columns]
