"""The tables of a survey as it prints them, with what an audit found; never ranked beside measured scores."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

ARROWS = {"up": "↑", "down": "↓", None: ""}
KINDS = {"literature": "collected from publications", "experiment": "the survey's own experiments"}
VERIFIED = {
    "internal": "follows from the survey itself",
    "partly_confirmed": "confirmed in part by a public text",
    "confirmed_public_text": "confirmed by a public text",
    "contradicted_public_text": "a public text says otherwise than the survey",
    "recalled_not_verified": "not checked against a text",
    "not_checkable": "no text was found to check it against",
}
STATUS = {
    "ok": "nothing in the survey speaks against it",
    "missing": "no value printed",
    "suspect": "suspect",
    "mislabelled": "a name printed with it is wrong",
    "misprint": "a slip of print",
    "unusable": "not usable as printed",
}
NAMED = {"method_id": "method", "dataset_id": "data set", "metric_id": "metric", "method_ref": "reference"}


@dataclass(frozen=True)
class Cell:
    """One printed value: in which table, of what, what the audit would read instead, and notes about it.

    ``notes`` are ids of notes about the cell itself, ``around`` of those about its table or whether it compares.
    """

    id: str
    table: int
    dataset: str
    method: str
    metric: str
    raw: str
    status: str
    reading: str
    notes: tuple[str, ...]
    around: tuple[str, ...]


@cache
def data(name: str) -> Any:
    """The records of ``data/NAME.json``."""
    text = files("thgeval_leaderboard").joinpath("survey", "data", f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text)


@cache
def notes() -> dict[str, dict[str, Any]]:
    """Every note of the audit, by its id."""
    return {note["id"]: note for note in data("notes")}


@cache
def cells(table: int) -> tuple[Cell, ...]:
    """The cells of one table, row by row."""
    found = next(item for item in data("tables") if item["table"] == table)
    return tuple(
        Cell(
            id=f"t{table}.r{at}.c{across}",
            table=table,
            dataset=row["dataset"] or "",
            method=row["method"],
            metric=directed(column[0], column[2]),
            raw=cell["raw"],
            status=cell["status"],
            reading=reading(cell),
            notes=tuple(cell.get("flags", ())),
            around=tuple(cell.get("notes", ())),
        )
        for at, row in enumerate(found["rows"], 1)
        for across, (column, cell) in enumerate(zip(found["columns"], row["cells"], strict=True), 1)
    )


def directed(metric: str, arrow: str | None) -> str:
    """A metric with its arrow, which no line break parts from it."""
    return f"{metric}\N{NO-BREAK SPACE}{ARROWS[arrow]}" if arrow else metric


def reading(cell: dict[str, Any]) -> str:
    """What the audit proposes to read instead, as ``0.81; arrow ↓; metric fvd``; empty if nothing."""
    said: list[str] = []
    for name, value in cell.get("suggested", {}).items():
        if name == "value":
            said.insert(0, f"{value:g}")
        elif name == "arrow":
            said.append(f"arrow {ARROWS[value]}" if value else "no arrow")
        else:
            said.append(f"{NAMED[name]} {value}" if value is not None else f"no {NAMED[name]} listed")
    return "; ".join(said)
