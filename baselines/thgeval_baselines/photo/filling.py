"""Colours for what a picture doesn't show: what is round it, near before far."""

import cv2
import numpy as np
from numpy.typing import NDArray

COARSEST = 4


def spread(colours: NDArray[np.float32], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (rows, columns, 3) that come times their weights (rows, columns), spread to where weights are 0.

    Means over ever wider surroundings, coarse to fine (pull and push).
    """
    levels = [(colours, weights)]
    while min(levels[-1][1].shape) > COARSEST:
        finer = levels[-1]
        levels.append((np.asarray(cv2.pyrDown(finer[0]), np.float32), np.asarray(cv2.pyrDown(finer[1]), np.float32)))
    whole = (levels[-1][0].sum(axis=(0, 1)) / max(float(levels[-1][1].sum()), 1e-6)).reshape(1, 1, 3)
    for held, known in reversed(levels):
        rows, columns = known.shape
        coarse = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_LINEAR).reshape(rows, columns, 3)
        share = np.minimum(4 * known, 1)[..., None]
        whole = coarse + share * (held / np.maximum(known, 1e-6)[..., None] - coarse)
    return np.asarray(whole, np.float32)
