"""The two gradients behind Canny edges: MATLAB's ``edge`` and scikit-image's ``canny``, with their thresholds.

A frame is (height, width), luma from 0 to 255. ``gradients`` is (3, height, width): the derivative of the smoothed
frame across the columns, the one down the rows, and their magnitude. Thresholds are on that magnitude, the weak one
first, and both are the least strength that passes.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

_SIGMA_PX = math.sqrt(2)
_REACH = math.ceil(4 * _SIGMA_PX)
NOT_EDGES = 0.7
LOW_OF_HIGH = 0.4
BINS = 64

EPSILON = float(np.finfo(np.float64).eps)

# scikit-image smooths with 1 px, cut off at 4 px, and hands its low threshold over as a 32-bit float.
_SKIMAGE_REACH = 4
SKIMAGE_WEAK = float(np.float32(0.1))
SKIMAGE_STRONG = 0.2


def _matlab_taps() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """One side of the smoothing and of the derivative filter, from the centre outwards."""
    at = np.arange(-_REACH, _REACH + 1)
    smooth = np.exp(-(at**2) / (2 * _SIGMA_PX**2))
    smooth /= smooth.sum()
    slope = np.gradient(smooth)
    slope /= slope[slope > 0].sum()
    return np.asarray(smooth[_REACH:]), np.asarray(-slope[_REACH:])


def _skimage_taps() -> NDArray[np.float64]:
    """One side of scipy.ndimage's Gaussian of 1 px, from the centre outwards."""
    weights = np.exp(-0.5 * np.arange(-_SKIMAGE_REACH, _SKIMAGE_REACH + 1) ** 2)
    weights /= weights.sum()
    return np.asarray(weights[_SKIMAGE_REACH:])


SMOOTH, SLOPE = _matlab_taps()
SKIMAGE_SMOOTH = _skimage_taps()


def matlab_gradients(frame: NDArray[Any], gradients: NDArray[Any]) -> tuple[float, float]:
    """Fill ``gradients`` (3, height, width: across, down, strength); returns the weak and the strong threshold.

    Both thresholds are the least strength that passes. Works in the type of ``frame``.
    """
    taps = SMOOTH.astype(frame.dtype), SLOPE.astype(frame.dtype)
    padded = np.empty((2, frame.shape[1] + 2 * _REACH), frame.dtype)
    columns = np.zeros(frame.shape[1], frame.dtype)
    _derivatives(frame, *taps, padded[0], padded[1], columns, gradients[0], gradients[1], gradients[2])
    strongest = float(columns.max())
    if strongest == 0:
        return math.inf, math.inf
    counts = _histogram(gradients[2], strongest, np.zeros((4, BINS), np.int64)).sum(axis=0)
    high = (1 + int(np.argmax(np.cumsum(counts) > NOT_EDGES * frame.size))) / BINS
    return _above(LOW_OF_HIGH * high * strongest, frame.dtype), _above(high * strongest, frame.dtype)


def _above(threshold: float, dtype: Any) -> float:
    """The least number of that type that is greater, which turns MATLAB's ``>`` into ``>=``."""
    return float(np.nextafter(np.asarray(threshold, dtype), np.asarray(np.inf, dtype)))


@jit(fastmath=True)
def _derivatives(
    frame: NDArray[Any],
    smooth: NDArray[Any],
    slope: NDArray[Any],
    blurred: NDArray[Any],
    sloped: NDArray[Any],
    strongest: NDArray[Any],
    across: NDArray[Any],
    down: NDArray[Any],
    strength: NDArray[Any],
) -> None:
    """Both derivatives and their magnitude, and the greatest magnitude of each column.

    Three taps at a time, because every pass over a row reads and writes all of it. ``blurred`` and ``sloped`` are room
    for a row and twice the filters' reach.
    """
    height, width = frame.shape
    reach = smooth.size - 1
    for row in range(height):
        _filter_columns(frame, row, smooth, slope, blurred, sloped)
        dx, dy, size = across[row], down[row], strength[row]
        for column in range(width):
            dx[column] = 0
            dy[column] = smooth[0] * sloped[reach:][column]
        for tap in range(1, reach + 1, 3):
            _add_odd(dx, blurred, reach, tap, slope[tap], slope[tap + 1], slope[tap + 2])
            _add_even(dy, sloped, reach, tap, smooth[tap], smooth[tap + 1], smooth[tap + 2])
        for column in range(width):
            size[column] = np.sqrt(dx[column] * dx[column] + dy[column] * dy[column])
            strongest[column] = size[column] if size[column] > strongest[column] else strongest[column]


