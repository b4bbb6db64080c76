"""What a metric remembers between measuring and scoring.

A state keeps a record per clip and is reduced once, in the order of clip ids. Adding two states only puts records
side by side, so that chunks, workers, shards, resumed runs and resampled sets of clips are all plain sums, in any
order, with identical bits. Records stay small: per-frame values, a pair of counts, or feature rows.

A frame without a value (an exactly reproduced frame has no PSNR) is left out of means and counted under its reason.
"""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """Values of consecutive frames of one clip: (frames,) or (frames, columns), from frame ``start`` on.

    ``left_out`` maps a reason to the frames, counted within the part, that have no value (theirs are NaN). ``under``
    names conditions that belong to the number but not to the metric, such as the device a generator ran on.
    """

    start: int
    values: Array
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    under: str = ""


@dataclass(frozen=True, eq=False)
class State(ABC):
    """Parts by clip id. Subclasses say how they are reduced."""

    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    spread: ClassVar[str] = "bootstrap"

    def __add__(self, other: Self) -> Self:
        return self.total([self, other])

    @classmethod
    def total(cls, states: Iterable[Self]) -> Self:
        """The records of all states side by side; ValueError if two hold the same frames of a clip."""
        merged: dict[str, tuple[Part, ...]] = {}
        for state in states:
            for clip, parts in state.parts.items():
                held = merged.get(clip, ())
                if repeated := {part.start for part in held} & {part.start for part in parts}:
                    raise ValueError(f"clip {clip!r} was measured twice from frame {min(repeated)}")
                merged[clip] = held + parts
        return cls(merged)

    @cached_property
    def clips(self) -> tuple[str, ...]:
        """The clips measured, in the order of reduction."""
        return tuple(sorted(self.parts))

    def only(self, clips: Sequence[str]) -> Self:
        """The same measurements of these clips alone."""
        return type(self)({clip: self.parts[clip] for clip in clips})

    def renamed(self, clip: str) -> Self:
        """The records of the only clip held, under another id."""
        (parts,) = self.parts.values()
        return type(self)({clip: parts})

    def record(self, clip: str) -> Part:
        """The parts of one clip as one, in the order of frames."""
        parts = sorted(self.parts[clip], key=lambda part: part.start)
        if len(parts) == 1:
            return parts[0]
        left_out: dict[str, tuple[int, ...]] = {}
        seen = 0
        for part in parts:
            for reason, frames in part.left_out.items():
                left_out[reason] = left_out.get(reason, ()) + tuple(seen + frame for frame in frames)
            seen += len(part.values)
        return Part(parts[0].start, np.concatenate([part.values for part in parts]), left_out, parts[0].under)

    @property
    def left_out(self) -> Counter[str]:
        """How many frames had no value, by reason."""
        total: Counter[str] = Counter()
        for parts in self.parts.values():
            for part in parts:
                total.update({reason: len(frames) for reason, frames in part.left_out.items()})
        return total

    @property
    def under(self) -> tuple[str, ...]:
        """The conditions that parts were taken under; more than one can't be reduced to one number."""
        return tuple(sorted({part.under for parts in self.parts.values() for part in parts if part.under}))

    @property
    @abstractmethod
    def frames(self) -> int:
        """How many frames the score rests on."""

    @property
    @abstractmethod
    def scored(self) -> tuple[str, ...]:
        """The clips that have a value."""


