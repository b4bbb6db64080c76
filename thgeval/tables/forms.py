"""A table of systems as text, Markdown, LaTeX, CSV and HTML."""

import shutil
import textwrap
from collections.abc import Callable, Iterator, Sequence

from tabulate import tabulate

from thgeval.printable import printable
from thgeval.results import latex
from thgeval.results.tables import as_csv
from thgeval.tables.marks import Marks, Style, cell_text, said, ways
from thgeval.tables.systems import Column, Place, SystemRow, SystemScore, SystemsTable

NARROWEST = 40
SYSTEM = "system"
CSV_COLUMNS = (
    *(SYSTEM, "role", "metric", "direction", "unit", "value", "low", "high"),
    *("clips", "expected", "place", "tied", "notes", "signature"),
)


def _markdown_escaped(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace("|", r"\|").replace("<", "&lt;").replace("`", r"\`")


TEXT = Marks("{}*", "{}'", "=", "[{}]", printable)
MARKDOWN = Marks("**{}**", "<ins>{}</ins>", "†", "<sup>{}</sup>", _markdown_escaped)
LATEX = Marks(r"\textbf{{{}}}", r"\underline{{{}}}", r"$^{\dagger}$", "$^{{{}}}$", latex.cell)


def table_text(
    table: SystemsTable, form: str = "text", *, digits: int = 3, intervals: str = "none", signatures: bool = False
) -> str:
    """A table in one of ``TABLE_FORMS``, each score with that many digits after the point.

    ``intervals`` is ``none``, ``range`` or ``half-width``. ``signatures`` adds how each column was made, as comments in
    LaTeX and below the table elsewhere; CSV and HTML always have it, with the intervals, and CSV has all digits.
    """
    return TABLE_FORMS[form](table, Style(digits, intervals, signatures))


def text(table: SystemsTable, style: Style) -> str:
    """For a terminal: as many blocks of columns as it takes to be no wider."""
    width = max(NARROWEST, shutil.get_terminal_size().columns)
    heads = [SYSTEM, *(f"{column.heading}\n{column.unit}".rstrip() for column in table.columns)]
    rows = [_cells(row, style, TEXT) for row in table.rows]
    parts = [
        tabulate(
            [[row[0], *(row[at] for at in block)] for row in rows],
            [SYSTEM, *(heads[at] for at in block)],
            disable_numparse=True,
            colalign=["left", *("right" for _ in block)],
        )
        for block in _blocks([heads, *rows], width)
    ]
    below = [*said(table, TEXT), *(ways(table) if style.signatures else ())]
    if below:
        parts.append("\n".join(textwrap.fill(line, width, subsequent_indent="    ") for line in below))
    return "\n\n".join(parts)


def _blocks(rows: Sequence[Sequence[str]], width: int) -> Iterator[list[int]]:
    """Columns by their numbers, after the first, which every block has: as many at a time as fit, at least one."""
    names, *widths = (
        max(len(line) for cell in cells for line in cell.split("\n")) for cells in zip(*rows, strict=True)
    )
    block: list[int] = []
    used = names
    for at, needed in enumerate(widths, 1):
        if block and used + 2 + needed > width:
            yield block
            block, used = [], names
        block.append(at)
        used += 2 + needed
    yield block


def _cells(row: SystemRow, style: Style, marks: Marks) -> list[str]:
    return [marks.escaped(row.name), *(cell_text(cell, style, marks) for cell in row.cells)]


def markdown(table: SystemsTable, style: Style) -> str:
    """For READMEs and issues, in what GitHub shows."""
    units = [f" ({column.unit})" if column.unit else "" for column in table.columns]
    heads = [SYSTEM, *(f"{column.heading}{unit}" for column, unit in zip(table.columns, units, strict=True))]
    rows = [_cells(row, style, MARKDOWN) for row in table.rows]
    sides = ["left", *("right" for _ in table.columns)]
    parts = [tabulate(rows, heads, tablefmt="github", disable_numparse=True, colalign=sides)]
    below = [*said(table, MARKDOWN), *(f"`{line}`" for line in (ways(table) if style.signatures else ()))]
    return "\n\n".join([*parts, *(["  \n".join(below)] if below else [])])


def in_latex(table: SystemsTable, style: Style) -> str:
    """A ``tabular`` with booktabs, in ASCII, with its notes below; a rule before controls and before references."""
    lines = [rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule"]
    lines.append(latex.line(["System", *(latex.escaped(column.heading) for column in table.columns)]))
    if any(column.unit for column in table.columns):
        lines.append(latex.line(["", *(latex.escaped(column.unit) for column in table.columns)]))
    before = None
    for row in table.rows:
        if row.role is not before:
            lines.append(r"\midrule")
        before = row.role
        lines.append(latex.line(_cells(row, style, LATEX)))
    lines += [r"\bottomrule", r"\end{tabular}"]
    if below := list(said(table, LATEX)):
        lines += [r"\par\smallskip", r"{\footnotesize\raggedright", *(rf"{line}\par" for line in below), "}"]
    if style.signatures:
        lines += ["", latex.comment("\n".join(ways(table)))]
    return "\n".join(lines)


def csv(table: SystemsTable, style: Style) -> str:
    """A line for each cell, for machines: all digits, and nothing where there is nothing."""
    del style
    return as_csv(
        CSV_COLUMNS,
        [
            _line(row, column, cell, table.footnotes)
            for row in table.rows
            for column, cell in zip(table.columns, row.cells, strict=True)
        ],
    )


def _line(row: SystemRow, column: Column, cell: SystemScore, footnotes: Sequence[str]) -> list[str]:
    low, high = ("", "") if cell.interval is None else (repr(float(bound)) for bound in cell.interval)
    return [
        row.name,
        row.role.value,
        column.key,
        column.better.value,
        column.unit,
        "" if cell.value is None else repr(float(cell.value)),
        low,
        high,
        "" if cell.score is None else str(cell.score.clips),
        "" if cell.score is None else str(cell.expected),
        "" if cell.place is Place.OTHER else cell.place.value,
        "yes" if cell.tied else "",
        "; ".join(footnotes[number - 1] for number in cell.notes),
        column.protocol_part if cell.score is None else cell.score.signature,
    ]


def html(table: SystemsTable, style: Style) -> str:
    """A page of its own that needs nothing else."""
    from thgeval.tables.page import table_page

    return table_page(table, style)


TABLE_FORMS: dict[str, Callable[[SystemsTable, Style], str]] = {
    "text": text,
    "markdown": markdown,
    "latex": in_latex,
    "csv": csv,
    "html": html,
}
"""What a table can be written as."""