@jit(fastmath=True)
def _add_even(target: NDArray[Any], row: NDArray[Any], reach: int, tap: int, w0: float, w1: float, w2: float) -> None:
    left0, left1, left2 = row[reach - tap :], row[reach - tap - 1 :], row[reach - tap - 2 :]
    right0, right1, right2 = row[reach + tap :], row[reach + tap + 1 :], row[reach + tap + 2 :]
    for at in range(target.size):
        target[at] += w0 * (right0[at] + left0[at]) + w1 * (right1[at] + left1[at]) + w2 * (right2[at] + left2[at])


@jit(fastmath=True)
def _add_odd(target: NDArray[Any], row: NDArray[Any], reach: int, tap: int, w0: float, w1: float, w2: float) -> None:
    left0, left1, left2 = row[reach - tap :], row[reach - tap - 1 :], row[reach - tap - 2 :]
    right0, right1, right2 = row[reach + tap :], row[reach + tap + 1 :], row[reach + tap + 2 :]
    for at in range(target.size):
        target[at] += w0 * (right0[at] - left0[at]) + w1 * (right1[at] - left1[at]) + w2 * (right2[at] - left2[at])


@jit(fastmath=True)
def _filter_columns(
    frame: NDArray[Any],
    row: int,
    smooth: NDArray[Any],
    slope: NDArray[Any],
    blurred: NDArray[Any],
    sloped: NDArray[Any],
) -> None:
    """Both filters down the columns for one row, the result padded by repeating its ends."""
    height, width = frame.shape
    reach = smooth.size - 1
    even, odd, here = blurred[reach:], sloped[reach:], frame[row]
    for column in range(width):
        even[column] = smooth[0] * here[column]
        odd[column] = 0
    for tap in range(1, reach + 1, 3):
        s0, s1, s2 = smooth[tap], smooth[tap + 1], smooth[tap + 2]
        d0, d1, d2 = slope[tap], slope[tap + 1], slope[tap + 2]
        up0, low0 = frame[max(row - tap, 0)], frame[min(row + tap, height - 1)]
        up1, low1 = frame[max(row - tap - 1, 0)], frame[min(row + tap + 1, height - 1)]
        up2, low2 = frame[max(row - tap - 2, 0)], frame[min(row + tap + 2, height - 1)]
        for at in range(width):
            even[at] += s0 * (low0[at] + up0[at]) + s1 * (low1[at] + up1[at]) + s2 * (low2[at] + up2[at])
            odd[at] += d0 * (low0[at] - up0[at]) + d1 * (low1[at] - up1[at]) + d2 * (low2[at] - up2[at])
    for at in range(reach):
        blurred[at], sloped[at] = even[0], odd[0]
        even[width + at], odd[width + at] = even[width - 1], odd[width - 1]


