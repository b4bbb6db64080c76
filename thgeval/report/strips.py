"""Where everything in a strip plot goes: one dot per clip, and the run's score beneath.

Plain numbers in units of the plot's view box, which the page's template draws as inline SVG.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from thgeval.report.axes import Axis, axis
from thgeval.report.data import MetricData
from thgeval.report.text import counted, number, shared_decimals
from thgeval.statistics import Interval


@dataclass(frozen=True)
class Dot:
    """One clip in a strip plot."""

    x: float
    y: float
    clip: str
    value: str
    worst: bool


@dataclass(frozen=True)
class Box:
    """First quartile, median and third quartile."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Strip:
    """The scores of all clips along one axis, with the run's score and interval beneath."""

    key: str
    unit: str
    width: float
    height: float
    dots: tuple[Dot, ...]
    box: Box | None
    score: float | None
    bounds: tuple[float, float] | None
    reference: float | None
    ticks: list[tuple[float, str]]
    says: str


STRIP = (520.0, 104.0)
_ROW_Y, _ROW_REACH = 40.0, 28.0
_DOT = 8.0


@dataclass(frozen=True)
class SmallStrip:
    """The same in the height of a line of text: how far clips reach, the middle half of them, score and reference."""

    width: float
    height: float
    reach: tuple[float, float]
    box: tuple[float, float]
    score: float | None
    reference: float | None


SMALL = (132.0, 18.0)


def small_strip(data: MetricData) -> SmallStrip | None:
    """A metric's scores per clip in a line; None if fewer than two clips have finite ones."""
    finite = [value for value in data.clips.values() if math.isfinite(value)]
    if len(finite) < 2:
        return None
    score, width = data.score, SMALL[0]
    own = None if score.reference is None or not math.isfinite(score.reference.value) else score.reference.value
    scale = axis([*finite, *([] if own is None else [own])], 4, width - 4)
    value = score.value if score.value is not None and scale.low <= score.value <= scale.high else None
    low, first, last, high = (scale(float(q)) for q in np.percentile(finite, [0, 25, 75, 100]))
    return SmallStrip(
        *SMALL,
        reach=(low, high),
        box=(first, last),
        score=None if value is None else scale(value),
        reference=None if own is None else scale(own),
    )


def strip(data: MetricData, worst: Sequence[str]) -> Strip | None:
    """The distribution of a metric's scores per clip; None if no clip has a finite one."""
    score = data.score
    own = None if score.reference is None or not math.isfinite(score.reference.value) else score.reference.value
    found = strip_of(data.clips, score.value, score.interval, unit=score.unit, key=score.key, mark=own, worst=worst)
    infinite = sum(map(math.isinf, data.clips.values()))
    if found is None or not infinite:
        return found
    return replace(found, says=f"{found.says} Not drawn: {counted(infinite, 'clip')} at infinity.")


def strip_of(
    values: Mapping[str, float],
    score: float | None,
    bounds: Interval | None,
    *,
    key: str,
    unit: str = "",
    mark: float | None = None,
    worst: Sequence[str] = (),
) -> Strip | None:
    """Numbers of clips with one of all of them beneath, and a ``mark``; None if no clip has a finite one."""
    finite = {clip: value for clip, value in values.items() if math.isfinite(value)}
    if not finite:
        return None
    width, height = STRIP
    scale = axis([*finite.values(), *(bounds or ()), *([] if mark is None else [mark])], 14, width - 14)
    quartiles = [scale(float(q)) for q in np.percentile(list(finite.values()), [25, 50, 75])]
    return Strip(
        key=key,
        unit=unit,
        width=width,
        height=height,
        dots=_swarm(finite, scale, worst),
        box=Box(*quartiles) if len(finite) >= 5 else None,
        score=None if score is None or not scale.low <= score <= scale.high else scale(score),
        bounds=None if bounds is None else (scale(bounds.low), scale(bounds.high)),
        reference=None if mark is None else scale(mark),
        ticks=scale.ticks(7),
        says=_strip_text(finite, unit),
    )


def _swarm(values: Mapping[str, float], scale: Axis, worst: Sequence[str]) -> tuple[Dot, ...]:
    """Dots side by side where clips score alike: stacked away from the middle of the row, closer the more there are."""
    columns: dict[int, list[str]] = {}
    for clip in sorted(values):
        columns.setdefault(round(scale(values[clip]) / _DOT), []).append(clip)
    tallest = max(map(len, columns.values()))
    places = shared_decimals(values.values())
    gap = min(_DOT, 2 * _ROW_REACH / max(1, tallest - 1))
    dots = []
    for clips in columns.values():
        for level, clip in enumerate(clips):
            y = round(_ROW_Y + gap * ((level + 1) // 2) * (-1 if level % 2 else 1), 1)
            dots.append(Dot(scale(values[clip]), y, clip, number(values[clip], places), clip in worst))
    return tuple(sorted(dots, key=lambda dot: dot.worst))


def _strip_text(finite: Mapping[str, float], unit: str) -> str:
    low, median, high = np.percentile(list(finite.values()), [0, 50, 100])
    places = shared_decimals(finite.values())
    unit = f" {unit}" if unit else ""
    return (
        f"{counted(len(finite), 'clip')}, from {number(low, places)} to {number(high, places)}{unit}, "
        f"median {number(median, places)}{unit}."
    )
