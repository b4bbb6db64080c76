"""Frames, energies and cepstra on a graphics card: a block takes one column, and transforms it in shared memory.

The transform is Cooley and Tukey's of radix 2, in place on bits reversed; all of it is float64.
"""

import math

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.cuda_target import cuda, launch, spread
from thgeval.kernels.mel.cpu import EPSILON, HOP, POINTS
from thgeval.kernels.places import DeviceArray

_STAGES = POINTS.bit_length() - 1
_HALF = POINTS // 2

Array = NDArray[np.float64]


@cuda.jit(device=True)
def _framed(sound, at, emphasis):
    """One sample of the emphasised sound; 0 after its end."""
    if at >= sound.size:
        return 0.0
    before = 0.0 if at == 0 else emphasis * np.float64(sound[at - 1])
    return np.float64(sound[at]) - before


@cuda.jit
def _energies(sound, emphasis, window, waves, weights, spans, energies):
    real = cuda.shared.array(POINTS, np.float64)
    imaginary = cuda.shared.array(POINTS, np.float64)
    column, thread, threads = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x
    for j in range(thread, POINTS, threads):
        place, bits = 0, j
        for _ in range(_STAGES):
            place, bits = place * 2 + bits % 2, bits // 2
        real[place] = _framed(sound, column * HOP + j, emphasis) * window[j] if j < window.size else 0.0
        imaginary[place] = 0.0
    cuda.syncthreads()
    span = 1
    while span < POINTS:
        for pair in range(thread, _HALF, threads):
            within = pair % span
            low = 2 * pair - within
            cosine, sine = waves[within * (_HALF // span), 0], waves[within * (_HALF // span), 1]
            a, b = real[low + span], imaginary[low + span]
            turned, other = a * cosine - b * sine, a * sine + b * cosine
            real[low + span], imaginary[low + span] = real[low] - turned, imaginary[low] - other
            real[low], imaginary[low] = real[low] + turned, imaginary[low] + other
        cuda.syncthreads()
        span *= 2
    for k in range(thread, _HALF + 1, threads):
        real[k] = (real[k] * real[k] + imaginary[k] * imaginary[k]) / POINTS
    cuda.syncthreads()
    for band in range(thread, weights.shape[0] + 1, threads):
        energy = 0.0
        for k in range(spans[band - 1, 0] if band else 0, spans[band - 1, 1] if band else _HALF + 1):
            energy += real[k] * weights[band - 1, k] if band else real[k]
        energies[column, band] = energy


@cuda.jit
def _cepstra(energies, cosines, found):
    for at in range(cuda.grid(1), found.shape[0] * found.shape[1], cuda.gridsize(1)):
        column, n = at // found.shape[1], at % found.shape[1]
        total = 0.0
        if n == 0:
            total = math.log(energies[column, 0] if energies[column, 0] != 0.0 else EPSILON)
        else:
            for band in range(cosines.shape[0]):
                energy = energies[column, 1 + band]
                total += math.log(energy if energy != 0.0 else EPSILON) * cosines[band, n]
        found[column, n] = total


@cuda.jit
def _logarithms(energies, floor, found):
    for at in range(cuda.grid(1), found.shape[0] * found.shape[1], cuda.gridsize(1)):
        column, band = at // found.shape[1], at % found.shape[1]
        found[column, band] = math.log(max(energies[column, 1 + band], floor))


@cuda.jit
def _loudness(sound, window, found):
    for at in range(cuda.grid(1), found.size, cuda.gridsize(1)):
        first = at * HOP - window // 2
        total = 0.0
        for sample in range(max(first, 0), min(first + window, sound.size)):
            total += np.float64(sound[sample]) * np.float64(sound[sample])
        found[at] = math.sqrt(total / window)


def cepstra(
    sound: DeviceArray,
    emphasis: float,
    window: Array,
    weights: Array,
    spans: NDArray[np.int64],
    cosines: Array,
    found: DeviceArray,
) -> None:
    """Fill (columns, coefficients) with cepstra, the first replaced by the logarithm of all energy."""
    energies = _of_columns(sound, emphasis, window, weights, spans, len(found))
    launch(_cepstra, (spread(found.size),), energies, sound.beside(cosines), found)


def bands(
    sound: DeviceArray, floor: float, window: Array, weights: Array, spans: NDArray[np.int64], found: DeviceArray
) -> None:
    """Fill (columns, bands) with logarithms of energies, at least ``floor``."""
    energies = _of_columns(sound, 0.0, window, weights, spans, len(found))
    launch(_logarithms, (spread(found.size),), energies, floor, found)


def loudness(sound: DeviceArray, window: int, found: DeviceArray) -> None:
    """Fill (columns,) with root mean squares of ``window`` samples around every hop."""
    launch(_loudness, (spread(found.size),), sound, window, found)


def _of_columns(
    sound: DeviceArray, emphasis: float, window: Array, weights: Array, spans: NDArray[np.int64], columns: int
) -> DeviceArray:
    """All energy of each column and then that of every band: (columns, 1 + bands)."""
    energies = sound.empty((columns, 1 + len(weights)), np.float64)
    turns = -2 * np.pi * np.arange(_HALF) / POINTS
    tables = (window, np.stack([np.cos(turns), np.sin(turns)], axis=1), weights, spans)
    launch(_energies, (columns,), sound, emphasis, *map(sound.beside, tables), energies)
    return energies
