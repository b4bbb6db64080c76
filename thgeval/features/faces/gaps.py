"""Gaps between frames in which a face was found."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def filled(values: NDArray[np.float64], gap: int) -> NDArray[np.float64]:
    """The same values, (frames, people, ...), with gaps of at most ``gap`` frames bridged by straight lines."""
    if not gap:
        return values
    values = values.copy()
    for person in range(values.shape[1]):
        own = values[:, person]
        there = np.flatnonzero(~np.isnan(own.reshape(len(own), -1)).any(axis=1))
        for before, after in pairwise(there):
            if 1 < after - before <= gap + 1:
                share = np.arange(1, after - before) / (after - before)
                steps = share.reshape(-1, *([1] * (own.ndim - 1)))
                own[before + 1 : after] = own[before] + steps * (own[after] - own[before])
    return values
