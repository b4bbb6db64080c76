"""How much a mouth moves, and whether it moves when it should: what landmark distances don't tell."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.mouth import mouth
from thgeval.metric import Better, Needs, View, of_both
from thgeval.metrics.faces import Array, FaceMetric, Sides, over_people, present, stated, with_choice
from thgeval.states import ClipMean


@dataclass(frozen=True)
class MouthMotion(FaceMetric[ClipMean]):
    """One number a clip, from how far the mouth is open over time; its frames carry it, so that they are counted."""

    landmarks: str = "dlib-x4"
    policies: ClassVar[tuple[str, ...]] = ("skip", "fail", "hold")
    still: ClassVar[str]
    least: ClassVar[int] = 2
    """How many frames the number needs."""

    @property
    def aperture(self) -> Feature[Array]:
        """How far the mouth is open, in eye distances: (frames, people)."""
        return mouth(**self.chosen)

    @property
    def needs(self) -> Needs:
        """The aperture of both clips."""
        return of_both(*with_choice(self.aperture))

    @abstractmethod
    def compared(self, generated: Array, reference: Array) -> float:
        """One number for the apertures of the same frames, each (frames,) about its mean; NaN if there is none."""

    def measure(self, view: View) -> ClipMean:
        """The number of a clip, the mean over its people, at each frame in which they are seen on both sides."""
        sides = Sides.seen(view, self.aperture, missing=self.missing)
        both = present(sides.generated) & present(sides.reference)
        values = np.full(both.shape, np.nan)
        for person, seen in enumerate(both.T):
            if seen.sum() >= self.least:
                pair = (departures(side[seen, person]) for side in (sides.generated, sides.reference))
                values[seen, person] = self.compared(*pair)
        few = both.any(axis=1) & (both.sum(axis=0).max() < self.least)
        still = both.any(axis=1) & np.isnan(values).all(axis=1)
        why = np.select([few, still], ["too few frames", self.still], default=sides.why)
        return ClipMean({view.clip: (stated(over_people(values), why, missing=self.missing),)})

    def score(self, state: ClipMean) -> float:
        """Mean over clips."""
        return state.value


def departures(values: Array) -> Array:
    """How far (frames,) values are from their mean: exactly 0 where they never change."""
    return values - values.mean() if np.ptp(values) else np.zeros_like(values)


@dataclass(frozen=True)
class MouthAmplitude(MouthMotion):
    """How much more or less the generated mouth opens and shuts than the reference's.

    Reads    how far the mouth of the same person is open in every frame of both clips, in eye distances
    Returns  standard deviation over the frames of the generated clip over that of the reference, less 1, then mean over
             clips: from -1, no unit; 0 if both move as much, -0.5 for half as much, -1 for a frozen mouth. Detector
             noise keeps it above -1
    Source   engineering practice: published beside LMD because LMD prefers a frozen mouth to a mistimed one
    Departs  nothing; there is no paper to depart from
    """

    name = "mouth-amplitude"
    version = 1
    range = (-1.0, math.inf)
    better = Better.CLOSER_TO_ZERO
    cites = ("chen2018lmgg",)
    still = "the reference's mouth does not move"

    def compared(self, generated: Array, reference: Array) -> float:
        """Ratio of standard deviations, less 1."""
        amplitude = float(np.sqrt((reference**2).mean()))
        return float(np.sqrt((generated**2).mean())) / amplitude - 1 if amplitude else math.nan


@dataclass(frozen=True)
class MouthCorrelation(MouthMotion):
    """Whether the generated mouth opens when the reference's does, however far.

    Reads    how far the mouth of the same person is open in every frame of both clips, in eye distances
    Returns  Pearson's correlation over the frames of a clip, then mean over clips: in [-1, 1], no unit, 1 if one is a
             scaled copy of the other. A mouth that does not move at all has none; two frames, whose
             correlation is always 1 or -1, have none either
    Source   engineering practice: published beside LMD because LMD prefers a frozen mouth to a mistimed one
    Departs  nothing; there is no paper to depart from
    """

    name = "mouth-correlation"
    version = 2
    range = (-1.0, 1.0)
    better = Better.HIGHER
    cites = ("chen2018lmgg",)
    still = "a mouth does not move"
    least = 3

    def compared(self, generated: Array, reference: Array) -> float:
        """Covariance over the root of both variances."""
        spread = math.sqrt(float((generated**2).sum()) * float((reference**2).sum()))
        return float((generated * reference).sum()) / spread if spread else math.nan
