"""What MS-SSIM's loops hand back: how the terms of a plane change with its pixels, through every halving."""

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.kernels.ms_ssim.cpu import halved
from thgeval.kernels.ssim.adjoint import add_gradient
from thgeval.kernels.ssim.cpu import Constants, Singles, Taps


@jit()
def _add_doubled(half: Singles, plane: Singles) -> None:
    """Add to a plane what each of its pixels has in the means of 2 x 2 that `halved` makes of it."""
    height, width = plane.shape
    quarter = np.float32(0.25)
    for y in range(height):
        row = half[(y + height % 2) // 2]
        for x in range(width):
            plane[y, x] += quarter * row[(x + width % 2) // 2]


@jit()
def coarse_gradient(
    generated: Singles, reference: Singles, taps: Taps, constants: Constants, weights: NDArray[np.float32]
) -> Singles:
    """The part of a plane's gradient that comes from the scales below it, whose terms' ``weights`` these are.

    (scales,) weights, the first of which is the plane's own and counts for nothing here; all terms are
    contrast-structure but the last, which is SSIM.
    """
    gradient: Singles = np.zeros(generated.shape, np.float32)
    last = len(weights) - 1
    if last == 0:
        return gradient
    halves = [(halved(generated), halved(reference))]
    for _ in range(1, last):
        a, b = halves[-1]
        halves.append((halved(a), halved(b)))
    none = np.float32(0)
    below: Singles = np.zeros((1, 1), np.float32)
    for scale in range(last, 0, -1):
        a, b = halves[scale - 1]
        own: Singles = np.zeros(a.shape, np.float32)
        if scale < last:
            _add_doubled(below, own)
            shares = (none, weights[scale], none)
        else:
            shares = (weights[scale], none, none)
        add_gradient(a, b, taps, constants, shares, own)
        below = own
    _add_doubled(below, gradient)
    return gradient


def gradient(
    generated: Singles, reference: Singles, taps: Taps, constants: Constants, weights: Singles, absolute: float
) -> Singles:
    """The gradient of a weighted sum of a plane's terms by the generated plane: (height, width) float32.

    ``weights`` (scales,) are those of the terms that `scale_terms` gives; ``absolute`` is that of the mean absolute
    difference over the peak.
    """
    found: Singles = coarse_gradient(generated, reference, taps, constants, weights)
    of_ssim = len(weights) == 1
    own = (weights[0] if of_ssim else np.float32(0), np.float32(0) if of_ssim else weights[0], np.float32(absolute))
    add_gradient(generated, reference, taps, constants, own, found)
    return found
