"""Loops of MS-SSIM on a graphics card: SSIM's loops on every scale, frames halved in float32 between scales."""

import numpy as np

from thgeval.kernels.cuda_target import cuda, launch, spread
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.ssim import cuda as windows
from thgeval.kernels.ssim.cpu import Constants, Taps


@cuda.jit
def _halved(frames, half):
    """Means of 2 × 2 pixels. An odd side first gets a row or column of zeros before it, which counts in the mean."""
    frame = cuda.blockIdx.y
    rows, columns, channels = half.shape[1], half.shape[2], half.shape[3]
    for at in range(cuda.grid(1), rows * columns * channels, cuda.gridsize(1)):
        i, j, channel = at // (columns * channels), at // channels % columns, at % channels
        y, x = 2 * i - frames.shape[1] % 2, 2 * j - frames.shape[2] % 2
        total = np.float32(0)
        for row in range(max(y, 0), y + 2):
            for column in range(max(x, 0), x + 2):
                total += np.float32(frames[frame, row, column, channel])
        half[frame, i, j, channel] = total * np.float32(0.25)


@cuda.jit
def _products(terms, weights, products):
    """One product of scales per plane; ``terms`` is (scales, planes)."""
    for plane in range(cuda.grid(1), products.size, cuda.gridsize(1)):
        product = 1.0
        for scale in range(terms.shape[0]):
            product *= max(terms[scale, plane], 0.0) ** weights[scale]
        products[plane] = product


@cuda.jit
def _kept(values, terms, scale):
    for plane in range(cuda.grid(1), values.size, cuda.gridsize(1)):
        terms[scale, plane] = values[plane]


def products(
    generated: DeviceArray, reference: DeviceArray, weights: tuple[float, ...], taps: Taps, constants: Constants
) -> DeviceArray:
    """MS-SSIM per frame, channels averaged: (frames,)."""
    frames, height, width = generated.shape[:3]
    channels = 1 if generated.ndim == 3 else generated.shape[3]
    sides = [side.reshape(frames, height, width, channels) for side in (generated, reference)]
    terms = generated.empty((len(weights), frames * channels), np.float64)
    blocks = (spread(frames * channels),)
    for scale in range(len(weights)):
        sides = sides if scale == 0 else [_half(side) for side in sides]
        ssim, contrast = windows.terms(sides[0], sides[1], taps, constants)
        last = scale == len(weights) - 1
        launch(_kept, blocks, (ssim if last else contrast).reshape(frames * channels), terms, scale)
    found = generated.empty((frames * channels,), np.float64)
    launch(_products, blocks, terms, tuple(map(float, weights)), found)
    return windows.channel_means(found.reshape(frames, channels))


def _half(frames: DeviceArray) -> DeviceArray:
    count, height, width, channels = frames.shape
    half = frames.empty((count, (height + 1) // 2, (width + 1) // 2, channels), np.float32)
    launch(_halved, (spread(half.size // max(1, count)), count), frames, half)
    return half
