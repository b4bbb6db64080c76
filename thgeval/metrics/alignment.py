"""Frames compared in step: of a metric of frames, its form that allows the generated clip to be early or late by some.

What a frame-by-frame metric compares, the same frames of both clips, is the rigid case. With a ``band`` each frame may
answer to frames up to so many before and after, in order, at the least cost (soft dynamic time warping,
``thgeval.kernels.alignment``); what a clip costs against itself is taken off, half of either side's, so that a copy
costs nothing (the divergence of Blondel, Mensch, Vert, AISTATS 2021). The result is divided by the number of frames.

Costs of a piece are (frames, 1 + 4 band): of each frame against the other clip's same frame; its frame against the
other's so many before; the other's against its own so many before; and of either clip against itself so many before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.alignment import soft_dtw
from thgeval.parameter import Held, parameter
from thgeval.states import ClipMean, PooledMean, mean

Array = NDArray[np.float64]
LARGEST_BAND = 50


@dataclass(frozen=True)
class TimeAlignment(Held):
    """How far frames may be out of step, and how softly the least cost is taken."""

    band: int = parameter(
        0,
        "how many frames a frame may be early or late by, where clips are brought in step; 0: frame by frame",
        least=0,
        most=LARGEST_BAND,
        later=True,
    )
    softness: float = parameter(
        0.0, "of the least cost, in its unit; 0 for the very least (only with a band)", least=0, later=True
    )

    @property
    def rigid(self) -> bool:
        """Whether frames are compared one by one."""
        return self.band == 0

    def costs(self, generated: Any, reference: Any, compared: Callable[[Any, Any], Array]) -> Array:
        """Costs of a whole clip from what is held of its frames, in slices: (frames, 1 + 4 band)."""

        def back(later: Any, earlier: Any, by: int) -> Array:
            found = np.full(len(later), np.nan)
            if len(later) > by:
                found[by:] = compared(later[by:], earlier[: len(earlier) - by])
            return found

        steps = range(1, self.band + 1)
        columns = [compared(generated, reference)]
        columns += [back(generated, reference, by) for by in steps]
        columns += [back(reference, generated, by) for by in steps]
        columns += [back(generated, generated, by) for by in steps]
        columns += [back(reference, reference, by) for by in steps]
        return np.stack(columns, axis=1)

    def divergence(self, costs: Array) -> float:
        """What it costs to bring a clip in step, a frame, over those that are seen on both sides."""
        numbers = np.flatnonzero(~np.isnan(costs[:, 0]))
        first, ours_back, theirs_back, ours, theirs = np.split(
            costs, [1, *(1 + self.band * np.arange(1, 4)).tolist()], axis=1
        )
        same = np.zeros_like(first)
        tables = (
            (np.hstack([first, ours_back]), np.hstack([first, theirs_back])),
            (np.hstack([same, ours]),) * 2,
            (np.hstack([same, theirs]),) * 2,
        )
        cross, own, others = (
            soft_dtw(earlier=earlier, later=later, numbers=numbers, softness=self.softness) for earlier, later in tables
        )
        return (cross - own / 2 - others / 2) / len(numbers)

    def check(self, *, average: str) -> None:
        """Refuse averages over frames of clips that are brought in step: ProtocolError."""
        if not self.rigid and average not in ("clips", "clip"):
            raise ProtocolError("clips that are brought in step have a number each, and no average over all frames")
        if self.rigid and self.softness:
            raise ProtocolError("softness is of clips that are brought in step; give a band too")

    def value(self, state: ClipMean | PooledMean) -> float:
        """What a state stands for: of frames compared one by one the state's own, else the mean over clips."""
        if self.rigid:
            return state.value
        return mean([self._of_clip(state.record(clip).array) for clip in state.scored])

    def _of_clip(self, array: Array) -> float:
        """Of (frames, 1 + 4 band), or of (frames,) compared one by one."""
        return self.divergence(array) if array.ndim == 2 else mean(array[~np.isnan(array)])
