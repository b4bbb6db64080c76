"""Where everything in a curve of values per frame goes.

Plain numbers in units of the plot's view box, which the page's template draws as inline SVG.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.report.axes import Axis, axis
from thgeval.report.data import Curve, Floats, MetricData
from thgeval.report.text import decimals, number, ranges, runs

Frames = NDArray[np.int64]

POINTS = 600
"""A curve with more values than this is drawn by the extremes of equal stretches."""


@dataclass(frozen=True)
class Mark:
    """A frame that is pointed at on a curve."""

    x: float
    y: float
    frame: int
    value: str
    card: int | None


@dataclass(frozen=True)
class Panel:
    """One clip's values frame by frame; first and last frame lie at ``start`` and ``end``."""

    key: str
    clip: str
    rank: int
    value: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    start: float
    end: float
    line: str
    reference: str
    level: float | None
    gaps: list[tuple[float, float, str]]
    marks: list[Mark]
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    x_label: str
    y_label: str
    says: str


PANEL = (380.0, 176.0)
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 370.0, 22.0, 136.0


def panels(
    data: MetricData,
    ranks: Mapping[str, int],
    cards: Mapping[tuple[str, int], int | None],
    rates: Mapping[str, float | None],
) -> list[Panel]:
    """One panel per clip on a common scale.

    ``ranks`` holds the clips with their rank among the worst (0 for none), all of which have curves; ``cards`` the
    worst frames, with the number of the card that shows them, if one does; ``rates`` holds frames per second.
    """
    curves = [data.curves[clip] for clip in ranks]
    if not curves:
        return []
    level = data.score.value if data.score.value is not None and math.isfinite(data.score.value) else None
    everything = [curve.values for curve in curves] + [c.reference for c in curves if c.reference is not None]
    vertical = axis(np.concatenate([*everything, np.array([] if level is None else [level])]), _BOTTOM, _TOP)
    return [_panel(data, curve, ranks[curve.clip], vertical, level, cards, rates.get(curve.clip)) for curve in curves]


def _panel(
    data: MetricData,
    curve: Curve,
    rank: int,
    vertical: Axis,
    level: float | None,
    cards: Mapping[tuple[str, int], int | None],
    fps: float | None,
) -> Panel:
    frames = curve.frames
    across = Axis(float(frames[0]), float(max(frames[-1], frames[0] + 1)), _LEFT + 4, _RIGHT - 4)
    unit = f" {data.score.unit}" if data.score.unit else ""
    return Panel(
        key=data.score.key,
        clip=curve.clip,
        rank=rank,
        value=number(data.clips[curve.clip]) + unit,
        width=PANEL[0],
        height=PANEL[1],
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
        start=across.start,
        end=across.end,
        line=path(*thinned(frames, curve.values), across, vertical),
        reference="" if curve.reference is None else path(*thinned(frames, curve.reference), across, vertical),
        level=None if level is None else vertical(level),
        gaps=_gaps(curve, across),
        marks=_marks(curve, across, vertical, cards) if curve.by_frame else [],
        x_ticks=[tick for tick in across.ticks(7) if "." not in tick[1]],
        y_ticks=vertical.ticks(4),
        x_label=_frame_label(curve, fps),
        y_label=data.score.key + (f" in {data.score.unit}" if data.score.unit else ""),
        says=_panel_text(data, curve),
    )


def _frame_label(curve: Curve, fps: float | None) -> str:
    if not curve.by_frame:
        return "position in the clip"
    if fps is None:
        return "frame"
    return f"frame, {fps:g} per second ({(curve.frames[-1] + 1) / fps:.2f} s)"


def _marks(curve: Curve, across: Axis, vertical: Axis, cards: Mapping[tuple[str, int], int | None]) -> list[Mark]:
    marks = []
    for frame, value in zip(curve.frames.tolist(), curve.values.tolist(), strict=True):
        if (curve.clip, frame) in cards and math.isfinite(value):
            marks.append(Mark(across(frame), vertical(value), frame, number(value), cards[curve.clip, frame]))
    return marks


def _gaps(curve: Curve, across: Axis) -> list[tuple[float, float, str]]:
    """Left edge, width and title of every run of frames that were left out for one reason."""
    half = max(0.75, (across(1) - across(0)) / 2)
    return [
        (
            round(across(first) - half, 1),
            round(across(last) - across(first) + 2 * half, 1),
            f"{why}: {ranges((first, last))}",
        )
        for why, frames in curve.left_out.items()
        for first, last in runs(sorted(frames))
    ]


def _panel_text(data: MetricData, curve: Curve) -> str:
    finite = np.where(np.isfinite(curve.values), curve.values, np.nan)
    low, high = int(np.nanargmin(finite)), int(np.nanargmax(finite))
    places = decimals(finite[low], finite[high])
    unit = f" {data.score.unit}" if data.score.unit else ""
    said = (
        f"{data.score.key} of {curve.clip}: lowest {number(finite[low], places)}{unit} at frame {curve.frames[low]}, "
        f"highest {number(finite[high], places)}{unit} at frame {curve.frames[high]}."
    )
    for why, frames in curve.left_out.items():
        said += f" Left out, {why}: frame{'' if len(frames) == 1 else 's'} {ranges(frames)}."
    if len(curve.values) > POINTS:
        said += f" Drawn by the extremes of every {_stretch(len(curve.values))} frames."
    return said


def _stretch(count: int) -> int:
    return math.ceil(2 * count / POINTS)


def thinned(frames: Frames, values: Floats) -> tuple[Frames, Floats]:
    """At most so many points as are worth drawing: of every stretch of a long curve its lowest and highest value."""
    if len(values) <= POINTS:
        return frames, values
    kept: list[int] = []
    for start in range(0, len(values), _stretch(len(values))):
        part = values[start : start + _stretch(len(values))]
        if np.isnan(part).all():
            kept.append(start)
        else:
            kept += sorted({start + int(np.nanargmin(part)), start + int(np.nanargmax(part))})
    return frames[kept], values[kept]


def path(frames: Frames, values: Floats, across: Axis, vertical: Axis) -> str:
    """An SVG path through the points, broken where a value is missing or infinite; a lone point becomes a dot."""
    pieces: list[list[str]] = [[]]
    for frame, value in zip(frames.tolist(), values.tolist(), strict=True):
        if math.isfinite(value):
            pieces[-1].append(f"{across(frame):g} {vertical(value):g}")
        elif pieces[-1]:
            pieces.append([])
    return "".join("M" + "L".join(piece) + ("h0" if len(piece) == 1 else "") for piece in pieces if piece)
