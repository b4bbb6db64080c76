"""Loops over red, green and blue on a graphics card. ``rgb`` is flat, three values for each of ``luma``."""

import numpy as np

from thgeval.kernels.cuda_target import BLOCK, cuda, launch
from thgeval.kernels.places import DeviceArray


@cuda.jit
def _fixed_point(rgb, red, green, blue, start, bits, luma):
    at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if at < luma.size:
        total = red * np.int64(rgb[3 * at]) + green * np.int64(rgb[3 * at + 1]) + blue * np.int64(rgb[3 * at + 2])
        luma[at] = (total + start) >> bits


@cuda.jit
def _weighted(rgb, red, green, blue, offset, luma):
    at = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if at < luma.size:
        r, g, b = np.float64(rgb[3 * at]), np.float64(rgb[3 * at + 1]), np.float64(rgb[3 * at + 2])
        luma[at] = red * r + green * g + blue * b + offset


def fixed_point(rgb: DeviceArray, red: int, green: int, blue: int, offset: int, bits: int, luma: DeviceArray) -> None:
    """Integer weights and offset in units of 2^-bits; halves go up."""
    start = offset + (1 << (bits - 1))
    weights = (np.int64(red), np.int64(green), np.int64(blue), np.int64(start), np.int64(bits))
    launch(_fixed_point, (-(-luma.size // BLOCK),), rgb, *weights, luma)


def weighted(rgb: DeviceArray, red: float, green: float, blue: float, offset: float, luma: DeviceArray) -> None:
    """Weighted sum in float64, rounded once, to the type of ``luma``."""
    launch(_weighted, (-(-luma.size // BLOCK),), rgb, red, green, blue, offset, luma)
