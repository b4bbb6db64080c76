"""What stands in a table of systems: which scores share a column, which is best, and what can't be told apart."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import NamedTuple

from thgeval.comparison import Comparison, compared_runs
from thgeval.controls import CONTROLS
from thgeval.errors import ProtocolError
from thgeval.metric import Better
from thgeval.results import Run, Score, Value
from thgeval.results.equivalents import warning
from thgeval.significance import ALPHA
from thgeval.statistics import Interval, Resampling

OWN_VALUES = "(references themselves)"
"""The row of the references' own values."""


class Role(Enum):
    """What a row is."""

    SYSTEM = "system"
    CONTROL = "control"
    REFERENCE = "reference"


class Place(Enum):
    """How a system does in a column: ``TIED`` where a paired test can't tell it from the best."""

    BEST = "best"
    SECOND = "second"
    OTHER = "other"


@dataclass(frozen=True)
class Column:
    """A metric made in one way; ``made`` counts the ways where results differ by them, from 1, and is 0 elsewhere."""

    key: str
    made: int
    unit: str
    better: Better
    protocol_part: str

    @property
    def name(self) -> str:
        """The metric's key; ``psnr (2)`` for the second way it was made."""
        return f"{self.key} ({self.made})" if self.made else self.key

    @property
    def heading(self) -> str:
        """The name with its direction: ``psnr ↑``."""
        return f"{self.name} {self.better.arrow}"


@dataclass(frozen=True)
class SystemScore:
    """One system under one metric; ``notes`` are numbers of footnotes, ``tied`` is not to be told from the best.

    ``score`` is the run's own, of which ``expected`` counts the clips; None where a run doesn't have the metric.
    """

    score: Score | None = None
    expected: int = 0
    value: float | None = None
    interval: Interval | None = None
    place: Place = Place.OTHER
    tied: bool = False
    notes: tuple[int, ...] = ()


@dataclass(frozen=True)
class SystemRow:
    """One system, control, or the references' own values, with a cell for each column."""

    name: str
    role: Role
    cells: tuple[SystemScore, ...]


@dataclass(frozen=True)
class SystemsTable:
    """Columns and rows; ``footnotes`` in the order of their numbers, ``remarks`` on the table as a whole.

    ``comparison`` has the tests of every two systems; None where nothing was tested.
    """

    columns: tuple[Column, ...]
    rows: tuple[SystemRow, ...]
    footnotes: tuple[str, ...]
    remarks: tuple[str, ...]
    comparison: Comparison | None = None

    @property
    def tested(self) -> int:
        """How many pairs of systems one correction of the p-values runs over; 0 where nothing was tested."""
        return 0 if self.comparison is None else self.comparison.tests


class Placed(NamedTuple):
    """How a system does in a column, and the footnotes of that."""

    place: Place = Place.OTHER
    tied: bool = False
    notes: tuple[int, ...] = ()