@dataclass(frozen=True, eq=False)
class Framewise(State):
    """One value per frame; the two ways of averaging them follow."""

    @classmethod
    def of(
        cls, clip: str, values: ArrayLike, *, start: int = 0, left_out: Mapping[str, ArrayLike] | None = None
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
        return cls({clip: (Part(start, array, reasons),)})

    @cached_property
    def sums(self) -> NDArray[np.float64]:
        """Exactly rounded sum of the values of each clip: (clips,)."""
        return np.array([math.fsum(self._used(clip)) for clip in self.clips], dtype=np.float64)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many frames of each clip have a value: (clips,)."""
        return np.array([self._used(clip).size for clip in self.clips], dtype=np.int64)

    def _used(self, clip: str) -> Array:
        values = self.record(clip).values
        return values[~np.isnan(values)]

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


def mean(values: NDArray[np.float64]) -> float:
    """Exactly rounded mean, the same in any order of the values; NaN of none."""
    return math.fsum(values) / len(values) if len(values) else math.nan


def ratio(rows: NDArray[np.float64]) -> float:
    """Sum of the first column over sum of the second, both exactly rounded; NaN of nothing."""
    below = math.fsum(rows[:, 1])
    return math.fsum(rows[:, 0]) / below if below > 0 else math.nan


@dataclass(frozen=True, eq=False)
class Counts(State):
    """Something counted over an exposure (blinks over seconds, frames over seconds): a ratio of sums."""

    @classmethod
    def of(cls, clip: str, counted: float, exposure: float, *, frames: int = 0, under: str = "") -> Self:
        """What one clip contributes; ``frames`` is how many frames it was counted on."""
        return cls({clip: (Part(0, np.array([[counted, exposure, frames]], dtype=np.float64), under=under),)})

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """(clips, 3): counted, exposure, frames."""
        rows = [[math.fsum(column) for column in self.record(clip).values.T] for clip in self.clips]
        return np.array(rows, dtype=np.float64).reshape(-1, 3)

    @property
    def frames(self) -> int:
        """How many frames were looked at."""
        return int(self.totals[:, 2].sum())

    @property
    def scored(self) -> tuple[str, ...]:
        """The clips with any exposure."""
        return tuple(clip for clip, row in zip(self.clips, self.totals, strict=True) if row[1] > 0)

    @property
    def ratios(self) -> NDArray[np.float64]:
        """Counted and exposure of each scored clip: (scored, 2)."""
        return self.totals[self.totals[:, 1] > 0, :2]

    @property
    def value(self) -> float:
        """Counted over exposure, each summed over clips; NaN without exposure."""
        return ratio(self.ratios)


@dataclass(frozen=True, eq=False)
class Rows(State):
    """Feature rows (frames or windows, dimensions): what set metrics such as the Fréchet distances are made of."""

    spread: ClassVar[str] = "jackknife"

    @classmethod
    def of(cls, clip: str, rows: Array, *, start: int = 0) -> Self:
        """Rows of consecutive frames or windows of one clip: (rows, dimensions)."""
        return cls({clip: (Part(start, np.asarray(rows)),)})

    @property
    def frames(self) -> int:
        """How many rows there are."""
        return sum(len(part.values) for parts in self.parts.values() for part in parts)

    @property
    def scored(self) -> tuple[str, ...]:
        """The clips that gave at least one row."""
        return tuple(clip for clip in self.clips if any(len(part.values) for part in self.parts[clip]))

    def stacked(self) -> Array:
        """All rows, clips in order: (rows, dimensions)."""
        return np.concatenate([self.record(clip).values for clip in self.clips])


@dataclass(frozen=True, eq=False)
class TwoRows(State):
    """Feature rows of generated and of reference clips: (frames or windows, 2, dimensions), generated first.

    A frame that gave no row on one side (no face was found in it) is NaN there, so the two sides may have different
    numbers of rows.
    """

    spread: ClassVar[str] = "jackknife"

    @classmethod
    def of(cls, clip: str, *, generated: Array, reference: Array, start: int = 0) -> Self:
        """Rows of consecutive frames or windows of one clip, (rows, dimensions) on either side."""
        return cls({clip: (Part(start, np.stack([generated, reference], axis=1)),)})

    @property
    def generated(self) -> Array:
        """All generated rows, clips in order: (rows, dimensions)."""
        return self._stacked(0)

    @property
    def reference(self) -> Array:
        """All reference rows, clips in order: (rows, dimensions)."""
        return self._stacked(1)

    @property
    def frames(self) -> int:
        """How many generated rows there are."""
        return self._count(0)

    @property
    def fewest(self) -> int:
        """How many rows the smaller side has."""
        return min(self._count(0), self._count(1))

    @property
    def scored(self) -> tuple[str, ...]:
        """The clips that gave at least one generated row."""
        return tuple(clip for clip in self.clips if any(_given(part, 0).any() for part in self.parts[clip]))

    def _count(self, side: int) -> int:
        return sum(int(_given(part, side).sum()) for parts in self.parts.values() for part in parts)

    def _stacked(self, side: int) -> Array:
        parts = [self.record(clip) for clip in self.clips]
        rows = [part.values[_given(part, side), side] for part in parts]
        return np.concatenate(rows) if rows else np.empty((0, 0), np.float32)


def _given(part: Part, side: int) -> NDArray[np.bool_]:
    return np.asarray(~np.isnan(part.values[:, side]).any(axis=1))


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean and scatter matrix of rows, in float64: enough for a Gaussian, and mergeable."""

    count: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Array) -> Self:
        """Moments of (rows, dimensions)."""
        widened = np.asarray(rows, dtype=np.float64)
        mean = widened.mean(axis=0)
        centred = widened - mean
        return cls(len(widened), mean, centred.T @ centred)

    def __add__(self, other: Self) -> Self:
        count = self.count + other.count
        shift = other.mean - self.mean
        mean = self.mean + shift * (other.count / count)
        scatter = self.scatter + other.scatter + np.outer(shift, shift) * (self.count * other.count / count)
        return type(self)(count, mean, scatter)

    def covariance(self, *, ddof: int = 1) -> NDArray[np.float64]:
        """Scatter over ``count - ddof``: (dimensions, dimensions)."""
        return self.scatter / (self.count - ddof)
