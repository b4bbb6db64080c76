"""The state of two numbers of each clip, of which all clips together make a score."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from thgeval.states.state import Part, State


@dataclass(frozen=True, eq=False)
class Correlated(State):
    """Two numbers of each clip, of which a score tells how they go together: a clip alone has none."""

    per_clip: ClassVar[bool] = False
    additive: ClassVar[bool] = False

    @classmethod
    def of(cls, clip: str, first: float, second: float, *, frames: int) -> Self:
        """The two numbers of one clip, and how many frames they rest on."""
        return cls({clip: (Part(0, np.array([[first, second, frames]], np.float64)),)})

    @cached_property
    def rows(self) -> NDArray[np.float64]:
        """The two numbers of each clip: (clips, 2)."""
        return np.array([self.record(clip).array[0, :2] for clip in self.clips], np.float64).reshape(-1, 2)

    @property
    def frames(self) -> int:
        """How many frames were looked at."""
        return sum(int(self.record(clip).array[0, 2]) for clip in self.clips)

    @property
    def scored(self) -> tuple[str, ...]:
        """The clips that were measured."""
        return self.clips