class Footnotes:
    """Sentences by number, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, sentence: str) -> int:
        """The number of a sentence, a new one where it hasn't been said."""
        return self._numbers.setdefault(sentence, len(self._numbers) + 1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them, in the order of their numbers."""
        return tuple(self._numbers)


def systems_table(
    systems: Mapping[str, Run],
    controls: Mapping[str, Run] | None = None,
    *,
    keys: Sequence[str] = (),
    copies: Sequence[str] = (),
    resampling: Resampling | None = None,
) -> SystemsTable:
    """Put runs beside each other by the names of their systems.

    ``keys`` are metric keys, in the order of their columns; by default all that any run scored. ``copies`` are names
    of copies of the references that the runs scored too (``thgeval.controls.CONTROLS``), which get rows. With
    ``resampling``, every two systems are tested as ``thgeval compare`` tests them, else nothing is.

    Raises ProtocolError if there is no run, if a control has the name of a system, if a key is in no run, or if no run
    scored a copy.
    """
    controls = controls or {}
    if not systems:
        raise ProtocolError("a table needs a result file")
    if twice := systems.keys() & controls.keys():
        raise ProtocolError(f"{sorted(twice)[0]} is both a system and a control")
    runs = {**systems, **controls}
    for name in copies:
        if not any(name in score.controls for run in runs.values() for score in run.scores.values()):
            raise ProtocolError(f"none of the results has scores of {name}; thgeval score --controls adds them")
    remarks: list[str] = []
    notes = Footnotes()
    chosen = _chosen(runs, keys, remarks)
    columns = tuple(column for key in chosen for column in _columns(key, runs))
    found = _compared(systems, chosen, resampling, remarks)
    marked = [_marked(column, systems, found, notes) for column in columns]
    rows = [
        SystemRow(
            name,
            Role.SYSTEM if name in systems else Role.CONTROL,
            tuple(
                _cell(run, column, places.get(name, Placed()), notes)
                for column, places in zip(columns, marked, strict=True)
            ),
        )
        for name, run in runs.items()
    ]
    for name in copies:
        cells = [_beside(column, runs, notes, partial(_copies_value, name=name)) for column in columns]
        rows.append(SystemRow(CONTROLS[name].label, Role.CONTROL, tuple(cells)))
    own = tuple(_beside(column, runs, notes, _own_value) for column in columns)
    if any(cell.value is not None for cell in own):
        rows.append(SystemRow(OWN_VALUES, Role.REFERENCE, own))
    return SystemsTable(columns, tuple(rows), notes.sentences, tuple(remarks), found)


def _chosen(runs: Mapping[str, Run], keys: Sequence[str], remarks: list[str]) -> list[str]:
    """The metrics that get columns; those that no run could score get one remark."""
    every = list(dict.fromkeys(key for run in runs.values() for key in run.scores))
    if unknown := [key for key in keys if key not in every]:
        raise ProtocolError(f"{unknown[0]} is in none of the results; they hold {', '.join(every)}")
    wanted = list(keys) or every
    scored = [key for key in wanted if any(_held(run, key) for run in runs.values())]
    if lacking := [key for key in wanted if key not in scored]:
        remarks.append(f"not scored by any: {', '.join(lacking)}")
    return scored


def _held(run: Run, key: str) -> bool:
    return key in run.scores and run.scores[key].value is not None


def _columns(key: str, runs: Mapping[str, Run]) -> Iterator[Column]:
    """A column for each way in which results made a metric."""
    ways: dict[str, Score] = {}
    for run in runs.values():
        if _held(run, key):
            ways.setdefault(run.scores[key].protocol_part, run.scores[key])
    for made, (part, score) in enumerate(ways.items(), 1):
        yield Column(key, made if len(ways) > 1 else 0, score.unit, score.better, part)


def _compared(
    systems: Mapping[str, Run], keys: Sequence[str], resampling: Resampling | None, remarks: list[str]
) -> Comparison | None:
    """Every two systems under every metric of the table, as one family of tests; None where nothing can be tested."""
    if resampling is None or len(systems) < 2:
        return None
    found = compared_runs(systems, resampling, keys)
    remarks += found.notes
    return found


def _marked(
    column: Column, systems: Mapping[str, Run], found: Comparison | None, notes: Footnotes
) -> dict[str, Placed]:
    """The place of each system that has a score in a column, by name."""
    scores = {name: run.scores[column.key] for name, run in systems.items() if _in(column, run)}
    distances = {name: _distance(score) for name, score in scores.items()}
    levels = sorted(set(distances.values()))
    untold = column.better is Better.NONE or len(scores) < 2
    if untold or any(math.isnan(distance) for distance in distances.values()):
        return dict.fromkeys(scores, Placed())
    places = dict(zip(levels, (Place.BEST, Place.SECOND), strict=False))
    best = next(name for name, distance in distances.items() if distance == levels[0])
    tests = {} if found is None else found.p_values.get(column.key, {})
    why = None if found is None or tests else found.skipped.get(column.key)
    untested = () if why is None else (notes(f"{column.key}: no test: {why}"),)
    return {
        name: Placed(
            places.get(distance, Place.OTHER),
            tests.get(frozenset((best, name)), 0.0) >= ALPHA and distance != levels[0],
            untested,
        )
        for name, distance in distances.items()
    }


def _distance(score: Score) -> float:
    """How far a score is from the best there can be, up to a constant; NaN where that can't be told."""
    own = None if score.reference is None else score.reference.value
    found = None if score.value is None else score.better.badness(score.value, own)
    return math.nan if found is None else found


def _in(column: Column, run: Run) -> bool:
    return _held(run, column.key) and run.scores[column.key].protocol_part == column.protocol_part


def _cell(run: Run, column: Column, placed: Placed, notes: Footnotes) -> SystemScore:
    score = run.scores.get(column.key)
    if score is None:
        return SystemScore(notes=(notes("not measured"),))
    if score.value is None:
        return SystemScore(score, run.expected, notes=(notes(f"not scored: {score.unscored}"),))
    if score.protocol_part != column.protocol_part:
        return SystemScore(score, run.expected, notes=(notes(_otherwise(score, column)),))
    said = (*placed.notes, *map(notes, _coverage(score, run)))
    return SystemScore(score, run.expected, score.value, score.interval, placed.place, placed.tied, said)


def _otherwise(score: Score, column: Column) -> str:
    ours, theirs = (part.split("|") for part in (score.protocol_part, column.protocol_part))
    here, there = ([token for token in side if token not in other] for side, other in ((ours, theirs), (theirs, ours)))
    return f"made differently, and in a column of its own: {' '.join(here) or '-'} instead of {' '.join(there) or '-'}"


def _coverage(score: Score, run: Run) -> Iterable[str]:
    if score.clips < run.expected:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in score.left_out.items())
        yield f"{score.clips} of {run.expected} clips{f' ({reasons})' if reasons else ''}"
    if run.part is not None:
        yield run.part
    if said := warning(score):
        yield said


def _own_value(score: Score) -> Value | None:
    return score.reference


def _copies_value(score: Score, *, name: str) -> Value | None:
    return score.controls.get(name)


def _beside(
    column: Column, runs: Mapping[str, Run], notes: Footnotes, value_of: Callable[[Score], Value | None]
) -> SystemScore:
    """A number that results hold beside a column's scores, such as the references' own, if they agree on it."""
    scores = [run.scores[column.key] for run in runs.values() if _in(column, run)]
    found = [(score, value) for score in scores if (value := value_of(score)) is not None]
    if not found:
        return SystemScore()
    score, shown = found[0]
    values = [value.value for _, value in found]
    said = [f"of {shown.clips}/{score.clips} clips"] if shown.clips != score.clips else []
    if not all(math.isclose(value, values[0], rel_tol=1e-6, abs_tol=1e-12) for value in values):
        said.append(
            f"from {min(values):.6g} to {max(values):.6g}, as results rest on different clips; the first is shown"
        )
    return SystemScore(value=shown.value, interval=shown.interval, notes=tuple(map(notes, said)))
