"""One board as it is shown: rows, columns and cells, with everything that is known of each put into words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median

from thgeval.about.families import FAMILIES, family, title
from thgeval.errors import ThgevalError
from thgeval.metric import Better
from thgeval.registry import metric_class
from thgeval.report.text import number, reasons, shared_decimals
from thgeval.requirements import weights
from thgeval.results import Score
from thgeval.signature import files, parse
from thgeval_leaderboard.entry import Board, Entry
from thgeval_leaderboard.ranking import Column, Place, columns, normalised, places

MOST_SHOWN = 12
"""Columns that a page shows before more are asked for; what is there without a script stays readable."""

FIRST = (
    *(
        "fvd",
        "fid",
        "psnr",
        "ssim",
        "lpips",
        "csim",
        "csim/dlib",
        "sync-conf",
        "lse-d",
        "sync-lm-conf",
        "sync-lm-offset",
    ),
    *("lmd", "mouth-correlation", "lip-sync-theval", "blinks-per-s", "cpbd", "f-mse", "prmse/pnp", "aue/geometric"),
)
"""Metrics in the order in which a board shows them first, of each aspect the ones that papers report most."""

TIERS = ("embedded", "light", "canonical")
"""Networks that ship, small published ones, and those behind the numbers of papers."""

CONTROL = "control"
"""The setting of what is made from the reference itself."""

SECTIONS = (
    ("ground-truth", "Ground truth"),
    ("system", "Systems"),
    ("reference-baseline", "Reference baselines, not published models"),
    ("control", "Controls"),
)
"""Parts of a table, by role. None is ever hidden by a filter but systems and baselines."""


@dataclass(frozen=True)
class Cell:
    """One score as it is printed: ``text``, ± ``reach``, its ``place`` if it has one, and ``why`` there is none."""

    text: str = ""
    reach: str = ""
    value: float | None = None
    place: Place | None = None
    why: str = ""


@dataclass(frozen=True, eq=False)
class Row:
    """One entry, with a cell for every column of its board."""

    entry: Entry
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Head:
    """A column's head: how it is called and by which key, direction, unit, family, and what parts it from others.

    ``own`` is what the references score themselves, the median over the entries; None where nobody says. ``tier`` is
    that of the networks behind it, the furthest from what ships (``TIERS``); empty where no network is.
    """

    key: str
    title: str
    arrow: str
    better: Better
    unit: str
    family: str
    apart: str
    own: float | None
    tier: str


@dataclass(frozen=True, eq=False)
class Table:
    """A board: its heads, its rows by role, and which columns are shown first."""

    board: Board
    heads: tuple[Head, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    shown: tuple[int, ...]

    def section(self, role: str) -> tuple[Row, ...]:
        """The rows of one role."""
        return tuple(row for row in self.rows if row.entry.method.role == role)

    @property
    def competing(self) -> int:
        """How many rows are of generators, whether or not a place is theirs."""
        return len(self.section("system")) + len(self.section("reference-baseline"))

    @property
    def summed(self) -> tuple[int, ...]:
        """Numbers of the columns shown first that have places: those whose places a sum adds up."""
        return tuple(at for at in self.shown if any(row.cells[at].place for row in self.rows))

    @property
    def sums_of_places(self) -> dict[str, float]:
        """The sum of an entry's places over ``summed``, by id, ties sharing their mean place.

        An entry without a place in one of the columns has no sum, as fewer places would add up to less. Empty where
        fewer than two columns have places.
        """
        added = self.summed
        if len(added) < 2:
            return {}
        return {
            row.entry.id: sum(place.rank + place.tied / 2 for place in found)
            for row in self.rows
            if len(found := [place for at in added if (place := row.cells[at].place)]) == len(added)
        }

    @cached_property
    def normalised(self) -> tuple[dict[str, float], ...]:
        """For each column, its scores between the worst control (0) and the ground truth (1), where both are there."""
        entries = {row.entry.id: row.entry for row in self.rows}
        return tuple(normalised(column, entries) for column in self.columns)

    @property
    def groups(self) -> dict[str, list[int]]:
        """Numbers of the columns that are not shown first, by family."""
        found: dict[str, list[int]] = {}
        for at, head in enumerate(self.heads):
            if at not in self.shown:
                found.setdefault(head.family, []).append(at)
        return {name: found[name] for name in (*FAMILIES, "other") if name in found}


def boards(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Measured entries by board, boards and entries in the order of their ids.

    Controls made from the reference alone (setting ``control``) have a board of their own, after all others, and stand
    on every other board of their data set and protocol too.
    """
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda each: (each.board.setting == CONTROL, each.board.id, each.id)):
        if entry.run is not None:
            found.setdefault(entry.board.id, []).append(entry)
    for own in found.values():
        board = own[0].board
        if board.setting != CONTROL:
            own += found.get(replace(board, setting=CONTROL).id, [])
    return found


