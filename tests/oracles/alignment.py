"""Soft dynamic time warping over a whole matrix of costs, without any of our modules."""

import numpy as np
from scipy.special import logsumexp


def soft_dtw(costs: np.ndarray, band: int, softness: float) -> float:
    """R of the last frames, from (frames, frames) costs within a band."""
    count = len(costs)
    table = np.full((count + 1, count + 1), np.inf)
    table[0, 0] = 0
    for i in range(1, count + 1):
        for j in range(1, count + 1):
            if abs(i - j) <= band:
                ways = np.array([table[i - 1, j - 1], table[i - 1, j], table[i, j - 1]])
                least = ways.min() if softness == 0 else -softness * logsumexp(-ways / softness)
                table[i, j] = costs[i - 1, j - 1] + least
    return table[-1, -1]