@jit()
def _histogram(strength: NDArray[Any], strongest: float, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts in bins centred on k / 63 of the maximum; four tables, so that no count waits for the one before."""
    bins = counts.shape[1] - 1
    scale = strength.dtype.type(bins / strongest)
    half = strength.dtype.type(0.5)
    for row in range(strength.shape[0]):
        for column in range(strength.shape[1]):
            counts[column & 3, min(int(strength[row, column] * scale + half), bins)] += 1
    return counts


def skimage_gradients(frame: NDArray[Any], gradients: NDArray[Any]) -> tuple[float, float]:
    """Fill ``gradients`` (3, height, width: across, down, strength, float64) to the bit as scikit-image 0.26 has them.

    Returns the weak and the strong threshold, both inclusive.
    """
    height, width = frame.shape
    smoothed = np.empty((height, width + 2))
    _smooth(frame, SKIMAGE_SMOOTH, smoothed)
    _sobel(smoothed, gradients[0], gradients[1], gradients[2])
    return SKIMAGE_WEAK, SKIMAGE_STRONG


@jit()
def _smooth(frame: NDArray[Any], weights: NDArray[np.float64], smoothed: NDArray[np.float64]) -> None:
    """A Gaussian over zeros outside the frame, over the same Gaussian of ones: columns first, then rows.

    The order of every sum is scipy.ndimage's, outermost pair first after the centre, because a tie between two
    neighbours decides which of them is an edge. ``smoothed`` is one pixel wider on each side, repeating its ends.
    """
    height, width = frame.shape
    reach = weights.size - 1
    sums, ones, shares = np.zeros(width + 2 * reach), np.zeros(width + 2 * reach), np.empty(width)
    for row in range(height):
        share = _smooth_columns(frame, row, weights, sums[reach : reach + width])
        if row <= reach or row >= height - reach:
            ones[reach : reach + width] = share
            _smooth_row(ones, weights, shares)
            shares += EPSILON
        target = smoothed[row, 1 : width + 1]
        _smooth_row(sums, weights, target)
        for column in range(width):
            target[column] /= shares[column]
        smoothed[row, 0], smoothed[row, width + 1] = target[0], target[width - 1]


@jit()
def _smooth_columns(frame: NDArray[Any], row: int, weights: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """One row of the frame smoothed down its columns; returns what the same sum makes of ones."""
    height, width = frame.shape
    here, share = frame[row], weights[0]
    for column in range(width):
        target[column] = here[column] * weights[0]
    for tap in range(weights.size - 1, 0, -2):
        w0, w1 = weights[tap], weights[tap - 1]
        up0, low0 = frame[max(row - tap, 0)], frame[min(row + tap, height - 1)]
        up1, low1 = frame[max(row - tap + 1, 0)], frame[min(row + tap - 1, height - 1)]
        a0, b0 = np.float64(row - tap >= 0), np.float64(row + tap < height)
        a1, b1 = np.float64(row - tap + 1 >= 0), np.float64(row + tap - 1 < height)
        share = share + (a0 + b0) * w0 + (a1 + b1) * w1
        for at in range(width):
            target[at] = target[at] + (up0[at] * a0 + low0[at] * b0) * w0 + (up1[at] * a1 + low1[at] * b1) * w1
    return float(share)


@jit()
def _smooth_row(padded: NDArray[np.float64], weights: NDArray[np.float64], target: NDArray[np.float64]) -> None:
    reach = weights.size - 1
    centre = padded[reach:]
    for at in range(target.size):
        target[at] = centre[at] * weights[0]
    for tap in range(reach, 0, -2):
        w0, w1 = weights[tap], weights[tap - 1]
        left0, right0 = padded[reach - tap :], padded[reach + tap :]
        left1, right1 = padded[reach - tap + 1 :], padded[reach + tap - 1 :]
        for at in range(target.size):
            target[at] = target[at] + (left0[at] + right0[at]) * w0 + (left1[at] + right1[at]) * w1


@jit()
def _sobel(
    smoothed: NDArray[np.float64],
    across: NDArray[np.float64],
    down: NDArray[np.float64],
    strength: NDArray[np.float64],
) -> None:
    """Unscaled Sobel derivatives of a frame padded by one column, its first and last row repeated."""
    height, width = strength.shape
    for row in range(height):
        above, here, below = smoothed[max(row - 1, 0)], smoothed[row], smoothed[min(row + 1, height - 1)]
        above_next, below_next = above[1:], below[1:]
        above_last, here_last, below_last = above[2:], here[2:], below[2:]
        dx, dy, size = across[row], down[row], strength[row]
        for column in range(width):
            x = (here_last[column] - here[column]) * 2.0 + (
                (above_last[column] - above[column]) + (below_last[column] - below[column])
            )
            y = (below_next[column] - above_next[column]) * 2.0 + (
                (below[column] - above[column]) + (below_last[column] - above_last[column])
            )
            dx[column], dy[column] = x, y
            size[column] = np.sqrt(y * y + x * x)
