"""FSIM on a graphics card: all frames of a batch at once, transforms as the sums that define them.

A plane's shorter side is about 256 px, so that a sum along a row and one down a column cost little beside what a
library of transforms would ask of an installation. Precision is that of ``thgeval.kernels.fsim.cpu``: luma, chroma and
gradients float64, transforms and responses single. ComplexPlanes are (frames, height, width), complex ones two of them.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.cuda_target import cuda, launch, product, spread
from thgeval.kernels.fsim import cpu
from thgeval.kernels.fsim.filters import FILTER_SCALES, ORIENTATIONS, filter_bank
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sizes, row_sums

_MOST = 256  # threads of a block
_BITS, _PLACES = 4, 8  # of a digit, and digits of a single number
_DIGITS = 1 << _BITS


class ComplexPlanes(NamedTuple):
    """Complex numbers, (planes, height, width) float32 each."""

    real: DeviceArray
    imaginary: DeviceArray


@cuda.jit
def _pooled_yiq(frames, weights, step, planes):
    """Sums over squares of ``step`` px around every ``step``-th pixel, zeros outside, as planes of Y, I and Q."""
    frame, height, width = cuda.blockIdx.y, frames.shape[1], frames.shape[2]
    before = (step - 1) // 2
    for at in range(cuda.grid(1), planes.shape[2] * planes.shape[3], cuda.gridsize(1)):
        y, x = at // planes.shape[3], at % planes.shape[3]
        red = green = blue = 0.0
        for row in range(max(y * step - before, 0), min(y * step - before + step, height)):
            for column in range(max(x * step - before, 0), min(x * step - before + step, width)):
                red += np.float64(frames[frame, row, column, 0])
                green += np.float64(frames[frame, row, column, 1])
                blue += np.float64(frames[frame, row, column, 2])
        for plane in range(3):
            mixed = weights[3 * plane] * red + weights[3 * plane + 1] * green
            planes[plane, frame, y, x] = mixed + weights[3 * plane + 2] * blue


@cuda.jit
def _centred(luma, sums, gaps, real, imaginary):
    """Luma less its mean, in single precision; and less its first pixel, which shows if there is anything to see."""
    frame = cuda.blockIdx.y
    for at in range(cuda.grid(1), luma.shape[1], cuda.gridsize(1)):
        gaps[frame, at] = luma[frame, at] - luma[frame, 0]
        real[frame, at] = luma[frame, at] - sums[frame] / luma.shape[1]
        imaginary[frame, at] = 0.0


@cuda.jit
def _down(real, imaginary, bank, waves, found_real, found_imaginary):
    """Transform down the columns of each plane times each scale of the bank."""
    plane, scale, height, width = cuda.blockIdx.y, cuda.blockIdx.z, real.shape[1], real.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        k, column, turn = at // width, at % width, 0
        total, other = np.float32(0), np.float32(0)
        for row in range(height):
            weight = bank[scale, row, column]
            a, b = real[plane, row, column] * weight, imaginary[plane, row, column] * weight
            cosine, sine = waves[turn, 0], waves[turn, 1]
            total += a * cosine - b * sine
            other += a * sine + b * cosine
            turn += k
            if turn >= height:
                turn -= height
        found_real[plane * bank.shape[0] + scale, k, column] = total
        found_imaginary[plane * bank.shape[0] + scale, k, column] = other


@cuda.jit
def _along(real, imaginary, waves, found_real, found_imaginary):
    """Transform along the rows of each plane."""
    plane, height, width = cuda.blockIdx.y, real.shape[1], real.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, k, turn = at // width, at % width, 0
        total, other = np.float32(0), np.float32(0)
        for column in range(width):
            a, b = real[plane, row, column], imaginary[plane, row, column]
            cosine, sine = waves[turn, 0], waves[turn, 1]
            total += a * cosine - b * sine
            other += a * sine + b * cosine
            turn += k
            if turn >= width:
                turn -= width
        found_real[plane, row, k], found_imaginary[plane, row, k] = total, other


@cuda.jit
def _energy(real, imaginary, scale, first, energy, amplitude, smallest):
    """Energy of one orientation before noise is taken off, and the squared amplitude of the smallest scale.

    ``real`` and ``imaginary`` are (frames, scales, pixels), to be multiplied by ``scale``; amplitudes of all scales are
    added to ``amplitude``, which the ``first`` orientation begins.
    """
    frame = cuda.blockIdx.y
    for at in range(cuda.grid(1), energy.shape[1], cuda.gridsize(1)):
        even = odd = sizes = across = np.float32(0)
        for k in range(FILTER_SCALES):
            e, o = real[frame, k, at] * scale, imaginary[frame, k, at] * scale
            even += e
            odd += o
            square = e * e + o * o
            sizes += np.float32(math.sqrt(square))
            if k == 0:
                smallest[frame, at] = square
        size = np.float32(math.sqrt(even * even + odd * odd)) + np.float32(cpu.EPSILON)
        along_even, along_odd = even / size, odd / size
        for k in range(FILTER_SCALES):
            e, o = real[frame, k, at] * scale, imaginary[frame, k, at] * scale
            across += abs(e * along_odd - o * along_even)
        energy[frame, at] = even * along_even + odd * along_odd - across
        amplitude[frame, at] = sizes if first else amplitude[frame, at] + sizes


@cuda.jit
def _medians(values, bits, medians):
    """Median of each row of non-negative numbers, whose order is that of their bits: one block a row.

    Digit by digit, the first ones first, it is found which numbers share the median's, and how many are smaller.
    """
    counts = cuda.shared.array(_DIGITS, np.int32)
    largest = cuda.shared.array((2, _MOST), np.float32)
    row, thread, size = cuda.blockIdx.x, cuda.threadIdx.x, bits.shape[1]
    prefix, smaller = np.int64(0), 0
    for place in range(_PLACES - 1, -1, -1):
        for digit in range(thread, _DIGITS, cuda.blockDim.x):
            counts[digit] = 0
        cuda.syncthreads()
        for at in range(thread, size, cuda.blockDim.x):
            known = np.int64(bits[row, at]) >> (_BITS * place)
            if known // _DIGITS == prefix:
                cuda.atomic.add(counts, known % _DIGITS, 1)
        cuda.syncthreads()
        digit = 0
        while smaller + counts[digit] <= size // 2:
            smaller += counts[digit]
            digit += 1
        prefix = prefix * _DIGITS + digit
        cuda.syncthreads()
    upper, lower = np.float32(0), np.float32(0)
    for at in range(thread, size, cuda.blockDim.x):
        if bits[row, at] <= prefix:
            upper = max(upper, values[row, at])
        if bits[row, at] < prefix:
            lower = max(lower, values[row, at])
    largest[0, thread] = upper
    largest[1, thread] = lower
    cuda.syncthreads()
    half = cuda.blockDim.x // 2
    while half > 0:
        if thread < half:
            largest[0, thread] = max(largest[0, thread], largest[0, thread + half])
            largest[1, thread] = max(largest[1, thread], largest[1, thread + half])
        cuda.syncthreads()
        half //= 2
    if thread == 0:
        one = np.float64(largest[0, 0])
        other = np.float64(largest[1, 0]) if smaller == size // 2 else one
        medians[row] = one if size % 2 else (one + other) / 2


@cuda.jit
def _add_above(energy, medians, noise, first, total):
    frame = cuda.blockIdx.y
    threshold = np.float32(noise * math.sqrt(medians[frame]))
    for at in range(cuda.grid(1), energy.shape[1], cuda.gridsize(1)):
        above = max(energy[frame, at] - threshold, np.float32(0))
        total[frame, at] = above if first else total[frame, at] + above


@cuda.jit
def _divided(total, amplitude, spreads, congruency):
    """Congruency in [0, 1]; 0 where nothing responds, as in a uniform plane."""
    frame = cuda.blockIdx.y
    for at in range(cuda.grid(1), total.shape[1], cuda.gridsize(1)):
        there = amplitude[frame, at] > 0 and spreads[frame] > 0
        congruency[frame, at] = total[frame, at] / amplitude[frame, at] if there else np.float32(0)


@cuda.jit(device=True)
def _alike(a, b, constant):
    """Both sides of the quotient are rounded alike, so that equal values are exactly 1 whatever a compiler fuses."""
    return (product(2 * a, b) + constant) / (product(a, a) + product(b, b) + constant)


@cuda.jit(device=True)
def _pixel(plane, row, column):
    inside = 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]
    return plane[row, column] if inside else 0.0


@cuda.jit(device=True)
def _gradient(plane, row, column):
    """Magnitude of Scharr's gradient, zeros outside the plane."""
    upper_left, upper_right = _pixel(plane, row - 1, column - 1), _pixel(plane, row - 1, column + 1)
    lower_left, lower_right = _pixel(plane, row + 1, column - 1), _pixel(plane, row + 1, column + 1)
    dx = 3 * (upper_right - upper_left + lower_right - lower_left)
    dx += 10 * (_pixel(plane, row, column + 1) - _pixel(plane, row, column - 1))
    dy = 3 * (lower_left - upper_left + lower_right - upper_right)
    dy += 10 * (_pixel(plane, row + 1, column) - _pixel(plane, row - 1, column))
    return math.sqrt(dx * dx + dy * dy) / 16


