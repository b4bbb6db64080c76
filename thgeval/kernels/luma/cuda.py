"""Loops over red, green and blue on a graphics card. ``rgb`` is flat, three values for each of ``luma``."""

import numpy as np

from thgeval.kernels.cuda_target import cuda, launch, spread
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sizes


@cuda.jit
def _fixed_point(rgb, red, green, blue, start, bits, luma):
    for at in range(cuda.grid(1), luma.size, cuda.gridsize(1)):
        total = red * np.int64(rgb[3 * at]) + green * np.int64(rgb[3 * at + 1]) + blue * np.int64(rgb[3 * at + 2])
        luma[at] = (total + start) >> bits


@cuda.jit
def _weighted(rgb, red, green, blue, offset, luma):
    for at in range(cuda.grid(1), luma.size, cuda.gridsize(1)):
        r, g, b = np.float64(rgb[3 * at]), np.float64(rgb[3 * at + 1]), np.float64(rgb[3 * at + 2])
        luma[at] = red * r + green * g + blue * b + offset


@cuda.jit
def _scaled(luma, factor, found):
    for at in range(cuda.grid(1), luma.size, cuda.gridsize(1)):
        found[at] = np.float64(luma[at]) * factor


@cuda.jit
def _gaps(luma, gaps):
    frame = cuda.blockIdx.y
    for at in range(cuda.grid(1), luma.shape[1], cuda.gridsize(1)):
        gaps[frame, at] = np.float64(luma[frame, at]) - np.float64(luma[frame, 0])


@cuda.jit
def _zero(sizes, found):
    for frame in range(cuda.grid(1), found.size, cuda.gridsize(1)):
        found[frame] = sizes[frame] == 0


def scaled(luma: DeviceArray, factor: float) -> DeviceArray:
    """Luma times a factor."""
    found = luma.empty((luma.size,), np.float64)
    launch(_scaled, (spread(luma.size),), luma.reshape(luma.size), factor, found)
    return found.reshape(*luma.shape)


def uniform(luma: DeviceArray) -> DeviceArray:
    """Which frames of (frames, height, width) have one value throughout: (frames,)."""
    pixels = (len(luma), luma.shape[1] * luma.shape[2])
    gaps, found = luma.empty(pixels, np.float64), luma.empty(pixels[:1], np.bool_)
    launch(_gaps, (spread(pixels[1]), pixels[0]), luma.reshape(*pixels), gaps)
    launch(_zero, (spread(pixels[0]),), row_sizes(gaps), found)
    return found


def fixed_point(rgb: DeviceArray, red: int, green: int, blue: int, offset: int, bits: int, luma: DeviceArray) -> None:
    """Integer weights and offset in units of 2^-bits; halves go up."""
    start = offset + (1 << (bits - 1))
    weights = (np.int64(red), np.int64(green), np.int64(blue), np.int64(start), np.int64(bits))
    launch(_fixed_point, (spread(luma.size),), rgb, *weights, luma)


def weighted(rgb: DeviceArray, red: float, green: float, blue: float, offset: float, luma: DeviceArray) -> None:
    """Weighted sum in float64, rounded once, to the type of ``luma``."""
    launch(_weighted, (spread(luma.size),), rgb, red, green, blue, offset, luma)
