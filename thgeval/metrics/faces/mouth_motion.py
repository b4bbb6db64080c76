"""How much a mouth moves, and whether it moves when it should: what landmark distances don't tell."""

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.faces.mouth import mouth
from thgeval.metric import Better, Metric, Needs, View, of_both
from thgeval.metrics.faces.missing import Array, policy, present
from thgeval.metrics.faces.whom import Landmarked, over_people, with_choice
from thgeval.parameter import holding
from thgeval.states import ClipMean


@dataclass(frozen=True)
class MouthMotion(Metric[ClipMean]):
    """One number a clip, from how far the mouth is open over time; its frames carry it, so that they are counted."""

    whom: Landmarked = holding(Landmarked(landmarks="dlib-x4"), missing=policy("skip", "fail", "hold"))
    still: ClassVar[str]
    columns: ClassVar[int] = 1
    least: ClassVar[int] = 2
    """How many frames the number needs."""

    @property
    def aperture(self) -> Feature[Array]:
        """How far the mouth is open, in eye distances: (frames, people)."""
        return mouth(**self.whom.chosen)

    @property
    def needs(self) -> Needs:
        """The aperture of both clips."""
        return of_both(*with_choice(self.aperture))

    @abstractmethod
    def compared(self, generated: Array, reference: Array) -> tuple[float, ...]:
        """The number for the apertures of the same frames, each (frames,) about its mean, NaN if there is none.

        What it is read beside may follow.
        """

    def measure(self, view: View) -> ClipMean:
        """The number of a clip, the mean over its people, at each frame in which they are seen on both sides."""
        sides = self.whom.pairs(view, self.aperture)
        both = present(sides.generated) & present(sides.reference)
        columns = np.full((self.columns, *both.shape), np.nan)
        for person, seen in enumerate(both.T):
            if seen.sum() >= self.least:
                pair = (departures(side[seen, person]) for side in (sides.generated, sides.reference))
                columns[:, seen, person] = np.array(self.compared(*pair))[:, None]
        few = both.any(axis=1) & (both.sum(axis=0).max() < self.least)
        still = both.any(axis=1) & np.isnan(columns[0]).all(axis=1)
        why = np.select([few, still], ["too few frames", self.still], default=sides.why)
        values = np.stack([over_people(column) for column in columns], axis=1)
        return ClipMean({view.clip: (self.whom.part(values if self.columns > 1 else values[:, 0], why),)})


def departures(values: Array) -> Array:
    """How far (frames,) values are from their mean: exactly 0 where they never change."""
    return values - values.mean() if np.ptp(values) else np.zeros_like(values)


@dataclass(frozen=True)
class MouthAmplitude(MouthMotion):
    """How far the generated mouth is from opening and shutting as much as the reference's.

    Reads    how far the mouth of the same person is open in every frame of both clips, in eye distances
    Returns  1 less the smaller over the larger of the two standard deviations over the frames of a clip, then mean over
             clips: in [0, 1], no unit; 0 if both move as much, 0.5 for half as much and for twice as much, 1 for a
             frozen mouth, which detector noise keeps from 1. A note says how many clips move less, and how many more
    Source   engineering practice: published beside LMD because LMD prefers a frozen mouth to a mistimed one
    Departs  nothing; there is no paper to depart from. It is 1 - 2^-|log2 of the ratio|, so that clips that move too
             little and too much don't cancel, and a frozen mouth has a number
    """

    name = "mouth-amplitude"
    version = 2
    range = (0.0, 1.0)
    better = Better.LOWER
    cites = ("chen2018lmgg",)
    still = "the reference's mouth does not move"
    columns = 2

    def compared(self, generated: Array, reference: Array) -> tuple[float, ...]:
        """How far the ratio of standard deviations is from 1 either way, and the same below 0 where it moves less."""
        ours, theirs = (float(np.sqrt((side**2).mean())) for side in (generated, reference))
        if not theirs:
            return math.nan, math.nan
        apart = 1 - min(ours, theirs) / max(ours, theirs)
        return apart, math.copysign(apart, ours - theirs)

    def cautions(self, state: ClipMean) -> Iterator[str]:
        """Which way the clips are off."""
        signs = [np.nanmean(state.record(clip).array[:, 1]) for clip in state.scored]
        less, more = sum(sign < 0 for sign in signs), sum(sign > 0 for sign in signs)
        yield f"{less} of {len(signs)} clips move less than their reference, {more} more"


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

    def compared(self, generated: Array, reference: Array) -> tuple[float, ...]:
        """Covariance over the root of both variances."""
        spread = math.sqrt(float((generated**2).sum()) * float((reference**2).sum()))
        return (float((generated * reference).sum()) / spread if spread else math.nan,)