@cuda.jit
def _scores(generated, reference, ours, theirs, weights, luma_only, coloured):
    frame, width = cuda.blockIdx.y, generated.shape[3]
    for at in range(cuda.grid(1), weights.shape[1], cuda.gridsize(1)):
        row, column = at // width, at % width
        one, other = np.float64(ours[frame, at]), np.float64(theirs[frame, at])
        first, second = (
            _gradient(generated[0, frame], row, column),
            _gradient(reference[0, frame], row, column),
        )
        weight = max(one, other)
        score = weight * _alike(one, other, cpu.CONGRUENCY_T) * _alike(first, second, cpu.GRADIENT_T)
        chroma = _alike(generated[1, frame, row, column], reference[1, frame, row, column], cpu.CHROMA_T)
        chroma *= _alike(generated[2, frame, row, column], reference[2, frame, row, column], cpu.CHROMA_T)
        factor = abs(chroma) ** cpu.CHROMA_POWER
        weights[frame, at] = weight
        luma_only[frame, at] = score
        coloured[frame, at] = score * (factor if chroma >= 0 else factor * cpu.CHROMA_POWER_OF_MINUS_ONE)


@cuda.jit
def _means(sums, weights, means):
    for frame in range(cuda.grid(1), means.size, cuda.gridsize(1)):
        means[frame] = sums[frame] / weights[frame] if weights[frame] != 0 else np.nan


