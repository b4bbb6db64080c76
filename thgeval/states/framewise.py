"""States of values per frame, and the ways of averaging them: per clip or track first, or pooled over all."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thgeval.states.state import AnyArray, Part, State, mean, ratio

IDENTICAL = "identical"
"""Why a frame or a clip that is reproduced exactly has no value."""
MOMENT = "a moment alone"
"""Why a clip has no course."""


@dataclass(frozen=True, eq=False)
class Framewise(State):
    """One value per frame; the two ways of averaging them follow.

    Where values are (frames, 2), the second column is what the first is read beside: what a trivial answer scores.
    """

    @classmethod
    def of(
        cls,
        clip: str,
        values: ArrayLike,
        *,
        start: int = 0,
        left_out: Mapping[str, ArrayLike] | None = None,
        under: str = "",
    ) -> Self:
        """The values of consecutive frames; ``left_out`` maps a reason to a mask, or indices, of frames without one."""
        array = np.array(values, dtype=np.float64)
        reasons: dict[str, tuple[int, ...]] = {}
        for reason, which in (left_out or {}).items():
            marked = np.asarray(which)
            frames = np.flatnonzero(marked) if marked.dtype == np.bool_ else marked.astype(np.intp)
            if frames.size:
                reasons[reason] = tuple(int(frame) for frame in frames)
                array[frames] = np.nan
        return cls({clip: (Part(start, array, reasons, under),)})

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Exactly rounded sum of the values of each clip: (clips,)."""
        return np.array([math.fsum(self._used(clip)) for clip in self.clips], dtype=np.float64)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many frames of each clip have a value: (clips,)."""
        return np.array([self._used(clip).size for clip in self.clips], dtype=np.int64)

    @property
    def beside(self) -> float:
        """Mean of the second column over all frames that have a value; NaN without any."""
        return mean(np.concatenate([self._used(clip, 1) for clip in self.clips] or [np.empty(0)]))

    def _used(self, clip: str, column: int = 0) -> AnyArray:
        values = self.record(clip).array
        values = values[:, None] if values.ndim == 1 else values
        return np.asarray(values[~np.isnan(values[:, 0]), column])

    @property
    def frames(self) -> int:
        """How many frames have a value."""
        return int(self.counts.sum())

    @property
    def scored(self) -> tuple[str, ...]:
        """The clips with at least one frame that has a value."""
        return tuple(clip for clip, count in zip(self.clips, self.counts, strict=True) if count)


@dataclass(frozen=True, eq=False)
class ClipMean(Framewise):
    """Mean over the frames of each clip, then over clips: every clip weighs the same.

    A metric that keeps a ClipMean may transform each clip's mean, but its score of many clips is the mean of the
    scores they would get alone.
    """

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of each scored clip: (scored,)."""
        used = self.counts > 0
        return self.sums[used] / self.counts[used]

    @property
    def value(self) -> float:
        """Mean of the clip means; NaN if no frame has a value."""
        return mean(self.means)


@dataclass(frozen=True, eq=False)
class ClipError(ClipMean):
    """Mean error of each clip, of which a score takes a logarithm: a clip without any has none, and is left out."""

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many frames of each clip have a value, 0 for a clip without any error: (clips,)."""
        return np.where(self.sums > 0, self._given, 0)

    @cached_property
    def _given(self) -> NDArray[np.int64]:
        return np.array([self._used(clip).size for clip in self.clips], dtype=np.int64)

    @property
    def left_out(self) -> Counter[str]:
        """How many frames had no value, by reason; those of clips without any error are ``IDENTICAL``."""
        same = int((self._given - self.counts).sum())
        return super().left_out + Counter({IDENTICAL: same} if same else {})


@dataclass(frozen=True, eq=False)
class TimedValues(ClipMean):
    """Values and the second that each belongs to, (values, 2), of whose course a score is made.

    A clip whose values are all of one moment has no course, and is left out as ``MOMENT``.
    """

    def series(self, clip: str) -> tuple[AnyArray, AnyArray]:
        """The values of a clip that are there, and their seconds: (values,) each; none of one moment alone."""
        array = self.record(clip).array
        array = array[~np.isnan(array[:, 0])] if array.ndim == 2 else np.empty((0, 2))
        values, seconds = array.T if np.unique(array[:, 1]).size > 1 else np.empty((2, 0))
        return values, seconds

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many values the course of each clip has: (clips,)."""
        return np.array([len(self.series(clip)[0]) for clip in self.clips], dtype=np.int64)

    @property
    def left_out(self) -> Counter[str]:
        """How many frames had no value, by reason; those of one moment alone are ``MOMENT``."""
        lost = sum(self._used(clip).size for clip, count in zip(self.clips, self.counts, strict=True) if not count)
        return super().left_out + Counter({MOMENT: lost} if lost else {})


@dataclass(frozen=True, eq=False)
class PooledMean(Framewise):
    """Mean over all frames of all clips: long clips weigh more."""

    @property
    def ratios(self) -> NDArray[np.float64]:
        """Sum and count of each scored clip: (scored, 2)."""
        used = self.counts > 0
        return np.stack([self.sums[used], self.counts[used]], axis=1)

    @property
    def value(self) -> float:
        """Sum of everything over the number of frames; NaN if no frame has a value."""
        return ratio(self.ratios)


@dataclass(frozen=True, eq=False)
class PooledRoot(PooledMean):
    """A PooledMean that a score is the root of: no sum over clips, so that intervals leave groups of clips out."""

    additive: ClassVar[bool] = False


@dataclass(frozen=True, eq=False)
class ByTrack(Framewise):
    """Values of the windows of tracks, a part for each: a track counts as one, by its mean."""

    @cached_property
    def track_means(self) -> Mapping[str, tuple[float, ...]]:
        """Mean of each track that has a value, by clip."""
        found = {}
        for clip in self.clips:
            used = [part.array[~np.isnan(part.array)] for part in self.parts[clip]]
            found[clip] = tuple(mean(values) for values in used if values.size)
        return found

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Sum of the means of each clip's tracks: (clips,)."""
        return np.array([math.fsum(self.track_means[clip]) for clip in self.clips], dtype=np.float64)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many tracks of each clip have a value: (clips,)."""
        return np.array([len(self.track_means[clip]) for clip in self.clips], dtype=np.int64)

    @property
    def windows(self) -> tuple[int, ...]:
        """How many values each track has, of those that have any, clips in order."""
        counted = [int((~np.isnan(part.array)).sum()) for clip in self.clips for part in self.parts[clip]]
        return tuple(count for count in counted if count)

    @property
    def frames(self) -> int:
        """How many windows have a value."""
        return sum(self.windows)


@dataclass(frozen=True, eq=False)
class TrackMean(ByTrack, ClipMean):
    """Mean over the windows of each track, then over tracks, then over clips."""


@dataclass(frozen=True, eq=False)
class PooledTracks(ByTrack, PooledMean):
    """Mean over the windows of each track, then over all tracks of all clips."""
