"""Derivative dynamic time warping: which moments of two curves belong together, by how the curves rise and fall.

    D(i, j) = |x'(i) - y'(j)| + min(D(i-1, j-1), D(i-1, j), D(i, j-1))

with x'(i) = x(i) - x(i-1), 0 at the first. The way is followed back from the end of both curves; where several steps
are as cheap, both curves go back at once, or else the first does.

Source   Keogh, Pazzani, SDM 2001, in the form of evaluate_MTM.py of kaist-ami/Perceptual-3D-Talking-Head at 530d075
Order    row by row, float64, always alike
"""

import math

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

Floats = NDArray[np.float64]


def warping_path(first: Floats, second: Floats) -> NDArray[np.int64]:
    """The moments of either curve that belong together: (steps, 2), in order."""
    slopes = (np.diff(side, prepend=side[:1]).astype(np.float64) for side in (first, second))
    return np.asarray(_way(_steps(*slopes)))


@jit()
def _steps(first: Floats, second: Floats) -> NDArray[np.int8]:
    """The cheapest step that leads to each pair of moments."""
    steps = np.zeros((len(first), len(second)), np.int8)
    before, here = np.full(len(second) + 1, math.inf), np.full(len(second) + 1, math.inf)
    before[0] = 0.0
    for i in range(len(first)):
        here[0] = math.inf
        for j in range(len(second)):
            least = min(before[j], before[j + 1], here[j])
            here[j + 1] = abs(first[i] - second[j]) + least
            steps[i, j] = 0 if before[j] == least else 1 if before[j + 1] == least else 2
        before, here = here, before
    return steps


@jit()
def _way(steps: NDArray[np.int8]) -> NDArray[np.int64]:
    """The way back through the steps, turned round."""
    i, j = steps.shape[0] - 1, steps.shape[1] - 1
    way = np.empty((i + j + 2, 2), np.int64)
    count = 0
    while i >= 0 and j >= 0:
        way[count, 0], way[count, 1] = i, j
        count += 1
        step = steps[i, j]
        i -= step != 2
        j -= step != 1
    return way[:count][::-1].copy()
