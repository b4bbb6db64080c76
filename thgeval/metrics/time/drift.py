"""Drift: how far a clip's likeness, sharpness, quality or brightness creeps from its beginning to its end."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.features.frames.frames import luma, shown
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.metrics.identity.csim import CSIM
from thgeval.metrics.pixels.cpbd import CPBD
from thgeval.metrics.pixels.iqa import IQA
from thgeval.parameter import parameter
from thgeval.states import Part, TimedValues, mean

Array = NDArray[np.float64]


class Series(NamedTuple):
    """What is followed: what it needs, its values of a piece as a part, and the frames of the piece they are of."""

    needs: Needs
    values: Callable[[View], Part]
    frames: Callable[[View, int], NDArray[np.int64]] = lambda view, count: np.arange(count)


def _of_metric(metric: Metric[Any]) -> Series:
    """What a metric keeps of every frame."""
    return Series(metric.needs, lambda view: metric.measure(view).record(view.clip))


def _of_likeness(csim: CSIM) -> Series:
    """Cosines of the frames that a recogniser looked at."""
    return _of_metric(csim)._replace(frames=lambda view, count: view.generated[csim.whom.of_clip].frames)


def _brightness(view: View) -> Part:
    planes = view.generated[BRIGHT]
    return Part(view.start, planes.pixels.mean(axis=(1, 2), dtype=np.float64) / planes.peak)


BRIGHT = luma(rule="bt601-float")
SERIES: Mapping[str, Series] = MappingProxyType(
    {
        "brightness": Series(of_generated(BRIGHT), _brightness),
        "cpbd": _of_metric(CPBD()),
        "iqa": _of_metric(IQA()),
        "csim": _of_likeness(CSIM()),
        "csim-dlib": _of_likeness(CSIM.configured(CSIM.presets["dlib"].fields)),
    }
)


def slope(values: Array, seconds: Array, *, share: float) -> float:
    """How much a straight line through values, by least squares, rises in a minute."""
    about = seconds - mean(seconds)
    return 60.0 * math.fsum(about * (values - mean(values))) / math.fsum(about**2)


def rise(values: Array, seconds: Array, *, share: float) -> float:
    """Mean of the values in the last part of the time less that of those in the first."""
    width = share * float(seconds[-1] - seconds[0])
    first, last = seconds <= seconds[0] + width, seconds >= seconds[-1] - width
    return mean(values[last]) - mean(values[first])


COURSES: Mapping[str, Callable[..., float]] = MappingProxyType({"slope": slope, "ends": rise})


@dataclass(frozen=True)
class Drift(Metric[TimedValues]):
    """How far something about the generated clip creeps while it plays, up or down.

    Reads    brightness of every frame of the generated clip; or its sharpness (cpbd), its quality (iqa), or its
             likeness with the reference (csim), as these metrics have them at their defaults; and when frames are shown
    Returns  size of the slope of a line through the values of a clip, by least squares, in a minute; or of the
             difference between the means of its first and its last part; mean over clips, whichever way they creep:
             from 0, per minute or without unit, 0 where nothing creeps; the note says which way
    Source   this project, for clips of a minute and more, as in LongAV-Compass, arXiv 2605.26244, which asks for it; no
             code was found
    Departs  nothing that is known. A line through a few seconds says more of the performance than of drift: read it
             beside the reference's own value
    """

    of: str = parameter(
        "brightness", "what is followed: ``brightness``, ``cpbd``, ``iqa``, ``csim`` or ``csim-dlib``", of=SERIES
    )
    by: str = parameter(
        "slope", "``slope`` in a minute, or ``ends``: the last part of the clip less the first", of=COURSES
    )
    share: float = parameter(
        0.2, "how much of the time the first and the last part each take, where by=ends", above=0, most=0.5
    )

    name = "drift"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    with_reference = True
    cites = ("longavcompass2026",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "ends": Preset({"by": "ends"}, "of brightness, the last fifth of the clip against the first"),
        **{
            of: Preset({"of": of}, f"of {of.replace('csim-dlib', 'csim by dlib, with nothing to fetch')}")
            for of in SERIES
            if of != "brightness"
        },
    }

    @property
    def unit(self) -> str:
        """Per minute, or none."""
        return "1/min" if self.by == "slope" else ""

    @property
    def needs(self) -> Needs:
        """What is followed, and when frames are shown."""
        needs = SERIES[self.of].needs
        return replace(needs, generated=(*needs.generated, shown))

    def measure(self, view: View) -> TimedValues:
        """The values of one piece with their seconds."""
        series = SERIES[self.of]
        part = series.values(view)
        seconds = view.generated[shown].times[series.frames(view, len(part.values))]
        if np.isnan(seconds).any():
            raise InputError(
                "a folder of images or an array has no frame rate; state its fps to say how fast it creeps",
                reason="no frame rate",
            )
        return TimedValues({view.clip: (replace(part, values=np.stack([part.column, seconds], axis=1)),)})

    def score(self, state: TimedValues) -> float:
        """Mean over clips of the size of each one's course; NaN without any."""
        return mean(np.abs(self.courses(state)))

    def courses(self, state: TimedValues) -> Array:
        """How far each scored clip creeps, up or down: (scored,)."""
        course = COURSES[self.by]
        return np.array([course(*state.series(clip), share=self.share) for clip in state.scored], np.float64)

    def per_frame(self, values: Array) -> Array:
        """A frame alone has no course."""
        return np.full(len(values), np.nan)

    def cautions(self, state: TimedValues) -> Iterator[str]:
        """Which way clips creep."""
        courses = self.courses(state)
        yield f"{(courses > 0).sum()} of {len(courses)} clips creep up, {(courses < 0).sum()} down"
