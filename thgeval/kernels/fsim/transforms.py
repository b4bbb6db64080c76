"""Inverse Fourier transforms of many lines at once, in lanes: any length, not divided by it.

A line is ``length`` complex numbers of eight lanes, real ones before imaginary ones: 16 float32 each in a flat array.
It is transformed in place by decimation in time, so its entries lie in ``Line.order`` before and in their own order
after. Factors of 4 come first, then one of 2, then odd ones, whose stages take pairs of entries from both ends
together. Large prime factors take as many steps as they are large.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.kernels.fsim.lanes import LANES, fill8, load8, store8

ENTRY = 2 * LANES
"""Numbers of an entry."""


class Line(NamedTuple):
    """What transforms of one length share.

    ``radices`` (stages,) are the factors, the one first applied first. ``order`` (length,) is where each place's entry
    comes from, ``waves`` (length, 2) float32 the cosine and sine of each turn.
    """

    radices: NDArray[np.int64]
    order: NDArray[np.int64]
    waves: NDArray[np.float32]


@lru_cache(maxsize=16)
def line(length: int) -> Line:
    """The factors, order and turns of a length."""
    radices = _factors(length)
    turns = 2 * np.pi * np.arange(length) / length
    waves = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    return Line(np.array(radices, np.int64), _order(radices), waves)


def _factors(length: int) -> list[int]:
    radices = []
    for radix in (4, 2, *range(3, length + 1, 2)):
        while length % radix == 0:
            radices.append(radix)
            length //= radix
    return radices


def _order(radices: list[int]) -> NDArray[np.int64]:
    order = np.zeros(1, np.int64)
    for radix in radices:
        order = np.concatenate([radix * order + first for first in range(radix)])
    return order


def lines(count: int, length: int) -> NDArray[np.float32]:
    """Room for so many lines, flat, of zeros; each entry is one line of the processor's cache."""
    room = np.zeros((count * length + 1) * ENTRY, np.float32)
    start = -room.ctypes.data % (4 * ENTRY) // 4
    return room[start : start + count * length * ENTRY]


@jit(inline=True)
def quarter(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    """The transform of four entries, given and returned as real and imaginary lanes in turn."""
    even, even_i, odd, odd_i = a + e, b + f, a - e, b - f
    more, more_i, less, less_i = c + g, d + h, c - g, d - h
    return (
        even + more,
        even_i + more_i,
        odd - less_i,
        odd_i + less,
        even - more,
        even_i - more_i,
        odd + less_i,
        odd_i - less,
    )


@jit(inline=True)
def store_quarter(values: Any, first: int, gap: int, found: Any) -> None:
    """Put what ``quarter`` returns into four entries, ``gap`` numbers apart."""
    store8(values, first, found[0])
    store8(values, first + LANES, found[1])
    store8(values, first + gap, found[2])
    store8(values, first + gap + LANES, found[3])
    store8(values, first + 2 * gap, found[4])
    store8(values, first + 2 * gap + LANES, found[5])
    store8(values, first + 3 * gap, found[6])
    store8(values, first + 3 * gap + LANES, found[7])


@jit()
def transform(values: NDArray[np.float32], start: int, line: Line, done: int, spare: NDArray[np.float32]) -> None:
    """Transform one line in place, from number ``start``, but for the first stages that are ``done``.

    ``spare`` is room for another line.
    """
    length, size = len(line.order), 1
    for stage in range(len(line.radices)):
        radix = line.radices[stage]
        step = length // (radix * size)
        if stage >= done:
            if radix == 4:
                _fours(values, start, length, size, step, line.waves)
            elif radix == 2:
                _twos(values, start, length, size, step, line.waves)
            else:
                _odds(values, start, length, size, radix, step, line.waves, spare)
        size *= radix


@jit(inline=True)
def _turned(values: Any, at: int, waves: Any, turn: int) -> Any:
    """The entry at ``at``, turned."""
    real, imaginary = load8(values, at), load8(values, at + LANES)
    cosine, sine = fill8(waves[turn, 0]), fill8(waves[turn, 1])
    return real * cosine - imaginary * sine, real * sine + imaginary * cosine


@jit()
def _fours(
    values: NDArray[np.float32], start: int, length: int, size: int, step: int, waves: NDArray[np.float32]
) -> None:
    gap = size * ENTRY
    for group in range(0, length, 4 * size):
        for k in range(size):
            p, turn = start + (group + k) * ENTRY, k * step
            b, bi = _turned(values, p + gap, waves, turn)
            c, ci = _turned(values, p + 2 * gap, waves, 2 * turn)
            d, di = _turned(values, p + 3 * gap, waves, 3 * turn)
            found = quarter(load8(values, p), load8(values, p + LANES), b, bi, c, ci, d, di)
            store_quarter(values, p, gap, found)


@jit()
def _twos(
    values: NDArray[np.float32], start: int, length: int, size: int, step: int, waves: NDArray[np.float32]
) -> None:
    gap = size * ENTRY
    for group in range(0, length, 2 * size):
        for k in range(size):
            p = start + (group + k) * ENTRY
            a, ai = load8(values, p), load8(values, p + LANES)
            b, bi = _turned(values, p + gap, waves, k * step)
            store8(values, p, a + b)
            store8(values, p + LANES, ai + bi)
            store8(values, p + gap, a - b)
            store8(values, p + gap + LANES, ai - bi)


@jit()
def _odds(
    values: NDArray[np.float32],
    start: int,
    length: int,
    size: int,
    radix: int,
    step: int,
    waves: NDArray[np.float32],
    spare: NDArray[np.float32],
) -> None:
    """A stage of an odd factor: sums and differences of entries from both ends go to ``spare`` first."""
    gap, half, turn = size * ENTRY, radix // 2, length // radix
    for group in range(0, length, radix * size):
        for k in range(size):
            p = start + (group + k) * ENTRY
            first, first_i = load8(values, p), load8(values, p + LANES)
            whole, whole_i = first, first_i
            for q in range(1, half + 1):
                near, far = p + q * gap, p + (radix - q) * gap
                a, ai = _turned(values, near, waves, q * k * step)
                b, bi = _turned(values, far, waves, (radix - q) * k * step)
                whole, whole_i = whole + (a + b), whole_i + (ai + bi)
                at = (2 * q - 2) * ENTRY
                store8(spare, at, a + b)
                store8(spare, at + LANES, ai + bi)
                store8(spare, at + ENTRY, a - b)
                store8(spare, at + ENTRY + LANES, ai - bi)
            store8(values, p, whole)
            store8(values, p + LANES, whole_i)
            for j in range(1, half + 1):
                even, even_i = first, first_i
                odd = odd_i = fill8(np.float32(0))
                for q in range(1, half + 1):
                    at = (2 * q - 2) * ENTRY
                    wave = j * q % radix * turn
                    cosine, sine = fill8(waves[wave, 0]), fill8(waves[wave, 1])
                    even, even_i = (
                        even + load8(spare, at) * cosine,
                        even_i + load8(spare, at + LANES) * cosine,
                    )
                    odd, odd_i = (
                        odd + load8(spare, at + ENTRY) * sine,
                        odd_i + load8(spare, at + ENTRY + LANES) * sine,
                    )
                near, far = p + j * gap, p + (radix - j) * gap
                store8(values, near, even - odd_i)
                store8(values, near + LANES, even_i + odd)
                store8(values, far, even + odd_i)
                store8(values, far + LANES, even_i - odd)
