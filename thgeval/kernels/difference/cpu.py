"""Loops over differences on one core: integers for uint8, float64 in blocks for floats."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

_BYTES = 32768  # of one block: 32768 · 255² still fits 32 bits, and narrow sums fill wide vectors
_FLOATS = 4096  # of one block: sums of block sums keep rounding far below a part in 10⁹


@jit()
def _integer_block(generated: NDArray[np.uint8], reference: NDArray[np.uint8]) -> tuple[np.int64, np.int64]:
    absolute = np.uint32(0)
    squared = np.uint32(0)
    for i in range(generated.size):
        apart = np.int16(np.int16(generated[i]) - np.int16(reference[i]))
        absolute = np.uint32(absolute + np.uint32(abs(apart)))
        squared = np.uint32(squared + np.uint32(np.int32(apart) * np.int32(apart)))
    return np.int64(absolute), np.int64(squared)


@jit()
def _wrapped_block(generated: NDArray[np.uint8], reference: NDArray[np.uint8]) -> tuple[np.int64, np.int64]:
    absolute = np.uint32(0)
    squared = np.uint32(0)
    for i in range(generated.size):
        apart = np.uint8(generated[i] - reference[i])
        absolute = np.uint32(absolute + apart)
        squared = np.uint32(squared + np.uint8(apart * apart))
    return np.int64(absolute), np.int64(squared)


@jit(fastmath=True)
def _float_block(generated: NDArray[np.floating], reference: NDArray[np.floating]) -> tuple[float, float]:
    absolute = 0.0
    squared = 0.0
    for i in range(generated.size):
        apart = np.float64(generated[i]) - np.float64(reference[i])
        absolute += abs(apart)
        squared += apart * apart
    return absolute, squared


@jit()
def _integer_sums(
    generated: NDArray[np.uint8], reference: NDArray[np.uint8], wrap: bool, sums: NDArray[np.float64]
) -> None:
    for frame in range(generated.shape[0]):
        absolute, squared = np.int64(0), np.int64(0)
        for i in range(0, generated.shape[1], _BYTES):
            some_generated = generated[frame, i : i + _BYTES]
            some_reference = reference[frame, i : i + _BYTES]
            if wrap:
                part = _wrapped_block(some_generated, some_reference)
            else:
                part = _integer_block(some_generated, some_reference)
            absolute += part[0]
            squared += part[1]
        sums[0, frame] = absolute
        sums[1, frame] = squared


@jit()
def _float_sums(generated: NDArray[np.floating], reference: NDArray[np.floating], sums: NDArray[np.float64]) -> None:
    for frame in range(generated.shape[0]):
        absolute, squared = 0.0, 0.0
        for i in range(0, generated.shape[1], _FLOATS):
            part = _float_block(generated[frame, i : i + _FLOATS], reference[frame, i : i + _FLOATS])
            absolute += part[0]
            squared += part[1]
        sums[0, frame] = absolute
        sums[1, frame] = squared


def errors(generated: NDArray[Any], reference: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of absolute and squared differences of (frames, values) arrays: two (frames,) arrays."""
    sums = np.empty((2, generated.shape[0]))
    if generated.dtype == np.uint8:
        _integer_sums(generated, reference, False, sums)
    else:
        _float_sums(generated, reference, sums)
    return sums[0], sums[1]


def wrapped(
    generated: NDArray[np.uint8], reference: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same sums in arithmetic modulo 256."""
    sums = np.empty((2, generated.shape[0]))
    _integer_sums(generated, reference, True, sums)
    return sums[0], sums[1]
