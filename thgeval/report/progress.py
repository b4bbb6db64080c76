"""A metric over the steps of a training: one SVG file, every score with its interval.

Points are joined where every clip was scored; those of partial runs are hollow. The file needs nothing else.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.report.axes import axis
from thgeval.report.curves import path
from thgeval.report.page import jinja_environment
from thgeval.report.text import DIRECTIONS, counted, interval, number
from thgeval.results import Run, Score

WIDTH, HEIGHT = 640.0, 320.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 624.0, 34.0, 270.0


class Point(NamedTuple):
    """A score where it is drawn; ``low`` and ``high`` are the ends of its interval, or None."""

    x: float
    y: float
    low: float | None
    high: float | None
    hollow: bool
    says: str


def progress(runs: Mapping[int, Run], key: str) -> str:
    """The SVG of one metric's scores by step; ProtocolError if no run has a finite one."""
    scores = {step: run[key] for step, run in sorted(runs.items()) if key in run.scores and _finite(run[key])}
    if not scores:
        raise ProtocolError(f"none of {counted(len(runs), 'run')} has a score of {key} to draw")
    values = np.array([score.value for score in scores.values()], np.float64)
    ends = [bound for score in scores.values() if score.interval for bound in score.interval]
    steps = np.array(list(scores), np.int64)
    up, across = axis([*values, *ends], BOTTOM, TOP), axis(steps.astype(np.float64), LEFT, RIGHT)
    points = [
        Point(
            across(step),
            up(score.value or 0.0),
            low=up(score.interval.low) if score.interval else None,
            high=up(score.interval.high) if score.interval else None,
            hollow=score.clips < runs[step].expected,
            says=f"step {step}: {_worded(score)}, {score.clips} of {counted(runs[step].expected, 'clip')}",
        )
        for step, score in scores.items()
    ]
    first = next(iter(scores.values()))
    whole = np.where([point.hollow for point in points], np.nan, values)
    return (
        jinja_environment()
        .get_template("progress.svg.j2")
        .render(
            width=WIDTH,
            height=HEIGHT,
            left=LEFT,
            right=RIGHT,
            bottom=BOTTOM,
            key=key,
            label=key + (f" in {first.unit}" if first.unit else "") + f", {DIRECTIONS[first.better]}",
            points=points,
            line=path(steps, whole, across, up),
            x_ticks=[tick for tick in across.ticks(8) if "." not in tick[1] and not tick[1].startswith("-")],
            y_ticks=up.ticks(5),
            says=f"{points[0].says}; {points[-1].says}. Bars are 95 % intervals over clips.",
        )
    )


def _finite(score: Score) -> bool:
    return score.value is not None and math.isfinite(score.value)


def _worded(score: Score) -> str:
    value = score.value or 0.0
    if score.interval is None:
        return number(value)
    said, low, high = interval(value, score.interval)
    return f"{said} ({low} to {high})"
