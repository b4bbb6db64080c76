"""Several systems in one report: a column a system, and what each differs from the first by.

Columns, marks and footnotes are those of ``thgeval table``, differences and verdicts those of ``thgeval compare``; the
worst moments of each system are shown with what all the others made of them.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thgeval.comparison import SCORE, Comparison
from thgeval.errors import ProtocolError
from thgeval.metrics import family_of
from thgeval.report import text
from thgeval.report.data import Collected, collected
from thgeval.report.differences import DifferenceCell, clip_differences, difference_cell
from thgeval.report.moments import Moment
from thgeval.report.page import rendered
from thgeval.report.pictures import BYTES, FEWER, Film, Frame, film, seen_frames
from thgeval.report.sections import Card, choice_of, film_asked, finder, moment_cards
from thgeval.report.tables import Head, by_family, failures, head, partial_failures, printed, says_of
from thgeval.results import Run, Value
from thgeval.results.equivalents import equivalent, warning
from thgeval.results.score import to_json
from thgeval.statistics import Resampling
from thgeval.tables import Column, Place, Role, SystemScore, SystemsTable, systems_table


@dataclass(frozen=True)
class ReportedSystem:
    """One system: its run gathered, and what stands above it."""

    name: str
    found: Collected
    head: Head


@dataclass(frozen=True)
class SystemCell:
    """A system's score under one metric, printed, with all that is to be known of it; a dash where there is none."""

    system: str
    score: str = "–"
    interval: str = ""
    clips: str = ""
    short: bool = False
    place: str = ""
    tied: bool = False
    notes: tuple[str, ...] = ()
    worth: str = ""
    warning: str = ""


@dataclass(frozen=True)
class MetricRow:
    """One metric, made in one way, under all systems."""

    key: str
    family: str
    says: str
    unit: str
    arrow: str
    direction: str
    reference: str
    cells: tuple[SystemCell, ...]
    differences: tuple[DifferenceCell, ...]
    signature: str
    compares: str


def page_of_systems(
    runs: Mapping[str, Run], *, worst: int = 6, clips: Sequence[Path] = (), resampling: Resampling | None = None
) -> str:
    """The report of several runs, by the names of their systems, as HTML; the first is what others are compared with.

    ``worst`` moments are shown in all, shared out among the systems. Pictures come from clips below the folders of the
    result files, or below the folders ``clips``. ``resampling`` says how many draws tests take.

    Raises ProtocolError for fewer than two runs, for a negative count, or damaged clip records.
    """
    if len(runs) < 2:
        raise ProtocolError("systems are put side by side from two result files on")
    if worst < 0:
        raise ProtocolError(f"the number of worst moments must be at least 0, not {worst}")
    table = systems_table(runs, resampling=resampling or Resampling(draws=10_000))
    systems = [ReportedSystem(name, found := collected(run), head(found)) for name, run in runs.items()]
    first, *others = systems
    return rendered(
        "systems.html.j2",
        name=f"{', '.join(one.name for one in systems[:-1])} and {systems[-1].name}",
        systems=systems,
        families=by_family([_row(table, at, systems) for at in range(len(table.columns))]),
        remarks=table.remarks,
        tested=table.tested,
        coverage=[(one.name, _coverage(one.found)) for one in systems],
        cards=list(_cards(systems, worst, clips)),
        clips=[clip_differences(other.name, first.found, other.found) for other in others],
        data=_plain(systems, table.comparison),
    )


def _coverage(found: Collected) -> tuple[Any, Any, Any]:
    notes = [(clip, note) for clip in found.clips for note in clip.result.notes]
    return failures(found.clips), partial_failures(found.clips), notes


def _row(table: SystemsTable, at: int, systems: Sequence[ReportedSystem]) -> MetricRow:
    column = table.columns[at]
    rows = [row for row in table.rows if row.role is Role.SYSTEM]
    own = next((row.cells[at].value for row in table.rows if row.role is Role.REFERENCE), None)
    metric = next(data for one in systems for data in one.found.metrics if data.score.key == column.key)
    differences, compares = _differences(table.comparison, column, systems)
    return MetricRow(
        key=column.name,
        family=family_of(metric.score.metric),
        says=says_of(metric),
        unit=column.unit,
        arrow=column.better.arrow,
        direction=text.DIRECTIONS[column.better],
        reference="" if own is None else text.number(own),
        cells=tuple(_cell(row.name, row.cells[at], table.footnotes) for row in rows),
        differences=differences,
        signature=column.protocol_part,
        compares=compares,
    )


