"""Soft dynamic time warping within a band: what it costs to bring one sequence of frames in step with another.

    R(i, j) = c(i, j) + softmin(R(i-1, j-1), R(i-1, j), R(i, j-1)),   softmin(x) = -g log sum exp(-x / g)

over frames i of one sequence and j of the other that are no more than ``band`` frames apart; R of the last two frames
is the result. Without softness (g = 0) the softmin is the least, and this is dynamic time warping; with a band of 0 it
is the sum of c(i, i): frames compared one by one.

Costs    ``earlier`` and ``later``, (frames, band + 1): c(i, i - d) and c(i - d, i) for d = 0, 1, ..., what lies before
         the first frame is never read
Frames   ``numbers``, (chosen,): those that take part, in order; neighbours among them follow each other
Order    row by row, float64, always alike
Source   Cuturi, Blondel, ICML 2017; the band is Sakoe's and Chiba's, 1978
"""

import math

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

Floats = NDArray[np.float64]


def soft_dtw(*, earlier: Floats, later: Floats, numbers: NDArray[np.int64], softness: float) -> float:
    """The cost of the softest alignment of the chosen frames; 0 for none of them."""
    return float(_cost(earlier, later, numbers, softness)) if len(numbers) else 0.0


@jit()
def _cost(earlier: Floats, later: Floats, numbers: NDArray[np.int64], softness: float) -> float:
    count, band = len(numbers), earlier.shape[1] - 1
    before, here = np.full(count + 1, math.inf), np.full(count + 1, math.inf)
    before[0] = 0.0
    for i in range(count):
        here[:] = math.inf
        for j in range(count):
            apart = numbers[i] - numbers[j]
            if abs(apart) > band:
                continue
            cost = earlier[numbers[i], apart] if apart >= 0 else later[numbers[j], -apart]
            here[j + 1] = cost + _softmin(before[j], before[j + 1], here[j], softness)
        before, here = here, before
    return float(before[count])


@jit()
def _softmin(first: float, second: float, third: float, softness: float) -> float:
    least = min(first, second, third)
    if softness == 0 or least == math.inf:
        return least
    total = (
        math.exp((least - first) / softness)
        + math.exp((least - second) / softness)
        + math.exp((least - third) / softness)
    )
    return least - softness * math.log(total)
