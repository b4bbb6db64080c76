"""What a system differs from another by: the score, and clip by clip; as ``thgeval compare`` compares them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from thgeval.comparison import SCORE, TO_REFERENCE, TO_ZERO, Compared
from thgeval.metric import Better
from thgeval.report import text
from thgeval.report.data import Collected
from thgeval.report.strips import Strip, strip_of
from thgeval.results import ClipResult, Run


@dataclass(frozen=True)
class DifferenceCell:
    """How a system differs from the first: printed, or why it can't be told; ``plot`` has a dot a clip."""

    system: str
    difference: str
    interval: str = ""
    p: str = ""
    verdict: str = ""
    why: str = ""
    plot: Strip | None = None


@dataclass(frozen=True)
class ClipDifference:
    """A clip's difference under one metric, as it is printed and sorted by, and whether it is for the better."""

    shown: str
    sort: str
    verdict: str


@dataclass(frozen=True)
class ClipDifferences:
    """What one system differs from the first by on every clip that both have: a column a metric, a row a clip."""

    system: str
    keys: tuple[str, ...]
    rows: tuple[tuple[str, tuple[ClipDifference, ...]], ...]


NOTHING = ClipDifference("–", "", "")


def difference_cell(names: tuple[str, str], runs: tuple[Run, Run], row: Compared) -> DifferenceCell:
    """The difference of the second of two systems from the first under one metric, from their comparison."""
    places = text.decimals(row.score, row.baseline_score)
    low, high = ("", "") if row.interval is None else (signed(bound, places) for bound in row.interval)
    apart = per_clip(*runs, row.metric, row.compares)
    return DifferenceCell(
        system=names[1],
        difference=signed(row.difference, places),
        interval=f"[{low}, {high}]" if low else "",
        p=f"{row.corrected_p:.4f}" if row.corrected_p >= 1e-4 else "<0.0001",
        verdict=row.verdict,
        plot=strip_of(apart, row.difference, row.interval, key=f"{row.metric}, {names[1]} minus {names[0]}", mark=0.0),
    )


def signed(value: float, places: int) -> str:
    """A difference with its sign."""
    shown = text.number(value, places)
    return f"+{shown}" if value > 0 and math.isfinite(value) else shown


def per_clip(first: Run, other: Run, key: str, compares: str) -> dict[str, float]:
    """A clip's number in one run less what it is in another, of what a comparison compares, by clip."""
    theirs = {clip.id: _compared(clip, key, compares) for clip in first.clips}
    apart = {clip.id: _compared(clip, key, compares) - theirs.get(clip.id, math.nan) for clip in other.clips}
    return {id: value for id, value in apart.items() if math.isfinite(value)}


def _compared(clip: ClipResult, key: str, compares: str) -> float:
    value = clip.scores.get(key)
    if value is None or compares == SCORE:
        return math.nan if value is None else value
    above, below = clip.reference_contributions.get(key, (math.nan, 1.0)) if compares == TO_REFERENCE else (0.0, 1.0)
    return abs(value - above / below) if below else math.nan


def clip_differences(name: str, first: Collected, other: Collected) -> ClipDifferences:
    """The differences under all metrics that were made alike and have values per clip in both."""
    columns: dict[str, tuple[dict[str, float], Better]] = {}
    for data in other.metrics:
        key, better = data.score.key, data.score.better
        theirs = first.run.scores.get(key)
        if theirs is not None and theirs.protocol_part == data.score.protocol_part:
            kind = {Better.CLOSER_TO_REFERENCE: TO_REFERENCE, Better.CLOSER_TO_ZERO: TO_ZERO}.get(better, SCORE)
            if apart := per_clip(first.run, other.run, key, kind):
                columns[key] = apart, better
    clips = sorted({id for apart, _ in columns.values() for id in apart})
    places = {key: text.shared_decimals(apart.values()) for key, (apart, _) in columns.items()}
    rows = tuple(
        (id, tuple(_cell(apart, id, better, places[key]) for key, (apart, better) in columns.items())) for id in clips
    )
    return ClipDifferences(name, tuple(columns), rows)


def _cell(apart: Mapping[str, float], id: str, better: Better, places: int) -> ClipDifference:
    if id not in apart:
        return NOTHING
    value = apart[id]
    gain = {Better.HIGHER: value, Better.NONE: 0.0}.get(better, -value)
    return ClipDifference(signed(value, places), repr(value), "better" if gain > 0 else "worse" if gain < 0 else "")
