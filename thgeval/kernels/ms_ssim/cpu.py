"""Loops of MS-SSIM on one core: SSIM's loops on every scale, planes halved in float32 between scales."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.kernels.ssim.cpu import Constants, Singles, Taps, plane_terms, scratch, split


@jit()
def halved(plane: Singles) -> Singles:
    """Means of 2 × 2 pixels. An odd side first gets a row or column of zeros before it, which counts in the mean."""
    height, width = plane.shape
    odd_down = height % 2
    odd_across = width % 2
    half = np.empty(((height + odd_down) // 2, (width + odd_across) // 2), np.float32)
    line = np.zeros(width + odd_across, np.float32)
    quarter = np.float32(0.25)
    for i in range(half.shape[0]):
        lower = plane[2 * i + 1 - odd_down]
        upper = plane[max(0, 2 * i - odd_down)]
        share = np.float32(0 if odd_down and i == 0 else 1)
        pixels = line[odd_across:]
        for x in range(width):
            pixels[x] = lower[x] + share * upper[x]
        for j in range(half.shape[1]):
            half[i, j] = (line[2 * j] + line[2 * j + 1]) * quarter
    return half


@jit()
def _scale_terms(
    generated: Singles,
    reference: Singles,
    taps: Taps,
    constants: Constants,
    ring: Singles,
    rows: Singles,
    terms: NDArray[np.float64],
) -> None:
    """Contrast-structure of every scale but the last, SSIM of the last, into ``terms``."""
    last = terms.shape[0] - 1
    ssim, contrast = plane_terms(generated, reference, taps, constants, ring, rows)
    if last == 0:
        terms[0] = ssim
        return
    terms[0] = contrast
    small_generated = halved(generated)
    small_reference = halved(reference)
    for scale in range(1, last):
        terms[scale] = plane_terms(small_generated, small_reference, taps, constants, ring, rows)[1]
        small_generated = halved(small_generated)
        small_reference = halved(small_reference)
    terms[last] = plane_terms(small_generated, small_reference, taps, constants, ring, rows)[0]


def products(
    generated: NDArray[Any], reference: NDArray[Any], weights: tuple[float, ...], taps: Taps, constants: Constants
) -> NDArray[np.float64]:
    """MS-SSIM per frame, channels averaged: (frames,)."""
    terms = scale_terms(generated, reference, len(weights), taps, constants)
    return np.asarray(np.prod(np.maximum(terms, 0) ** np.asarray(weights), axis=2).mean(axis=1), np.float64)


def scale_terms(
    generated: NDArray[Any], reference: NDArray[Any], scales: int, taps: Taps, constants: Constants
) -> NDArray[np.float64]:
    """The terms that MS-SSIM multiplies, before clamping and weighting: (frames, channels, scales)."""
    frames, height, width = generated.shape[:3]
    channels = 1 if generated.ndim == 3 else 3
    planes = np.empty((2, channels, height, width), np.float32)
    ring, rows = scratch(taps)
    terms = np.empty((frames, channels, scales))
    for frame in range(frames):
        split(generated[frame], planes[0])
        split(reference[frame], planes[1])
        for channel in range(channels):
            _scale_terms(planes[0, channel], planes[1, channel], taps, constants, ring, rows, terms[frame, channel])
    return terms