def table(entries: Sequence[Entry]) -> Table:
    """The table of the entries of one board, whose first entry is one of its own."""
    by_id = {entry.id: entry for entry in entries}
    made = columns(entries)
    printed = [_cells(column, by_id) for column in made]
    shown = _shown(made)
    heads = tuple(_head(column) for column in made)
    rows = [Row(entry, tuple(cells.get(entry.id, Cell()) for cells in printed)) for entry in entries]
    return Table(entries[0].board, heads, tuple(made), tuple(sorted(rows, key=lambda row: _order(row, shown))), shown)


def _order(row: Row, shown: Sequence[int]) -> tuple[bool, float, str]:
    """Standing before withdrawn, then by place in the first column that has places, then by name."""
    place = next((cell.place for at in shown if (cell := row.cells[at]).place), None)
    return bool(row.entry.withdrawn), place.rank if place else math.inf, row.entry.id


def _shown(made: Sequence[Column]) -> tuple[int, ...]:
    """The columns shown first: those of ``FIRST`` and then the others, of each metric the usual signature alone.

    What nobody could score comes last, as where weights were not at hand.
    """
    usual = [at for at, column in enumerate(made) if column.also == ((), ()) and column.better is not Better.NONE]
    scored = [at for at in usual if any(score.value is not None for score in made[at].scores.values())]
    usual = scored or usual
    order = {key: rank for rank, key in enumerate(FIRST)}
    preferred = sorted(usual, key=lambda at: (order.get(made[at].key, len(order)), at))
    named = [at for at in preferred if made[at].key in order]
    plain = [at for at in preferred if made[at].key not in order and "/" not in made[at].key]
    return tuple((named + [at for at in plain if "random" not in made[at].key])[:MOST_SHOWN])


def _head(column: Column) -> Head:
    name, _, preset = column.key.partition("/")
    ours, theirs = column.also
    apart = f"{' '.join(ours) or 'nothing'} where the usual column has {' '.join(theirs) or 'nothing'}"
    cls = metric_class(name.partition(":")[0])
    return Head(
        key=column.key,
        title=title(name) + (f" / {preset}" if preset else ""),
        arrow="→0" if column.better is Better.CLOSER_TO_ZERO else column.better.arrow,
        better=column.better,
        unit=column.unit,
        family=family(cls) if cls.__module__.startswith("thgeval.metrics.") else "other",
        apart=apart if ours or theirs else "",
        own=median(own) if (own := _own(column)) else None,
        tier=_tier(column),
    )


def _tier(column: Column) -> str:
    try:
        used = {weights.entry(name).tier for name in files(parse(column.part, metric_class).metric)}
    except (ThgevalError, ValueError):  # signed by another version
        return ""
    return max(used, key=TIERS.index, default="")


def _own(column: Column) -> list[float]:
    found = [score.reference.value for score in column.scores.values() if score.reference is not None]
    return [value for value in found if math.isfinite(value)]


def _cells(column: Column, entries: Mapping[str, Entry]) -> dict[str, Cell]:
    placed = places(column, entries)
    digits = _digits(column)
    most = max(score.clips for score in column.scores.values())
    return {id: _cell(score, placed.get(id), digits, most) for id, score in column.scores.items()}


def _digits(column: Column) -> int:
    """Decimals of a column: two significant digits of a typical half-width, or four of a typical score without any."""
    reaches = [reach for score in column.scores.values() if (reach := _reach(score))]
    if reaches:
        return max(0, 1 - math.floor(math.log10(median(reaches))))
    return shared_decimals([score.value for score in column.scores.values() if score.value is not None])


def _reach(score: Score) -> float:
    """Half the width of a score's interval; 0 where there is none, or it has no end."""
    if score.interval is None or not all(map(math.isfinite, score.interval)):
        return 0.0
    return (score.interval.high - score.interval.low) / 2


def _cell(score: Score, place: Place | None, digits: int, most: int) -> Cell:
    if score.value is None:
        return Cell(why=score.unscored or reasons(score.left_out, "clip") or "not scored")
    reach = number(_reach(score), digits) if _reach(score) else ""
    why = reasons(score.left_out, "clip")
    if not why and score.clips < most:
        why = f"over {score.clips} clips, others over {most}"
    return Cell(number(score.value, digits), reach, score.value, place, why)
