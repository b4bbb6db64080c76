"""States of things counted."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from thgeval.states.state import Part, State, ratio


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
