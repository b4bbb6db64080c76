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
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thgeval.states.stacked import Piece, Stacked, Stored, blocks

Array = NDArray[Any]
IDENTICAL = "identical"
"""Why a frame or a clip that is reproduced exactly has no value."""


@dataclass(frozen=True, eq=False)
class Part:
    """Values of consecutive frames of one clip: (frames,) or (frames, columns), from frame ``start`` on.

    ``left_out`` maps a reason to the frames, counted within the part, that have no value of their own: NaN, or what the
    metric's policy puts in its place, which the reason then says. ``under`` names conditions that belong to the number
    but not to the metric, such as the device a generator ran on. ``detail`` shows people what was measured, such as
    aligned words, and ``counted`` what stood beside it, such as other faces; no number depends on them.

    Feature rows may be ``Stored`` in a file: (rows, dimensions) or (rows, 2, dimensions).
    """

    start: int
    values: Array | Stored
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    under: str = ""
    detail: str = ""
    counted: Mapping[str, int] = field(default_factory=dict)

    @property
    def array(self) -> Array:
        """The values in memory."""
        return np.asarray(self.values)

    @cached_property
    def given(self) -> NDArray[np.bool_]:
        """Which rows are there, as those that are not are NaN: (rows,), and (rows, 2) of (rows, 2, dimensions)."""
        found = [~np.isnan(block).any(axis=-1) for _, block in blocks(self.values)]
        return np.concatenate(found) if found else np.empty(self.values.shape[:-1], np.bool_)

    @property
    def column(self) -> Array:
        """The values of frames, without what they are read beside: (frames,)."""
        values = self.array
        return values if values.ndim == 1 else values[:, 0]


@dataclass(frozen=True, eq=False)
class State(ABC):
    """Parts by clip id. Subclasses say how they are reduced."""

    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)

    large: ClassVar[bool] = False
    """Whether it holds feature rows, which stay on disk while other clips are measured."""
    per_clip: ClassVar[bool] = True
    """Whether a clip has a score of its own."""
    additive: ClassVar[bool] = True
    """Whether a score is a sum of what clips add over another; of others, leaving groups of clips out tells a part."""

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
        return replace(self, parts={clip: self.parts[clip] for clip in clips})

    def renamed(self, clip: str) -> Self:
        """The records of the only clip held, under another id."""
        (parts,) = self.parts.values()
        return type(self)({clip: parts})

    def ordered(self, clip: str) -> list[Part]:
        """The parts of one clip in the order of frames."""
        return sorted(self.parts[clip], key=lambda part: part.start)

    def record(self, clip: str) -> Part:
        """The parts of one clip as one, in the order of frames."""
        parts = self.ordered(clip)
        if len(parts) == 1:
            return parts[0]
        left_out: dict[str, tuple[int, ...]] = {}
        seen = 0
        for part in parts:
            for reason, frames in part.left_out.items():
                left_out[reason] = left_out.get(reason, ()) + tuple(seen + frame for frame in frames)
            seen += len(part.values)
        detail = "\n".join(part.detail for part in parts if part.detail)
        values = np.concatenate([part.array for part in parts])
        return Part(parts[0].start, values, left_out, parts[0].under, detail, self.counted(clip))

    def counting(self, clip: str, counts: Mapping[str, int]) -> Self:
        """The same measurements, with more counted beside those of one clip."""
        first, *others = self.parts[clip]
        first = replace(first, counted={**first.counted, **counts})
        return type(self)({**self.parts, clip: (first, *others)})

    def counted(self, clip: str) -> dict[str, int]:
        """What was counted beside the measurements of one clip, by name."""
        total: Counter[str] = Counter()
        for part in self.parts[clip]:
            total.update(part.counted)
        return dict(total)

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
    def frames_seen(self) -> int:
        """How many frames were measured, of which ``left_out`` counts those without a value besides."""
        return self.frames

    @property
    @abstractmethod
    def scored(self) -> tuple[str, ...]:
        """The clips that have a value."""


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

    def _used(self, clip: str, column: int = 0) -> Array:
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


def mean(values: NDArray[np.float64] | Sequence[float]) -> float:
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
    def of(
        cls, clip: str, counted: float, exposure: float, *, frames: int = 0, under: str = "", detail: str = ""
    ) -> Self:
        """What one clip contributes; ``frames`` is how many frames it was counted on."""
        values = np.array([[counted, exposure, frames]], dtype=np.float64)
        return cls({clip: (Part(0, values, under=under, detail=detail),)})

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """(clips, 3): counted, exposure, frames."""
        rows = [[math.fsum(column) for column in self.record(clip).array.T] for clip in self.clips]
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

    large: ClassVar[bool] = True
    per_clip: ClassVar[bool] = False
    additive: ClassVar[bool] = False

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

    def stacked(self) -> Stacked:
        """All rows, clips in order: (rows, dimensions)."""
        return Stacked([Piece(part.values) for clip in self.clips for part in self.ordered(clip)])


