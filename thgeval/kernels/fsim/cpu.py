"""FSIM on the processor: both sides and all scales at once, in the lanes of ``thgeval.kernels.fsim.lanes``.

Luma, chroma and gradients are float64. The transform of each luma plane, the inverse ones of the filters' responses and
the energies are single precision, of luma less its mean, which the filters ignore: that moves the result by less than
1e-6 of it, as ``tests/kernels/test_fsim.py`` shows.

Orientations follow one another, so that what is filtered stays near the processor: 4 MB for 256 x 256 px. Responses
are transformed down each column of the spectrum, then along each row of what comes out, and energies while that row is
at hand.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.kernels.fsim.filters import ORIENTATIONS, filter_bank
from thgeval.kernels.fsim.lanes import (
    LANES,
    any_within,
    exchanged,
    fill8,
    for_all_scales,
    larger,
    load8,
    load_sides,
    load_twice,
    magnitude,
    of_sides,
    scale_sums,
    smallest_scales,
    square_root,
    store8,
    store_sides,
)
from thgeval.kernels.fsim.transforms import ENTRY, Line, line, lines, quarter, store_quarter, transform

_REFERENCE_SIDE_PX = 256
CONGRUENCY_T = 0.85
GRADIENT_T = 160.0
CHROMA_T = 200.0
CHROMA_POWER = 0.03
CHROMA_POWER_OF_MINUS_ONE = math.cos(math.pi * CHROMA_POWER)
EPSILON = 1e-4

# Rows are Y, I and Q, as the authors round them.
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])

_NEAR_ONE, _DEGREE = 0.25, 22
_LEAST_AMPLITUDE = 1e-37
_MOST_ENERGY = 1e24  # of both sides' luma, far above that of any frames: single precision holds what comes of it
_BIN_SHIFT = 19  # leaves a number's exponent and the first four bits of its fraction
_BINS = 1 << (31 - _BIN_SHIFT)  # without the sign


def similarity(
    *, generated: NDArray[Any], reference: NDArray[Any], peak: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FSIM and FSIMc of each pair; see the package for the contract."""
    frames, height, width = generated.shape[:3]
    step = pooling(height, width)
    weights = YIQ * (255.0 / peak) / step**2
    shape = (-(-height // step), -(-width // step))
    room = _room(*shape)
    planes = np.zeros((2, 3, shape[0] + 2, shape[1] + 2))
    near_one = _power_near_one()
    luma_only, coloured = np.empty(frames), np.empty(frames)
    for index in range(frames):
        for side, clip in enumerate((generated, reference)):
            _pooled_yiq(np.ascontiguousarray(clip[index]).reshape(height, -1), weights, step, planes[side])
        if not np.vdot(planes[:, 0], planes[:, 0]) < _MOST_ENERGY:  # as well where it is NaN
            luma_only[index] = coloured[index] = math.nan
            continue
        _fill_congruency(planes[:, 0, 1:-1, 1:-1], room)
        luma_only[index], coloured[index] = _weighted_means(planes, room.congruency, near_one)
    return luma_only, coloured


def pooling(height: int, width: int) -> int:
    """The side of the squares that are averaged, in px."""
    return max(1, math.floor(min(height, width) / _REFERENCE_SIDE_PX + 0.5))


@dataclass(frozen=True, eq=False)
class _Plan:
    """What frames of one size share.

    ``filters`` are (orientations, width, height, scales) float32, flat but for the first axis, in the orders of both
    lines; ``noise`` is that of ``filter_bank``.
    """

    filters: NDArray[np.float32]
    noise: tuple[float, ...]
    down: Line
    along: Line


@lru_cache(maxsize=4)
def _plan(height: int, width: int) -> _Plan:
    bank, down, along = filter_bank(height, width), line(height), line(width)
    ordered = bank.weights[:, :, down.order[:, None], along.order].transpose(0, 3, 2, 1)
    return _Plan(ordered.reshape(ORIENTATIONS, -1), bank.noise, down, along)


@jit(inline=True)
def _up(count: int, step: int) -> int:
    """The next multiple."""
    return (count + step - 1) // step * step


class _Room(NamedTuple):
    """Memory for what is computed of a pair of frames, used again for the next.

    Planes are (sides, height, stride), flat, where ``stride`` is the width, up to the next multiple of 4, or of 8 for
    ``centred``, which is one side's. ``halves`` are lines whose columns are transformed, and ``columns`` four columns
    before that.
    """

    centred: NDArray[np.float32]
    columns: NDArray[np.float32]
    halves: NDArray[np.float32]
    spare: NDArray[np.float32]
    spectrum: NDArray[np.float32]
    energy: NDArray[np.float32]
    smallest: NDArray[np.float32]
    amplitude: NDArray[np.float32]
    congruency: NDArray[np.float32]
    middle: NDArray[np.float32]

    @classmethod
    def of(cls, height: int, width: int) -> "_Room":
        stride, longer = _up(width, 4), max(height, width)
        plane = 2 * height * stride
        return cls(
            centred=np.zeros(height * _up(width, LANES), np.float32),
            columns=lines(4, longer + 1),
            halves=lines(height + LANES, _up(width, LANES) + 1),
            spare=lines(1, longer),
            spectrum=np.empty(_up(height, LANES) * width * 4, np.float32),
            energy=np.zeros((ORIENTATIONS, plane), np.float32),
            smallest=np.zeros(plane + LANES, np.float32),
            amplitude=np.zeros(plane, np.float32),
            congruency=np.zeros(plane, np.float32),
            middle=np.empty(height * width + 1, np.float32),
        )


_kept = local()


def _room(height: int, width: int) -> _Room:
    """This thread's memory for frames of that size: the first touch of fresh memory costs more than a write to it."""
    if getattr(_kept, "size", None) != (height, width):
        _kept.size, _kept.room = (height, width), _Room.of(height, width)
    room: _Room = _kept.room
    return room


def _fill_congruency(luma: NDArray[np.float64], room: _Room) -> None:
    """Phase congruency of either side's plane, in [0, 1]; 0 where nothing responds."""
    height, width = luma.shape[1:]
    plan = _plan(height, width)
    for side in range(2):
        _fill_spectrum(luma[side], side, plan.down, plan.along, *room[:5])
    thresholds = np.empty((ORIENTATIONS, 2), np.float32)
    room.amplitude[:] = 0
    for orientation, filters in enumerate(plan.filters):
        _filter(room.spectrum, filters, plan.down, width, room.columns, room.halves, room.spare)
        energy = room.energy[orientation]
        _fill_energies(plan.along, height, room.halves, room.spare, energy, room.smallest, room.amplitude)
        for side, plane in enumerate(room.smallest[: energy.size].reshape(2, -1)):
            median = _median(plane, height, width, room.middle)
            thresholds[orientation, side] = plan.noise[orientation] * math.sqrt(median)
    _divide(room.energy, thresholds, room.amplitude, room.congruency)
    for side, plane in enumerate(room.congruency.reshape(2, -1)):
        if _is_flat(luma[side]):
            plane[:] = 0


@lru_cache(maxsize=1)
def _power_near_one() -> NDArray[np.float64]:
    """(x ** 0.03 - 1) / (x - 1) from ``_NEAR_ONE`` to 1: a polynomial, to 1e-13, of x on a scale from -1 to 1.

    (degree + 2,): the first coefficient, how many of that scale's units one of x is, and the other coefficients.
    """

    def rise(x: NDArray[np.float64]) -> NDArray[np.float64]:
        slope: NDArray[np.float64] = np.expm1(CHROMA_POWER * np.log(x)) / (x - 1)
        return slope

    found = np.polynomial.Chebyshev.interpolate(rise, _DEGREE, domain=[_NEAR_ONE, 1])
    falling = np.polynomial.chebyshev.cheb2poly(found.coef)[::-1]
    return np.insert(falling, 1, 2 / (1 - _NEAR_ONE))


def _median(plane: NDArray[np.float32], height: int, width: int, middle: NDArray[np.float32]) -> float:
    """The median of a plane's numbers, which are not negative."""
    kept, below = _keep_middle(plane, plane.view(np.uint32), height, width, middle)
    lower, upper = (height * width - 1) // 2 - below, height * width // 2 - below
    ordered = np.partition(middle[:kept], (lower, upper))
    return (float(ordered[lower]) + float(ordered[upper])) / 2


@jit()
def _pooled_yiq(frame: NDArray[Any], weights: NDArray[np.float64], step: int, planes: NDArray[np.float64]) -> None:
    """Sums over squares of ``step`` px around every ``step``-th pixel, zeros outside, as planes of Y, I and Q.

    A row of ``frame`` is red, green and blue of each pixel in turn. ``planes`` have a border of one pixel, which stays
    as it is.
    """
    height, width = frame.shape[0], frame.shape[1] // 3
    before = (step - 1) // 2
    sums = np.empty(3 * width)
    for y in range(planes.shape[1] - 2):
        top, bottom = max(y * step - before, 0), min(y * step - before + step, height)
        for at in range(sums.size):
            sums[at] = frame[top, at]
        for row in range(top + 1, bottom):
            for at in range(sums.size):
                sums[at] += frame[row, at]
        if step > 1:
            _pool_along(sums, step, before, planes.shape[2] - 2)
        for plane in range(3):
            red, green, blue = weights[plane, 0], weights[plane, 1], weights[plane, 2]
            mixed = planes[plane, y + 1]
            for x in range(planes.shape[2] - 2):
                mixed[x + 1] = red * sums[3 * x] + green * sums[3 * x + 1] + blue * sums[3 * x + 2]


@jit()
def _pool_along(sums: NDArray[np.float64], step: int, before: int, count: int) -> None:
    """Sums over ``step`` neighbours, in place, as the first ``count`` pixels."""
    for x in range(count):
        left, right = max(x * step - before, 0), min(x * step - before + step, sums.size // 3)
        for colour in range(3):
            total = sums[3 * left + colour]
            for column in range(left + 1, right):
                total += sums[3 * column + colour]
            sums[3 * x + colour] = total


@jit()
def _fill_spectrum(
    luma: NDArray[np.float64],
    side: int,
    down: Line,
    along: Line,
    centred: NDArray[np.float32],
    columns: NDArray[np.float32],
    halves: NDArray[np.float32],
    spare: NDArray[np.float32],
    spectrum: NDArray[np.float32],
) -> None:
    """The transform of one side's plane less its mean, divided by its size, into ``spectrum``.

    That is (width, height / 8, sides, 2, 8), flat, in the orders of both lines: eight real parts, then eight imaginary
    ones. Lanes are neighbouring columns first, then frequencies that are neighbours in their order. The inverse
    transform of real numbers is the conjugate of their transform.
    """
    height, width = luma.shape
    stride = _up(width, LANES)
    nothing, scale, mean = fill8(np.float32(0)), 1 / (height * width), 0.0
    for y in range(height):
        mean += _sum(luma[y]) * scale
    for y in range(height):
        _centre(luma[y], mean, scale, centred[y * stride :])
    for first in range(0, width, LANES):
        for place in range(height):
            store8(columns, place * ENTRY, load8(centred, down.order[place] * stride + first))
            store8(columns, place * ENTRY + LANES, nothing)
        transform(columns, 0, down, 0, spare)
        for place in range(0, height, LANES):
            at = (place // LANES * stride + first) * ENTRY
            for part in range(0, ENTRY, LANES):
                _store_turned(columns, down.order, place, part, halves, at + part)
    for first in range(0, height, LANES):
        for place in range(width):
            at = (first // LANES * stride + along.order[place]) * ENTRY
            store8(columns, place * ENTRY, load8(halves, at))
            store8(columns, place * ENTRY + LANES, load8(halves, at + LANES))
        transform(columns, 0, along, 0, spare)
        for place in range(width):
            at = (place * _up(height, LANES) + first) * 4 + side * ENTRY
            found = along.order[place] * ENTRY
            store8(spectrum, at, load8(columns, found))
            store8(spectrum, at + LANES, nothing - load8(columns, found + LANES))


@jit()
def _centre(row: NDArray[np.float64], mean: float, scale: float, centred: NDArray[np.float32]) -> None:
    for x in range(row.size):
        centred[x] = (row[x] - mean) * scale


@jit(inline=True)
def _store_turned(values: Any, order: Any, place: int, part: int, turned: Any, at: int) -> None:
    """Eight entries' lanes, in the given order, as the lanes of eight entries; the last entry stands for any beyond."""
    last = len(order) - 1
    rows = exchanged(
        load8(values, order[place] * ENTRY + part),
        load8(values, order[min(place + 1, last)] * ENTRY + part),
        load8(values, order[min(place + 2, last)] * ENTRY + part),
        load8(values, order[min(place + 3, last)] * ENTRY + part),
        load8(values, order[min(place + 4, last)] * ENTRY + part),
        load8(values, order[min(place + 5, last)] * ENTRY + part),
        load8(values, order[min(place + 6, last)] * ENTRY + part),
        load8(values, order[min(place + 7, last)] * ENTRY + part),
    )
    store8(turned, at, rows[0])
    store8(turned, at + ENTRY, rows[1])
    store8(turned, at + 2 * ENTRY, rows[2])
    store8(turned, at + 3 * ENTRY, rows[3])
    store8(turned, at + 4 * ENTRY, rows[4])
    store8(turned, at + 5 * ENTRY, rows[5])
    store8(turned, at + 6 * ENTRY, rows[6])
    store8(turned, at + 7 * ENTRY, rows[7])


@jit()
def _is_flat(plane: NDArray[np.float64]) -> bool:
    for row in range(plane.shape[0]):
        for column in range(plane.shape[1]):
            if plane[row, column] != plane[0, 0]:
                return False
    return True


@jit(fastmath=True)
def _sum(values: NDArray[np.float64]) -> float:
    total = 0.0
    for at in range(values.size):
        total += values[at]
    return total


@jit()
def _filter(
    spectrum: NDArray[np.float32],
    filters: NDArray[np.float32],
    down: Line,
    width: int,
    columns: NDArray[np.float32],
    halves: NDArray[np.float32],
    spare: NDArray[np.float32],
) -> None:
    """The spectrum times the filters of one orientation, transformed down its columns.

    Four columns that the first stage along the rows takes together are at hand together, so that stage is done too.
    """
    height = len(down.order)
    together = 4 if width % 4 == 0 else 1
    column, row = (height + 1) * ENTRY, (_up(width, LANES) + 1) * ENTRY
    for place in range(0, width, together):
        for one in range(together):
            done = _weigh(spectrum, filters, place + one, height, columns, one * column)
            transform(columns, one * column, down, done, spare)
        for y in range(height):
            at, to = y * ENTRY, y * row + place * ENTRY
            if together == 4:
                _store_quarter_of(columns, at, column, halves, to)
            else:
                store8(halves, to, load8(columns, at))
                store8(halves, to + 8, load8(columns, at + 8))


@jit(inline=True)
def _store_quarter_of(values: Any, first: int, gap: int, found: Any, to: int) -> None:
    """Transform four entries ``gap`` apart into four beside one another."""
    second, third, fourth = first + gap, first + 2 * gap, first + 3 * gap
    transformed = quarter(
        load8(values, first),
        load8(values, first + 8),
        load8(values, second),
        load8(values, second + 8),
        load8(values, third),
        load8(values, third + 8),
        load8(values, fourth),
        load8(values, fourth + 8),
    )
    store_quarter(found, to, ENTRY, transformed)


@jit()
def _weigh(
    spectrum: NDArray[np.float32],
    filters: NDArray[np.float32],
    x: int,
    height: int,
    column: NDArray[np.float32],
    start: int,
) -> int:
    """One column times its filters, and how many stages of its transform are done by the way."""
    first, weights = x * _up(height, LANES) * 4, x * height * 4
    if height % 4:
        for y in range(height):
            a, ai = _weighed(spectrum, first, filters, weights, y)
            store8(column, start + y * ENTRY, a)
            store8(column, start + y * ENTRY + LANES, ai)
        return 0
    for y in range(0, height, 4):
        a, ai = _weighed(spectrum, first, filters, weights, y)
        b, bi = _weighed(spectrum, first, filters, weights, y + 1)
        c, ci = _weighed(spectrum, first, filters, weights, y + 2)
        d, di = _weighed(spectrum, first, filters, weights, y + 3)
        store_quarter(column, start + y * ENTRY, ENTRY, quarter(a, ai, b, bi, c, ci, d, di))
    return 1


@jit(inline=True)
def _weighed(spectrum: Any, first: int, filters: Any, weights: int, y: int) -> Any:
    at, weight = first + y // LANES * LANES * 4 + y % LANES, load_twice(filters, weights + 4 * y)
    real = of_sides(spectrum[at], spectrum[at + ENTRY])
    imaginary = of_sides(spectrum[at + LANES], spectrum[at + ENTRY + LANES])
    return real * weight, imaginary * weight


@jit()
def _fill_energies(
    along: Line,
    height: int,
    halves: NDArray[np.float32],
    spare: NDArray[np.float32],
    energy: NDArray[np.float32],
    smallest: NDArray[np.float32],
    amplitude: NDArray[np.float32],
) -> None:
    """Energies before noise is taken off, and squared amplitudes of the smallest scale, of one orientation.

    Energy is the sum over scales of what a response has along the mean phase, less what it has across it. The
    amplitudes of all scales are added to ``amplitude``.
    """
    width = len(along.order)
    stride = _up(width, 4)
    plane, row = height * stride, (_up(width, LANES) + 1) * ENTRY
    done = 1 if width % 4 == 0 else 0
    one, epsilon = fill8(np.float32(1)), fill8(np.float32(EPSILON))
    for y in range(height):
        transform(halves, y * row, along, done, spare)
        for x in range(0, width, 4):
            p, at = y * row + x * ENTRY, y * stride + x
            e0, o0, e1, o1 = (
                load8(halves, p),
                load8(halves, p + 8),
                load8(halves, p + 16),
                load8(halves, p + 24),
            )
            e2, o2, e3, o3 = (
                load8(halves, p + 32),
                load8(halves, p + 40),
                load8(halves, p + 48),
                load8(halves, p + 56),
            )
            even, odd = scale_sums(e0, e1, e2, e3), scale_sums(o0, o1, o2, o3)
            share = one / (square_root(even * even + odd * odd) + epsilon)
            phase, phase_i = even * share, odd * share
            a0, a1, a2, a3 = for_all_scales(phase)
            i0, i1, i2, i3 = for_all_scales(phase_i)
            across = scale_sums(
                magnitude(e0 * i0 - o0 * a0),
                magnitude(e1 * i1 - o1 * a1),
                magnitude(e2 * i2 - o2 * a2),
                magnitude(e3 * i3 - o3 * a3),
            )
            s0, s1, s2, s3 = e0 * e0 + o0 * o0, e1 * e1 + o1 * o1, e2 * e2 + o2 * o2, e3 * e3 + o3 * o3
            sizes = scale_sums(square_root(s0), square_root(s1), square_root(s2), square_root(s3))
            store_sides(energy, at, plane, even * phase + odd * phase_i - across)
            store_sides(smallest, at, plane, smallest_scales(s0, s1, s2, s3))
            store_sides(amplitude, at, plane, load_sides(amplitude, at, plane) + sizes)


@jit()
def _keep_middle(
    values: NDArray[np.float32], bits: NDArray[np.uint32], height: int, width: int, middle: NDArray[np.float32]
) -> tuple[int, int]:
    """Keep the numbers that share a bin with the median; how many those are, and how many are smaller.

    The order of numbers that are not negative is that of their bits, the first of which name a bin. Neighbours are
    counted apart, as counting one waits for the last that was alike.
    """
    counts, stride = np.zeros((4, _BINS), np.int32), _up(width, 4)
    for y in range(height):
        for x in range(width):
            counts[x & 3, bits[y * stride + x] >> np.uint32(_BIN_SHIFT)] += 1
    lower, below = _bin(counts, (height * width - 1) // 2)
    upper, _ = _bin(counts, height * width // 2)
    bounds = np.array([lower << _BIN_SHIFT, (upper + 1) << _BIN_SHIFT], np.uint32).view(np.float32)
    least, beyond, kept = fill8(bounds[0]), fill8(bounds[1]), 0
    for y in range(height):
        for x in range(0, width, LANES):
            at = y * stride + x
            if any_within(load8(values, at), least, beyond):
                for lane in range(at, min(at + LANES, y * stride + width)):
                    middle[kept] = values[lane]
                    kept += bounds[0] <= values[lane] < bounds[1]
    return kept, below


@jit()
def _bin(counts: NDArray[np.int32], rank: int) -> tuple[int, int]:
    """The bin of the number of that rank, and how many are in the bins before."""
    found, before = 0, 0
    while True:
        here = counts[0, found] + counts[1, found] + counts[2, found] + counts[3, found]
        if before + here > rank:
            return found, before
        before += here
        found += 1


@jit()
def _divide(
    energy: NDArray[np.float32],
    thresholds: NDArray[np.float32],
    amplitude: NDArray[np.float32],
    congruency: NDArray[np.float32],
) -> None:
    """The sums of energies above noise over the sums of amplitudes."""
    plane = amplitude.size // 2
    nothing, least = fill8(np.float32(0)), fill8(np.float32(_LEAST_AMPLITUDE))
    t0, t1 = of_sides(thresholds[0, 0], thresholds[0, 1]), of_sides(thresholds[1, 0], thresholds[1, 1])
    t2, t3 = of_sides(thresholds[2, 0], thresholds[2, 1]), of_sides(thresholds[3, 0], thresholds[3, 1])
    e0, e1, e2, e3 = energy[0], energy[1], energy[2], energy[3]
    for at in range(0, plane, 4):
        above = larger(load_sides(e0, at, plane) - t0, nothing) + larger(load_sides(e1, at, plane) - t1, nothing)
        above = above + larger(load_sides(e2, at, plane) - t2, nothing)
        above = above + larger(load_sides(e3, at, plane) - t3, nothing)
        store_sides(congruency, at, plane, above / larger(load_sides(amplitude, at, plane), least))


@jit()
def _gradient(luma: NDArray[np.float64], row: int, gradient: NDArray[np.float64]) -> None:
    """Magnitude of Scharr's gradient along one row of a plane with a border of zeros."""
    above, here, below = luma[row], luma[row + 1], luma[row + 2]
    for at in range(gradient.size):
        dx = 3 * (above[at + 2] - above[at] + below[at + 2] - below[at]) + 10 * (here[at + 2] - here[at])
        dy = 3 * (below[at] - above[at] + below[at + 2] - above[at + 2]) + 10 * (below[at + 1] - above[at + 1])
        gradient[at] = np.sqrt(dx * dx + dy * dy) / 16


@jit()
def _weigh_by_likeness(a: NDArray[Any], b: NDArray[Any], constant: float, score: NDArray[np.float64]) -> None:
    for at in range(score.size):
        one, other = np.float64(a[at]), np.float64(b[at])
        score[at] *= (2 * one * other + constant) / (one * one + other * other + constant)


@jit()
def _fill_power(
    values: NDArray[np.float64], near_one: NDArray[np.float64], spare: NDArray[np.float64], found: NDArray[np.float64]
) -> None:
    """Values of at most 1 to the power of 0.03, the real part of it where they are negative."""
    found[:] = near_one[0]
    centre, scale = 1 - 1 / near_one[1], near_one[1]
    for at in range(values.size):
        spare[at] = (values[at] - centre) * scale
    for k in range(2, near_one.size, 2):
        higher, lower = near_one[k], near_one[k + 1]
        for at in range(values.size):
            found[at] = (found[at] * spare[at] + higher) * spare[at] + lower
    for at in range(values.size):
        found[at] = 1 + (values[at] - 1) * found[at]
    for at in range(values.size):
        if values[at] < _NEAR_ONE:
            power = abs(values[at]) ** CHROMA_POWER
            found[at] = power if values[at] >= 0 else power * CHROMA_POWER_OF_MINUS_ONE


@jit()
def _weighted_means(
    planes: NDArray[np.float64], congruency: NDArray[np.float32], near_one: NDArray[np.float64]
) -> tuple[float, float]:
    """FSIM and FSIMc of two frames, planes with a border of zeros; NaN for both if the weights add up to nothing."""
    height, width = planes.shape[2] - 2, planes.shape[3] - 2
    stride = _up(width, 4)
    first, second, weight, score = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    chroma, factor = np.empty(width), np.empty(width)
    weights = luma_only = coloured = 0.0
    for row in range(height):
        _gradient(planes[0, 0], row, first)
        _gradient(planes[1, 0], row, second)
        at = row * stride
        ours, theirs = congruency[at : at + width], congruency[at + height * stride : at + height * stride + width]
        for at in range(width):
            weight[at] = max(ours[at], theirs[at])
            score[at] = weight[at]
        _weigh_by_likeness(ours, theirs, CONGRUENCY_T, score)
        _weigh_by_likeness(first, second, GRADIENT_T, score)
        chroma[:] = 1
        for plane in range(1, 3):
            _weigh_by_likeness(planes[0, plane, row + 1, 1:-1], planes[1, plane, row + 1, 1:-1], CHROMA_T, chroma)
        _fill_power(chroma, near_one, first, factor)
        weights += _sum(weight)
        luma_only += _sum(score)
        score *= factor
        coloured += _sum(score)
    if weights == 0:
        return np.nan, np.nan
    return luma_only / weights, coloured / weights
