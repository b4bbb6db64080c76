"""A table of systems as an HTML page of its own."""

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from thgeval.printable import printable
from thgeval.tables.marks import Marks, Style, legend, score_interval, shown_score
from thgeval.tables.systems import SystemsTable

WORDS = Marks("bold: {}", "underlined: {}", "†", "{}", str)
"""The marks as the line that explains them names them."""


def table_page(table: SystemsTable, style: Style) -> str:
    """The page: no script, nothing loaded, names and reasons escaped."""
    rooms = Environment(
        loader=PackageLoader("thgeval.tables"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    rooms.filters["printable"] = printable
    intervals = "range" if style.intervals == "none" else style.intervals
    text = rooms.get_template("systems.html.j2").render(
        table=table,
        roles=list(dict.fromkeys(row.role for row in table.rows)),
        style=(files("thgeval.tables") / "style.css").read_text(encoding="utf-8"),
        number=lambda cell: shown_score(cell, style.digits),
        interval=lambda cell: score_interval(cell, style.digits, intervals),
        legend=list(legend(table, WORDS)),
    )
    return text.rstrip("\n")
