"""Derivative dynamic time warping over whole matrices of costs, cell by cell."""

import numpy as np


def warped(first, second):
    costs = np.abs(np.subtract.outer(np.diff(first, prepend=first[0]), np.diff(second, prepend=second[0])))
    total = np.full((len(first) + 1, len(second) + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(len(first)):
        for j in range(len(second)):
            total[i + 1, j + 1] = costs[i, j] + min(total[i, j], total[i, j + 1], total[i + 1, j])
    i, j, way = len(first), len(second), []
    while i > 0 and j > 0:
        way.append((i - 1, j - 1))
        back = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min(back, key=lambda place: total[place])
    return np.array(way[::-1])
