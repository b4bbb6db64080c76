"""What metrics of two sets have in common: all rows of the generated clips against all rows of the reference clips.

A row is what a network makes of a frame or of a window of frames. Rows of one clip are alike, so the number of clips
counts for more than the number of rows; both are in the result, and the signature counts the clips.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.kernels import frechet
from thgeval.metric import Metric, Needs, View, of_both
from thgeval.states import Rows, TwoRows
from thgeval.states.stacked import Indices, RowMatrix

BIASED = (
    "the interval is of the score of this many clips, bias included, not of the distance between the populations that "
    "they were drawn from"
)


class Comparison(ABC):
    """How two sets of rows are compared, (rows, dimensions) each; subclasses are frozen dataclasses."""

    @property
    def least(self) -> int:
        """How many rows either side must have."""
        return 2

    @property
    def biased(self) -> bool:
        """Whether the number depends on how many rows there are."""
        return False

    @abstractmethod
    def compared(self, generated: RowMatrix, reference: RowMatrix) -> float:
        """The number for ``least`` rows or more of either side."""

    def compared_without(
        self, generated: RowMatrix, reference: RowMatrix, generated_groups: Indices, reference_groups: Indices
    ) -> Sequence[float] | NDArray[np.float64]:
        """The number without each group of rows, numbered from 0 on either side: (groups,).

        It takes as many comparisons as there are groups; those that can share work between them override it.
        """
        sides = (generated, generated_groups), (reference, reference_groups)
        return [
            self.compared(*(rows.chosen(np.flatnonzero(groups != group)) for rows, groups in sides))
            for group in np.union1d(generated_groups, reference_groups)
        ]

    def why_none(self, state: TwoRows, row: str) -> str | None:
        """Why there is no number though there are rows enough, each called ``row``; None where there is one."""
        return None

    def cautions(self, state: TwoRows, row: str) -> Iterator[str]:
        """What a reader must know of the number beside how many rows it rests on; nothing as a rule."""
        yield from ()


@dataclass(frozen=True)
class Frechet(Comparison):
    """Squared Fréchet distance of two Gaussians fitted to the rows; covariances are divided by rows - ``ddof``."""

    ddof: int = 1

    biased = True

    def compared(self, generated: RowMatrix, reference: RowMatrix) -> float:
        """The distance of all rows."""
        return frechet.distance(generated, reference, ddof=self.ddof)

    def compared_without(
        self, generated: RowMatrix, reference: RowMatrix, generated_groups: Indices, reference_groups: Indices
    ) -> Sequence[float] | NDArray[np.float64]:
        """Distances of what is left; the covariances of all rows are computed once."""
        return frechet.jackknife(
            generated,
            reference,
            generated_groups=generated_groups,
            reference_groups=reference_groups,
            ddof=self.ddof,
        )


class SetMetric(Metric[TwoRows]):
    """One number for two sets of rows; subclasses are frozen dataclasses that name the rows and their comparison.

    ``row`` is what a row stands for, in the plural; below ``enough`` of them the result says that they are few.
    """

    sets = True
    row: ClassVar[str] = "frames"
    enough: ClassVar[int] = 2048

    @property
    @abstractmethod
    def rows(self) -> Feature[NDArray[Any]]:
        """The feature that gives the rows: (rows, dimensions)."""

    @property
    @abstractmethod
    def comparison(self) -> Comparison:
        """What compares them; a field where it has parameters, a class attribute where it is always the same."""

    @property
    def least(self) -> int:
        """How many rows either side must have."""
        return self.comparison.least

    @property
    def interval_note(self) -> str:
        """That the interval holds the bias of few clips, where there is one."""
        return BIASED if self.comparison.biased else ""

    @property
    def needs(self) -> Needs:
        """The rows of both clips."""
        return of_both(self.rows)

    def measure(self, view: View) -> TwoRows:
        """The rows of one piece of a pair."""
        generated, reference = view.generated[self.rows], view.reference[self.rows]
        for frames, found in (("generated frames", generated), ("reference frames", reference)):
            _check_finite(view.clip, found, frames)
        return TwoRows.of(view.clip, generated=generated, reference=reference, start=view.start)

    def measure_alone(self, view: View) -> Rows:
        """The rows of one piece of a clip of either side."""
        found = view.generated[self.rows]
        _check_finite(view.clip, found, "its frames")
        return Rows.of(view.clip, found, start=view.start)

    def score(self, state: TwoRows) -> float:
        """All generated against all reference rows; NaN if there are too few."""
        return math.nan if state.fewest < self.least else self.comparison.compared(state.generated, state.reference)

    def scores_without(self, state: TwoRows, groups: Sequence[Collection[str]]) -> NDArray[np.float64]:
        """Scores of the clips left, from rows that are read together; NaN if any group leaves too few rows."""
        number = {clip: group for group, clips in enumerate(groups) for clip in clips}
        scored = state.only(sorted(number))
        numbers = np.array([number[clip] for clip in scored.clips])
        counts = scored.counts
        gone = [counts[numbers == group].sum(axis=0) for group in range(len(groups))]
        if (counts.sum(axis=0) - gone).min() < self.least:
            return np.full(len(groups), math.nan)
        labels = [np.repeat(numbers, counts[:, side]) for side in (0, 1)]
        return np.asarray(
            self.comparison.compared_without(scored.generated, scored.reference, *labels), dtype=np.float64
        )

    def remark(self, state: TwoRows) -> str | None:
        """Why there is no number, or that it rests on few rows."""
        count = state.fewest
        if count < self.least:
            return f"{self.name} needs at least {self.least} {self.row} on either side, not {count}"
        if (why := self.comparison.why_none(state, self.row)) is not None:
            return why
        few = f"rests on {count} {self.row} a side; below {self.enough} the value depends much on their number"
        return "; ".join([*([few] if count < self.enough else []), *self.comparison.cautions(state, self.row)]) or None


def _check_finite(clip: str, rows: NDArray[Any], frames: str) -> None:
    if not np.isfinite(rows).all():
        raise InputError(
            f"{clip}: the network gave NaN or infinity for {frames}; check their values", reason="not finite"
        )
