"""Who reports a metric: the methods of the survey's tables that have a value under its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from thgeval_leaderboard.survey import data

CALLED: Mapping[str, tuple[str, ...]] = {
    "aed-3dmm": ("aed",),
    "aed-euclid": ("aed",),
    "cd": ("chamfer_distance",),
    "id": ("id_similarity",),
    "sync-conf": ("sync_conf", "av_conf"),
    "we": ("warping_error",),
}
"""Metrics whose ids in the survey are others; where two have one, the survey does not say which is meant."""


@dataclass(frozen=True)
class Report:
    """One table that prints a metric, of which data sets, and for whom; ``doubted`` of ``values`` have a note."""

    table: int
    kind: str
    printed: str
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    values: int
    doubted: int


@cache
def reports(metric: str) -> tuple[Report, ...]:
    """The survey's tables with a metric of ours, in their order; empty where none has it."""
    ids = CALLED.get(metric, (metric.replace("-", "_"),))
    found = []
    for table in data("tables"):
        for at, (printed, id, _) in enumerate(table["columns"]):
            rows = [row for row in table["rows"] if row["cells"][at]["status"] != "missing"]
            if id not in ids or not rows:
                continue
            found.append(
                Report(
                    table=table["table"],
                    kind=table["kind"],
                    printed=printed,
                    datasets=tuple(dict.fromkeys(row["dataset"] for row in rows if row["dataset"])),
                    methods=tuple(dict.fromkeys(row["method"] for row in rows)),
                    values=len(rows),
                    doubted=sum(row["cells"][at]["status"] != "ok" for row in rows),
                )
            )
    return tuple(found)
