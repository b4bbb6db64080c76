"""Frames, energies and cepstra on one core, a block of columns at a time so that it stays in the cache."""

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from thgeval.jit import jit

BLOCK, HOP, POINTS = 128, 160, 512
EPSILON = 2.0**-52

Array = NDArray[np.float64]


@jit()
def _frame(sound: Array, first: int, emphasis: float, window: Array, frames: Array) -> None:
    """Windows of the emphasised sound, from column ``first`` on; zeros after its end."""
    for i in range(frames.shape[0]):
        start = (first + i) * HOP
        for j in range(window.size):
            at = start + j
            if at >= sound.size:
                frames[i, j] = 0.0
            elif at == 0:
                frames[i, j] = sound[0] * window[j]
            else:
                frames[i, j] = (sound[at] - emphasis * sound[at - 1]) * window[j]


@jit(fastmath=True)
def _energies(spectra: Array, weights: Array, spans: NDArray[np.int64], power: Array, found: Array) -> None:
    """From interleaved spectra (columns, 2 bins), all energy and then that of every band: (columns, 1 + bands)."""
    for i in range(spectra.shape[0]):
        total = 0.0
        for k in range(power.size):
            power[k] = (spectra[i, 2 * k] ** 2 + spectra[i, 2 * k + 1] ** 2) / POINTS
            total += power[k]
        found[i, 0] = total
        for band in range(weights.shape[0]):
            energy = 0.0
            for k in range(spans[band, 0], spans[band, 1]):
                energy += power[k] * weights[band, k]
            found[i, 1 + band] = energy


@jit(fastmath=True)
def _cepstra(energies: Array, cosines: Array, found: Array) -> None:
    for i in range(found.shape[0]):
        for n in range(found.shape[1]):
            found[i, n] = 0.0
        for band in range(cosines.shape[0]):
            energy = energies[i, 1 + band]
            logarithm = np.log(energy if energy != 0.0 else EPSILON)
            for n in range(found.shape[1]):
                found[i, n] += logarithm * cosines[band, n]
        total = energies[i, 0]
        found[i, 0] = np.log(total if total != 0.0 else EPSILON)


@jit()
def _logarithms(energies: Array, floor: float, found: Array) -> None:
    for i in range(found.shape[0]):
        for band in range(found.shape[1]):
            found[i, band] = np.log(max(energies[i, 1 + band], floor))


class _Blocks:
    """Energies of one block of columns after another, in memory that is used again."""

    def __init__(self, sound: Array, emphasis: float, window: Array, weights: Array, spans: NDArray[np.int64]) -> None:
        self._sound, self._emphasis, self._window = sound, emphasis, window
        self._weights, self._spans = weights, spans
        self._frames = np.zeros((BLOCK, POINTS))
        self._power = np.empty(weights.shape[1])
        self._energies = np.empty((BLOCK, 1 + len(weights)))

    def energies(self, first: int, count: int) -> Array:
        frames, found = self._frames[:count], self._energies[:count]
        _frame(self._sound, first, self._emphasis, self._window, frames)
        spectra = rfft(frames, axis=1).view(np.float64)
        _energies(spectra, self._weights, self._spans, self._power, found)
        return found


def cepstra(
    sound: Array,
    emphasis: float,
    window: Array,
    weights: Array,
    spans: NDArray[np.int64],
    cosines: Array,
    found: Array,
) -> None:
    """Fill (columns, coefficients) with cepstra, the first replaced by the logarithm of all energy."""
    blocks = _Blocks(sound, emphasis, window, weights, spans)
    for first in range(0, len(found), BLOCK):
        part = found[first : first + BLOCK]
        _cepstra(blocks.energies(first, len(part)), cosines, part)


def bands(sound: Array, floor: float, window: Array, weights: Array, spans: NDArray[np.int64], found: Array) -> None:
    """Fill (columns, bands) with logarithms of energies, at least ``floor``."""
    blocks = _Blocks(sound, 0.0, window, weights, spans)
    for first in range(0, len(found), BLOCK):
        part = found[first : first + BLOCK]
        _logarithms(blocks.energies(first, len(part)), floor, part)


def loudness(sound: Array, window: int, found: Array) -> None:
    """Fill (columns,) with root mean squares of ``window`` samples around every hop."""
    before = window // 2
    padded = np.pad(sound, (before, window - before))
    around = np.lib.stride_tricks.sliding_window_view(padded, window)[::HOP]
    found[:] = np.sqrt(np.einsum("ij,ij->i", around, around) / window)
