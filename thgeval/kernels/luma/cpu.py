"""Loops over red, green and blue on one core. ``rgb`` is flat, three values for each of ``luma``."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

_RUN = 1024  # pixels taken apart at a time, so that the weighting runs over whole vectors


@jit()
def fixed_point(
    rgb: NDArray[np.uint8], red: int, green: int, blue: int, offset: int, bits: int, luma: NDArray[np.uint8]
) -> None:
    """Integer weights and offset in units of 2^-bits; halves go up."""
    r, g, b, shift = np.uint64(red), np.uint64(green), np.uint64(blue), np.uint64(bits)
    start = np.uint64(offset + (1 << (bits - 1)))
    reds, greens, blues = np.empty(_RUN, np.uint8), np.empty(_RUN, np.uint8), np.empty(_RUN, np.uint8)
    for first in range(0, luma.size, _RUN):
        run = luma[first : first + _RUN]
        pixels = rgb[3 * first :]
        for i in range(run.size):
            reds[i] = pixels[3 * i]
            greens[i] = pixels[3 * i + 1]
            blues[i] = pixels[3 * i + 2]
        for i in range(run.size):
            run[i] = np.uint8((r * reds[i] + g * greens[i] + b * blues[i] + start) >> shift)


def scaled(luma: NDArray[Any], factor: float) -> NDArray[np.float64]:
    """Luma times a factor."""
    return np.asarray(luma * np.float64(factor))


def uniform(luma: NDArray[Any]) -> NDArray[np.bool_]:
    """Which frames of (frames, height, width) have one value throughout: (frames,)."""
    return np.asarray(np.ptp(luma, axis=(1, 2)) == 0)


@jit()
def weighted(
    rgb: NDArray[Any], red: float, green: float, blue: float, offset: float, luma: NDArray[np.floating]
) -> None:
    """Weighted sum in float64, rounded once, to the type of ``luma``."""
    for i in range(luma.size):
        luma[i] = red * rgb[3 * i] + green * rgb[3 * i + 1] + blue * rgb[3 * i + 2] + offset
