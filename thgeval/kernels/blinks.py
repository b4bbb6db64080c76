"""Blinks in a sequence of how far an eye is open: runs of frames below a threshold."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Blinks(NamedTuple):
    """Blinks in order of time, each (blinks,).

    ``frames`` is how many frames each one lasts; ``whole`` says whether an open eye is seen right before and right
    after, so that this is how long it lasted.
    """

    frames: NDArray[np.int64]
    whole: NDArray[np.bool_]


def blinks(openness: NDArray[np.float64], *, threshold: float, least: int) -> Blinks:
    """Blinks in the (frames,) openness of one person's eyes, NaN where there is no face.

    A blink is a run of frames below ``threshold``, at least ``least`` of them. Frames without a face between two of
    them belong to it; at its ends they leave its length unknown, as the ends of the clip do.
    """
    seen = np.flatnonzero(~np.isnan(openness))
    edges = np.diff((openness[seen] < threshold).astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    counted = last - first + 1 >= least
    first, last = first[counted], last[counted]
    before, after = np.r_[-2, seen][first], np.r_[seen, -2][last + 1]
    begins, ends = seen[first], seen[last]
    return Blinks(ends - begins + 1, (before == begins - 1) & (after == ends + 1))
