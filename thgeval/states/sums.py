"""Exactly rounded means and ratios, the same in any order of what is summed."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def mean(values: NDArray[np.float64] | Sequence[float]) -> float:
    """Exactly rounded mean, the same in any order of the values; NaN of none."""
    return math.fsum(values) / len(values) if len(values) else math.nan


def ratio(rows: NDArray[np.float64]) -> float:
    """Sum of the first column over sum of the second, both exactly rounded; NaN of nothing."""
    below = math.fsum(rows[:, 1])
    return math.fsum(rows[:, 0]) / below if below > 0 else math.nan
