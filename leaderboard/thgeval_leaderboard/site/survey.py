"""The survey's pages: every printed value beside what the audit reads and says, apart from all that is measured."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from thgeval_leaderboard.survey import KINDS, STATUS, VERIFIED, cells, data, notes

FOLDER = "survey"
SHORT = 6
"""Notes about at most so many cells of a table are told in the cells' own rows; others are told once, beneath."""


def pages(page: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Every page about the survey: address and HTML; ``page`` renders a template at an address."""
    document = data("document")[0]

    def shown(template: str, name: str, **what: Any) -> tuple[str, str]:
        address = f"{FOLDER}/{name}.html"
        return address, page(template, address, document=document, states=STATUS, **what)

    tables = data("tables")
    listed = [(table, Counter(cell.status for cell in cells(table["table"]))) for table in tables]
    yield shown("survey.html.j2", "index", tables=listed, kinds=KINDS)
    for table in tables:
        yield shown("survey-table.html.j2", f"table-{table['table']}", table=table, kinds=KINDS, **_told(table))
    yield shown("survey-notes.html.j2", "notes", notes=data("notes"), verified=VERIFIED)
    yield shown("survey-methods.html.j2", "methods", methods=data("methods"))
    yield shown("survey-datasets.html.j2", "datasets", datasets=data("datasets"), paradigms=_used_by())


def _told(table: dict[str, Any]) -> dict[str, Any]:
    """Cells of a table, and its notes parted by whether they fit into the rows."""
    found = cells(table["table"])
    counts = Counter(id for cell in found for id in (*cell.notes, *cell.around))
    about = {id for cell in found for id in cell.notes}
    in_rows = {id for id, count in counts.items() if count <= SHORT and id in about}
    beneath = [notes()[id] for id in counts if id not in in_rows]
    return {"cells": found, "notes": notes(), "in_rows": in_rows, "beneath": beneath, "counts": counts}


def _used_by() -> dict[int, list[str]]:
    """Paradigms of the methods that name a data set, by the data set's number in the references."""
    found: dict[int, set[str]] = {}
    for method in data("methods"):
        for row in data("datasets"):
            if row["ref"] is not None and f"[{row['ref']}]" in (method["dataset"] or ""):
                found.setdefault(row["ref"], set()).add(method["paradigm"])
    return {ref: sorted(names) for ref, names in found.items()}
