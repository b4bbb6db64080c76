"""States of values per window of tracks, of which each counts as one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thgeval.states.framewise import ClipMean, Framewise, PooledMean
from thgeval.states.sums import mean


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
