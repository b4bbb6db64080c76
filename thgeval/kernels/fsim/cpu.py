"""FSIM on the processor: transforms by scipy, everything in between by loops.

Luma, chroma and gradients are float64. The 17 transforms of each luma plane and the filter responses are single
precision, of luma less its mean, which the filters ignore: that moves the result by less than 1e-6 of it, as
``tests/kernels/test_fsim.py`` shows.
"""

import math
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.kernels.fsim.filters import FILTER_SCALES, ORIENTATIONS, filter_bank

_REFERENCE_SIDE_PX = 256
CONGRUENCY_T = 0.85
GRADIENT_T = 160.0
CHROMA_T = 200.0
CHROMA_POWER = 0.03
CHROMA_POWER_OF_MINUS_ONE = math.cos(math.pi * CHROMA_POWER)
EPSILON = 1e-4

# Rows are Y, I and Q, as the authors round them.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])


def similarity(
    *, generated: NDArray[Any], reference: NDArray[Any], peak: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FSIM and FSIMc of each pair; see the package for the contract."""
    frames, height, width = generated.shape[:3]
    step = pooling(height, width)
    weights = YIQ * (255.0 / peak) / step**2
    shape = (3, -(-height // step), -(-width // step))
    planes = np.empty((2, *shape))
    congruency = np.empty((2, *shape[1:]), np.float32)
    luma_only, coloured = np.empty(frames), np.empty(frames)
    for index in range(frames):
        for side, clip in enumerate((generated, reference)):
            _pooled_yiq(clip[index], weights, step, planes[side])
            _fill_congruency(planes[side, 0], congruency[side])
        luma_only[index], coloured[index] = _weighted_means(planes, congruency)
    return luma_only, coloured


def pooling(height: int, width: int) -> int:
    """The side of the squares that are averaged, in px."""
    return max(1, math.floor(min(height, width) / _REFERENCE_SIDE_PX + 0.5))


def _fill_congruency(luma: NDArray[np.float64], congruency: NDArray[np.float32]) -> None:
    """Phase congruency of one plane, in [0, 1]; 0 where nothing responds."""
    if luma.min() == luma.max():
        congruency[:] = 0
        return
    bank = filter_bank(*luma.shape)
    spectrum = scipy.fft.fft2((luma - luma.mean()).astype(np.float32), workers=1)
    responses = np.empty((FILTER_SCALES, *luma.shape), np.complex64)
    energy, amplitude = np.empty(luma.shape, np.float32), np.zeros(luma.shape, np.float32)
    smallest = np.empty(luma.shape, np.float32)
    congruency[:] = 0
    for orientation in range(ORIENTATIONS):
        _filter(spectrum, bank.weights[orientation], responses)
        found = np.asarray(scipy.fft.ifft2(responses, overwrite_x=True, workers=1), np.complex64)
        _energy(found, energy, amplitude, smallest)
        noise = bank.noise[orientation] * math.sqrt(_median(smallest))
        _add_above(energy, np.float32(noise), congruency)
    _divide(congruency, amplitude)


def _median(values: NDArray[np.float32]) -> float:
    middle = values.size // 2
    ordered = np.partition(values.ravel(), middle)
    upper = float(ordered[middle])
    return upper if values.size % 2 else (float(ordered[:middle].max()) + upper) / 2


@jit()
def _pooled_yiq(frame: NDArray[Any], weights: NDArray[np.float64], step: int, planes: NDArray[np.float64]) -> None:
    """Sums over squares of ``step`` px around every ``step``-th pixel, zeros outside, as planes of Y, I and Q."""
    height, width = frame.shape[:2]
    before = (step - 1) // 2
    for y in range(planes.shape[1]):
        top, bottom = max(y * step - before, 0), min(y * step - before + step, height)
        for x in range(planes.shape[2]):
            red = green = blue = 0.0
            left, right = max(x * step - before, 0), min(x * step - before + step, width)
            for row in range(top, bottom):
                for column in range(left, right):
                    red += frame[row, column, 0]
                    green += frame[row, column, 1]
                    blue += frame[row, column, 2]
            for plane in range(3):
                planes[plane, y, x] = weights[plane, 0] * red + weights[plane, 1] * green + weights[plane, 2] * blue


@jit()
def _filter(spectrum: NDArray[np.complex64], weights: NDArray[np.float32], responses: NDArray[np.complex64]) -> None:
    for scale in range(weights.shape[0]):
        for row in range(weights.shape[1]):
            line, weight, response = spectrum[row], weights[scale, row], responses[scale, row]
            for column in range(line.size):
                response[column] = line[column] * weight[column]


@jit(fastmath=True)
def _energy(
    responses: NDArray[np.complex64],
    energy: NDArray[np.float32],
    amplitude: NDArray[np.float32],
    smallest: NDArray[np.float32],
) -> None:
    """Energy of one orientation before noise is taken off, and the squared amplitude of the smallest scale.

    Energy is the sum over scales of what a response has along the mean phase, less what it has across it. The
    amplitudes of all scales are added to ``amplitude``.
    """
    epsilon = np.float32(EPSILON)
    for row in range(energy.shape[0]):
        r0, r1, r2, r3 = responses[0, row], responses[1, row], responses[2, row], responses[3, row]
        for at in range(energy.shape[1]):
            e0, e1, e2, e3 = r0[at].real, r1[at].real, r2[at].real, r3[at].real
            o0, o1, o2, o3 = r0[at].imag, r1[at].imag, r2[at].imag, r3[at].imag
            even, odd = e0 + e1 + e2 + e3, o0 + o1 + o2 + o3
            size = np.sqrt(even * even + odd * odd) + epsilon
            even, odd = even / size, odd / size
            across = abs(e0 * odd - o0 * even) + abs(e1 * odd - o1 * even)
            across += abs(e2 * odd - o2 * even) + abs(e3 * odd - o3 * even)
            energy[row, at] = (e0 + e1 + e2 + e3) * even + (o0 + o1 + o2 + o3) * odd - across
            first = e0 * e0 + o0 * o0
            smallest[row, at] = first
            amplitude[row, at] += (
                np.sqrt(first) + np.sqrt(e1 * e1 + o1 * o1) + np.sqrt(e2 * e2 + o2 * o2) + np.sqrt(e3 * e3 + o3 * o3)
            )


@jit()
def _add_above(energy: NDArray[np.float32], noise: np.float32, total: NDArray[np.float32]) -> None:
    for row in range(total.shape[0]):
        for column in range(total.shape[1]):
            above = energy[row, column] - noise
            total[row, column] += above if above > 0 else np.float32(0)


@jit()
def _divide(congruency: NDArray[np.float32], amplitude: NDArray[np.float32]) -> None:
    for row in range(congruency.shape[0]):
        for column in range(congruency.shape[1]):
            size = amplitude[row, column]
            congruency[row, column] = congruency[row, column] / size if size > 0 else np.float32(0)


@jit()
def _gradient(luma: NDArray[np.float64], row: int, gradient: NDArray[np.float64]) -> None:
    """Magnitude of Scharr's gradient along one row, zeros outside the plane."""
    height, width = luma.shape
    above, below = np.zeros(width + 2), np.zeros(width + 2)
    here = np.zeros(width + 2)
    here[1 : width + 1] = luma[row]
    if row > 0:
        above[1 : width + 1] = luma[row - 1]
    if row < height - 1:
        below[1 : width + 1] = luma[row + 1]
    for at in range(width):
        dx = 3 * (above[at + 2] - above[at] + below[at + 2] - below[at]) + 10 * (here[at + 2] - here[at])
        dy = 3 * (below[at] - above[at] + below[at + 2] - above[at + 2]) + 10 * (below[at + 1] - above[at + 1])
        gradient[at] = np.sqrt(dx * dx + dy * dy) / 16


@jit(inline=True)
def _alike(a: float, b: float, constant: float) -> float:
    return (2 * a * b + constant) / (a * a + b * b + constant)


@jit()
def _weighted_means(planes: NDArray[np.float64], congruency: NDArray[np.float32]) -> tuple[float, float]:
    """FSIM and FSIMc of two frames; NaN for both if the weights add up to nothing."""
    height, width = congruency.shape[1:]
    first, second = np.empty(width), np.empty(width)
    weights = luma_only = coloured = 0.0
    for row in range(height):
        _gradient(planes[0, 0], row, first)
        _gradient(planes[1, 0], row, second)
        for at in range(width):
            one, other = np.float64(congruency[0, row, at]), np.float64(congruency[1, row, at])
            weight = max(one, other)
            score = weight * _alike(one, other, CONGRUENCY_T) * _alike(first[at], second[at], GRADIENT_T)
            chroma = _alike(planes[0, 1, row, at], planes[1, 1, row, at], CHROMA_T)
            chroma *= _alike(planes[0, 2, row, at], planes[1, 2, row, at], CHROMA_T)
            factor = abs(chroma) ** CHROMA_POWER
            weights += weight
            luma_only += score
            coloured += score * (factor if chroma >= 0 else factor * CHROMA_POWER_OF_MINUS_ONE)
    if weights == 0:
        return np.nan, np.nan
    return luma_only / weights, coloured / weights
