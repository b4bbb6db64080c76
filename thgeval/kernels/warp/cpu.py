"""Warping on the processor: one plain loop over pixels for each of the three functions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

CONSISTENCY = (0.01, 0.5)
BOUNDARY = (0.01, 0.002)

_SLOPE, _OFFSET = CONSISTENCY
_EDGE_SLOPE, _EDGE_OFFSET = BOUNDARY


@jit(inline=True)
def sample(image: NDArray[Any], y: float, x: float, channel: int) -> float:
    """The value at a place inside the image, which is non-negative, so that cutting off is rounding down."""
    top, left = int(y), int(x)
    low, right = min(top + 1, image.shape[0] - 1), min(left + 1, image.shape[1] - 1)
    down, across = y - top, x - left
    above = image[top, left, channel] * (1.0 - across) + image[top, right, channel] * across
    below = image[low, left, channel] * (1.0 - across) + image[low, right, channel] * across
    return float(above * (1.0 - down) + below * down)


@jit(inline=True)
def lies_inside(image: NDArray[Any], y: float, x: float) -> bool:
    """Whether a place lies between the outermost centres of pixels."""
    return bool((y >= 0.0) & (y <= image.shape[0] - 1.0) & (x >= 0.0) & (x <= image.shape[1] - 1.0))


@jit()
def warped(frames: NDArray[Any], flow: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Frames read along a flow, and where it stays inside."""
    count, height, width, channels = frames.shape
    pixels = np.zeros((count, height, width, channels), np.float64)
    inside = np.zeros((count, height, width), np.bool_)
    for index in range(count):
        image = frames[index]
        for row in range(height):
            for column in range(width):
                x = column + np.float64(flow[index, row, column, 0])
                y = row + np.float64(flow[index, row, column, 1])
                if lies_inside(image, y, x):
                    inside[index, row, column] = True
                    for channel in range(channels):
                        pixels[index, row, column, channel] = sample(image, y, x, channel)
    return pixels, inside


@jit(inline=True)
def squared_change(flow: NDArray[Any], row: int, column: int, next_row: int, next_column: int) -> float:
    """Squared length of the difference between two vectors of a flow."""
    across = np.float64(flow[next_row, next_column, 0]) - np.float64(flow[row, column, 0])
    down = np.float64(flow[next_row, next_column, 1]) - np.float64(flow[row, column, 1])
    return float(across * across + down * down)


@jit()
def visible(forward: NDArray[Any], backward: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels that come back and do not lie on a boundary of the motion."""
    count, height, width, _ = forward.shape
    seen = np.zeros((count, height, width), np.bool_)
    for index in range(count):
        there, back = forward[index], backward[index]
        for row in range(height):
            below = min(row + 1, height - 1)
            for column in range(width):
                u, v = np.float64(there[row, column, 0]), np.float64(there[row, column, 1])
                x, y = column + u, row + v
                if not lies_inside(back, y, x):
                    continue
                length = u * u + v * v
                right = min(column + 1, width - 1)
                change = squared_change(there, row, column, row, right) + squared_change(
                    there, row, column, below, column
                )
                s, t = sample(back, y, x, 0), sample(back, y, x, 1)
                astray = (u + s) ** 2 + (v + t) ** 2
                returns = astray <= _SLOPE * (length + s * s + t * t) + _OFFSET
                seen[index, row, column] = returns & (change <= _EDGE_SLOPE * length + _EDGE_OFFSET)
    return seen


@jit()
def squared_error(
    previous: NDArray[Any], current: NDArray[Any], flow: NDArray[Any], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Sum of squared differences of each frame, and how many pixels it runs over."""
    count, height, width, channels = previous.shape
    squared, pixels = np.zeros(count, np.float64), np.zeros(count, np.int64)
    for index in range(count):
        image = current[index]
        total = 0.0
        for row in range(height):
            for column in range(width):
                if not mask[index, row, column]:
                    continue
                x = column + np.float64(flow[index, row, column, 0])
                y = row + np.float64(flow[index, row, column, 1])
                if not lies_inside(image, y, x):
                    continue
                pixels[index] += 1
                for channel in range(channels):
                    difference = sample(image, y, x, channel) - np.float64(previous[index, row, column, channel])
                    total += difference * difference
        squared[index] = total
    return squared, pixels