def _differences(
    comparison: Comparison | None, column: Column, systems: Sequence[ReportedSystem]
) -> tuple[tuple[DifferenceCell, ...], str]:
    """What each system differs from the first by, and what is compared where it isn't the score."""
    first, *others = systems
    tests = () if comparison is None or column.made else comparison.rows
    found = {row.system: row for row in tests if row.metric == column.key}
    skipped = {} if comparison is None else comparison.skipped
    why = "they were made differently" if column.made else skipped.get(column.key, "one of the two has no score")
    cells = tuple(
        difference_cell((first.name, other.name), (first.found.run, other.found.run), found[other.name])
        if other.name in found
        else DifferenceCell(other.name, "–", why=why)
        for other in others
    )
    compares = next((row.compares for row in found.values()), SCORE)
    return cells, "" if compares == SCORE else f"the mean {compares} of clips"


def _cell(name: str, cell: SystemScore, footnotes: Sequence[str]) -> SystemCell:
    notes = tuple(footnotes[number - 1] for number in cell.notes)
    if cell.value is None or cell.score is None:
        return SystemCell(name, notes=notes)
    shown = printed(Value(cell.value, cell.interval, cell.score.clips))
    return SystemCell(
        system=name,
        score=shown.value,
        interval=f"[{shown.low}, {shown.high}]" if shown.low else shown.words,
        clips=f"{cell.score.clips} / {cell.expected}",
        short=cell.score.clips < cell.expected,
        place="" if cell.place is Place.OTHER else cell.place.value,
        tied=cell.tied,
        notes=notes,
        worth=equivalent(cell.score),
        warning=warning(cell.score),
    )


def _cards(systems: Sequence[ReportedSystem], worst: int, folders: Sequence[Path]) -> Iterator[tuple[str, Card]]:
    """The worst moments of each system in turn, with the frames that all of them made there."""
    own = [choice_of(one.found, math.ceil(worst / len(systems))) for one in systems]
    cards = [list(moment_cards(one.found, choice)) for one, choice in zip(systems, own, strict=True)]
    most = max(map(len, cards))
    turns = [(who, at) for at in range(most) for who in range(len(systems)) if at < len(cards[who])][:worst]
    films = _films(systems, [(systems[who], own[who].moments[at]) for who, at in turns], folders)
    for number, ((who, at), shown) in enumerate(zip(turns, films, strict=True), 1):
        yield systems[who].name, cards[who][at].shown(number, shown)


def _films(
    systems: Sequence[ReportedSystem], moments: Sequence[tuple[ReportedSystem, Moment]], folders: Sequence[Path]
) -> list[Film | str]:
    """The frames of each moment: the reference's, and below what every system that has the clip made of them."""
    asked = [film_asked(one.found, moment) for one, moment in moments]
    numbers: dict[str, list[int]] = {}
    for item in asked:
        numbers.setdefault(item.clip.id, []).extend(item.frames)
    seen = {one.name: _frames(one.found, numbers, folders) for one in systems}
    limit = BYTES // max(1, (len(systems) + 1) * len(asked))
    return [_film({name: of.get(item.clip.id, {}) for name, of in seen.items()}, item.frames, limit) for item in asked]


def _frames(
    found: Collected, numbers: Mapping[str, Sequence[int]], folders: Sequence[Path]
) -> dict[str, dict[int, Frame] | str]:
    """Frames of one system's clips by clip and number, or why there are none."""
    protocol = next((data.protocol for data in found.metrics if data.protocol is not None), None)
    if protocol is None:
        return {}
    find = finder(found, folders)
    return {clip.id: seen_frames(clip, numbers[clip.id], protocol, find) for clip in found.clips if clip.id in numbers}


def _film(seen: Mapping[str, dict[int, Frame] | str], numbers: tuple[int, ...], limit: int) -> Film | str:
    """The reference's frames and those of each system that has them, or why there are none."""
    sides: dict[str, list[Any]] = {}
    for name, frames in seen.items():
        if not isinstance(frames, str) and frames.keys() >= set(numbers):
            sides.setdefault("reference", [frames[number].reference for number in numbers])
            sides[name] = [frames[number].generated for number in numbers]
    if sides:
        return film(sides, numbers, limit)
    return next((frames for frames in seen.values() if isinstance(frames, str)), FEWER)


def _plain(systems: Sequence[ReportedSystem], comparison: Comparison | None) -> dict[str, Any]:
    """Values by system, metric and clip, and the tests, as plain data."""
    values = {
        one.name: {
            data.score.key: {clip: to_json(value) for clip, value in data.clips.items()} for data in one.found.metrics
        }
        for one in systems
    }
    rows = () if comparison is None else comparison.rows
    tests = [
        {
            "metric": row.metric,
            "system": row.system,
            "difference": to_json(row.difference),
            "interval": None if row.interval is None else list(map(to_json, row.interval)),
            "p": row.corrected_p,
            "verdict": row.verdict,
        }
        for row in rows
    ]
    return {"format": "thgeval.report/1", "systems": values, "baseline": systems[0].name, "differences": tests}
