"""Parts, and the base of all states: records by clip, put side by side; and how numbers are summed."""

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from thgeval.states.stacked import FileRows, blocks

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """Values of consecutive frames of one clip: (frames,) or (frames, columns), from frame ``start`` on.

    ``left_out`` maps a reason to the frames, counted within the part, that have no value of their own: NaN, or what the
    metric's policy puts in its place, which the reason then says. ``under`` names conditions that belong to the number
    but not to the metric, such as the device a generator ran on. ``detail`` shows people what was measured, such as
    aligned words, and ``counted`` what stood beside it, such as other faces; no number depends on them.

    Feature rows may be ``FileRows`` in a file: (rows, dimensions) or (rows, 2, dimensions).
    """

    start: int
    values: Array | FileRows
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
                    raise ValueError(
                        f"clip {clip!r} was measured twice from frame {min(repeated)}; say start=view.start"
                    )
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

    @property
    def value(self) -> float:
        """The number that it stands for; TypeError from states of rows, which stand for none."""
        raise TypeError(f"{type(self).__name__} is reduced to a number by its metric's score alone")


def mean(values: NDArray[np.float64] | Sequence[float]) -> float:
    """Exactly rounded mean, the same in any order of the values; NaN of none."""
    return math.fsum(values) / len(values) if len(values) else math.nan


def ratio(rows: NDArray[np.float64]) -> float:
    """Sum of the first column over sum of the second, both exactly rounded; NaN of nothing."""
    below = math.fsum(rows[:, 1])
    return math.fsum(rows[:, 0]) / below if below > 0 else math.nan