def similarity(*, generated: DeviceArray, reference: DeviceArray, peak: float) -> tuple[DeviceArray, DeviceArray]:
    """FSIM and FSIMc of each pair; see the package for the contract."""
    frames, height, width = generated.shape[:3]
    step = cpu.pooling(height, width)
    weights = tuple((cpu.YIQ * (255.0 / peak) / step**2).ravel().tolist())
    shape = (3, frames, -(-height // step), -(-width // step))
    pixels = shape[2] * shape[3]
    sides, congruent = [], []
    for clip in (generated, reference):
        planes = clip.empty(shape, np.float64)
        launch(_pooled_yiq, (spread(pixels), frames), clip, weights, step, planes)
        sides.append(planes)
        congruent.append(_congruency(planes[0]) if frames else clip.empty((0, pixels), np.float32))
    parts = [generated.empty((frames, pixels), np.float64) for _ in range(3)]
    launch(_scores, (spread(pixels), frames), *sides, *congruent, *parts)
    weight, luma_only, coloured = map(row_sums, parts)
    found = tuple(generated.empty((frames,), np.float64) for _ in range(2))
    for sums, means in zip((luma_only, coloured), found, strict=True):
        launch(_means, (spread(frames),), sums, weight, means)
    return found[0], found[1]


def _congruency(luma: DeviceArray) -> DeviceArray:
    """Phase congruency of (frames, height, width): (frames, pixels), in [0, 1]."""
    frames, height, width = luma.shape
    pixels = height * width
    bank = filter_bank(height, width)
    flat = luma.reshape(frames, pixels)
    gaps = luma.empty((frames, pixels), np.float64)
    around = ComplexPlanes(*(luma.empty(luma.shape, np.float32) for _ in range(2)))
    launch(_centred, (spread(pixels), frames), flat, row_sums(flat), gaps, *(p.reshape(frames, pixels) for p in around))
    everything = luma.beside(np.ones((1, height, width), np.float32))
    spectrum = _transformed(around, everything, forward=True)
    energy, amplitude, smallest, total = (luma.empty((frames, pixels), np.float32) for _ in range(4))
    medians = luma.empty((frames,), np.float64)
    for orientation in range(ORIENTATIONS):
        responses = _transformed(spectrum, luma.beside(bank.weights[orientation]), forward=False)
        scales = [part.reshape(frames, FILTER_SCALES, pixels) for part in responses]
        first = orientation == 0
        outputs = (energy, amplitude, smallest)
        launch(_energy, (spread(pixels), frames), *scales, np.float32(1 / pixels), first, *outputs)
        launch(_medians, (frames,), smallest, smallest.bits(), medians)
        launch(_add_above, (spread(pixels), frames), energy, medians, bank.noise[orientation], first, total)
    congruency = luma.empty((frames, pixels), np.float32)
    launch(_divided, (spread(pixels), frames), total, amplitude, row_sizes(gaps), congruency)
    return congruency


def _transformed(planes: ComplexPlanes, bank: DeviceArray, *, forward: bool) -> ComplexPlanes:
    """Fourier transforms of each plane times each of the bank, not divided: (planes times scales, height, width)."""
    count, height, width = planes.real.shape
    scales = len(bank)
    grid = spread(height * width)
    down = ComplexPlanes(*(planes.real.empty((count * scales, height, width), np.float32) for _ in range(2)))
    launch(_down, (grid, count, scales), *planes, bank, bank.beside(_waves(height, forward)), *down)
    found = ComplexPlanes(*(planes.real.empty(down.real.shape, np.float32) for _ in range(2)))
    launch(_along, (grid, count * scales), *down, bank.beside(_waves(width, forward)), *found)
    return found


def _waves(size: int, forward: bool) -> NDArray[Any]:
    """Cosine and sine of each turn of a transform: (size, 2)."""
    turns = (-2 if forward else 2) * np.pi * np.arange(size) / size
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
