"""Splatting on the processor: one plain loop over pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit


@jit()
def splat(
    image: NDArray[Any], x: NDArray[np.float64], y: NDArray[np.float64], clamp: bool
) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.bool_]]:
    """Write each pixel where it goes; what is written, where, and which pixels leave the image."""
    height, width, channels = image.shape
    pixels = np.zeros_like(image)
    written = np.zeros((height, width), np.bool_)
    leaves = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            to_x, to_y = x[row, column], y[row, column]
            if not ((to_x >= 0.0) & (to_x <= 1.0) & (to_y >= 0.0) & (to_y <= 1.0)):
                leaves[row, column] = True
                if not clamp or not (np.isfinite(to_x) and np.isfinite(to_y)):
                    continue
            across = int(min(max(to_x * width, 0.0), width - 1.0))
            down = int(min(max(to_y * height, 0.0), height - 1.0))
            written[down, across] = True
            for channel in range(channels):
                pixels[down, across, channel] = image[row, column, channel]
    return pixels, written, leaves