@dataclass(frozen=True, eq=False)
class TwoRows(State):
    """Feature rows of generated and of reference clips: (frames or windows, 2, dimensions), generated first.

    A frame that gave no row on one side (no face was found in it) is NaN there, so the two sides may have different
    numbers of rows.
    """

    large: ClassVar[bool] = True
    per_clip: ClassVar[bool] = False
    additive: ClassVar[bool] = False

    @classmethod
    def of(cls, clip: str, *, generated: Array, reference: Array, start: int = 0) -> Self:
        """Rows of consecutive frames or windows of one clip, (rows, dimensions) on either side."""
        return cls({clip: (Part(start, np.stack([generated, reference], axis=1)),)})

    @property
    def generated(self) -> Stacked:
        """All generated rows, clips in order: (rows, dimensions)."""
        return self._stacked(0)

    @property
    def reference(self) -> Stacked:
        """All reference rows, clips in order: (rows, dimensions)."""
        return self._stacked(1)

    @property
    def frames(self) -> int:
        """How many generated rows there are."""
        return int(self.counts[:, 0].sum())

    @property
    def fewest(self) -> int:
        """How many rows the smaller side has."""
        return int(self.counts.sum(axis=0).min())

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many generated and how many reference rows each clip has: (clips, 2)."""
        found = [sum(part.given.sum(axis=0) for part in self.parts[clip]) for clip in self.clips]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    @property
    def scored(self) -> tuple[str, ...]:
        """The clips that gave at least one generated row."""
        return tuple(clip for clip, count in zip(self.clips, self.counts[:, 0], strict=True) if count)

    def _stacked(self, side: int) -> Stacked:
        parts = [part for clip in self.clips for part in self.ordered(clip)]
        return Stacked([Piece(part.values, side, _some(part.given[:, side])) for part in parts])


@dataclass(frozen=True, eq=False)
class TwoSets(TwoRows):
    """Feature rows of clips that stand on one side each: (frames or windows, dimensions); NaN where there is none.

    ``references`` are the clips whose rows are the reference's. No id stands on both sides.
    """

    references: frozenset[str] = frozenset()

    @classmethod
    def of_sides(cls, generated: Iterable[Rows], reference: Iterable[Rows]) -> Self:
        """Rows measured on clips of either side; what is left out is counted by side (``no face in reference``)."""

        def placed(part: Part, side: str) -> Part:
            cut = {why.partition(", "): frames for why, frames in part.left_out.items()}
            return replace(
                part,
                left_out={f"{why} in {side}{comma}{became}": frames for (why, comma, became), frames in cut.items()},
            )

        sides = Rows.total(generated), Rows.total(reference)
        parts = {
            clip: tuple(placed(part, side) for part in held)
            for side, rows in zip(("generated", "reference"), sides, strict=True)
            for clip, held in rows.parts.items()
        }
        return cls(parts, frozenset(sides[1].parts))

    @classmethod
    def total(cls, states: Iterable[Self]) -> Self:
        """The records of all states side by side; ValueError if two hold the same frames of a clip."""
        held = list(states)
        return replace(super().total(held), references=frozenset().union(*(state.references for state in held)))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How many generated and how many reference rows each clip has, one of them none: (clips, 2)."""
        found = np.zeros((len(self.clips), 2), np.int64)
        for at, clip in enumerate(self.clips):
            found[at, int(clip in self.references)] = sum(int(part.given.sum()) for part in self.parts[clip])
        return found

    @property
    def frames_seen(self) -> int:
        """How many rows both sides have together."""
        return int(self.counts.sum())

    @property
    def scored_references(self) -> tuple[str, ...]:
        """The clips that gave at least one reference row."""
        return tuple(clip for clip, count in zip(self.clips, self.counts[:, 1], strict=True) if count)

    def _stacked(self, side: int) -> Stacked:
        clips = [clip for clip in self.clips if (clip in self.references) == bool(side)]
        parts = [part for clip in clips for part in self.ordered(clip)]
        return Stacked([Piece(part.values, None, _some(part.given)) for part in parts])


def _some(given: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    return None if given.all() else np.flatnonzero(given)


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
