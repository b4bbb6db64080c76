"""States of feature rows, from which sets of clips are compared."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from thgeval.states.stacked import ClipRows, RowMatrix
from thgeval.states.state import AnyArray, Part, State


@dataclass(frozen=True, eq=False)
class Rows(State):
    """Feature rows (frames or windows, dimensions): what set metrics such as the Fréchet distances are made of."""

    large: ClassVar[bool] = True
    per_clip: ClassVar[bool] = False
    additive: ClassVar[bool] = False

    @classmethod
    def of(cls, clip: str, rows: AnyArray, *, start: int = 0) -> Self:
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

    def stacked(self) -> RowMatrix:
        """All rows, clips in order: (rows, dimensions)."""
        return RowMatrix([ClipRows(part.values) for clip in self.clips for part in self.ordered(clip)])


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
    def of(cls, clip: str, *, generated: AnyArray, reference: AnyArray, start: int = 0) -> Self:
        """Rows of consecutive frames or windows of one clip, (rows, dimensions) on either side."""
        return cls({clip: (Part(start, np.stack([generated, reference], axis=1)),)})

    @property
    def generated(self) -> RowMatrix:
        """All generated rows, clips in order: (rows, dimensions)."""
        return self._stacked(0)

    @property
    def reference(self) -> RowMatrix:
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

    def _stacked(self, side: int) -> RowMatrix:
        parts = [part for clip in self.clips for part in self.ordered(clip)]
        return RowMatrix([ClipRows(part.values, side, _some(part.given[:, side])) for part in parts])


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

    def _stacked(self, side: int) -> RowMatrix:
        clips = [clip for clip in self.clips if (clip in self.references) == bool(side)]
        parts = [part for clip in clips for part in self.ordered(clip)]
        return RowMatrix([ClipRows(part.values, None, _some(part.given)) for part in parts])


def _some(given: NDArray[np.bool_]) -> NDArray[np.intp] | None:
    return None if given.all() else np.flatnonzero(given)
