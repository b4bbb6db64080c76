"""Canny edges on a graphics card: both gradients, peaks, and the linking of weak ones. Everything is float64.

Planes are (frames, height, width); gradients three such arrays: across, down, strength. Thresholds are (frames, 2),
weak and strong, and what passes is greater than they are.

scikit-image's gradient and the peaks decide ties, so that their products are rounded before they are added
(``product``), as everywhere else; sums keep the order of ``thgeval.kernels.cpbd.gradients``.
"""

import math
from typing import NamedTuple

import numpy as np

from thgeval.kernels.cpbd import gradients as rules
from thgeval.kernels.cpbd.canny import STRONG, WEAK
from thgeval.kernels.cuda_target import BLOCK, cuda, launch, product, spread
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sizes

_BINS = rules.BINS


class Gradients(NamedTuple):
    """Derivatives across and down, and their magnitude: (frames, height, width) each."""

    across: DeviceArray
    down: DeviceArray
    strength: DeviceArray


@cuda.jit
def _filtered_down(planes, smooth, slope, blurred, sloped):
    frame = cuda.blockIdx.y
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        even, odd = smooth[0] * planes[frame, row, column], 0.0
        for tap in range(1, len(smooth)):
            up, low = planes[frame, max(row - tap, 0), column], planes[frame, min(row + tap, height - 1), column]
            even += smooth[tap] * (low + up)
            odd += slope[tap] * (low - up)
        blurred[frame, row, column], sloped[frame, row, column] = even, odd


@cuda.jit
def _filtered_across(blurred, sloped, smooth, slope, across, down, strength):
    frame = cuda.blockIdx.y
    height, width = blurred.shape[1], blurred.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        x, y = 0.0, smooth[0] * sloped[frame, row, column]
        for tap in range(1, len(smooth)):
            left, right = max(column - tap, 0), min(column + tap, width - 1)
            x += slope[tap] * (blurred[frame, row, right] - blurred[frame, row, left])
            y += smooth[tap] * (sloped[frame, row, right] + sloped[frame, row, left])
        across[frame, row, column], down[frame, row, column] = x, y
        strength[frame, row, column] = math.sqrt(x * x + y * y)


@cuda.jit
def _histogram(strength, strongest, counts):
    """Counts in bins centred on k / 63 of the maximum; integers, so that their order can't be seen."""
    held = cuda.shared.array(_BINS, np.int32)
    frame, thread = cuda.blockIdx.y, cuda.threadIdx.x
    for level in range(thread, _BINS, cuda.blockDim.x):
        held[level] = 0
    cuda.syncthreads()
    for at in range(cuda.blockIdx.x * cuda.blockDim.x + thread, strength.shape[1], cuda.gridDim.x * cuda.blockDim.x):
        if strongest[frame] > 0:
            scaled = strength[frame, at] * ((_BINS - 1) / strongest[frame]) + 0.5
            cuda.atomic.add(held, min(int(scaled), _BINS - 1), 1)
    cuda.syncthreads()
    for level in range(thread, _BINS, cuda.blockDim.x):
        cuda.atomic.add(counts, (frame, level), held[level])


@cuda.jit
def _thresholds(counts, strongest, pixels, found):
    for frame in range(cuda.grid(1), found.shape[0], cuda.gridsize(1)):
        total, high = 0, 0
        while high < _BINS and total <= rules.NOT_EDGES * pixels:
            total += counts[frame, high]
            high += 1
        strong = high / _BINS * strongest[frame]
        found[frame, 0] = rules.LOW_OF_HIGH * strong if strongest[frame] > 0 else np.inf
        found[frame, 1] = strong if strongest[frame] > 0 else np.inf


@cuda.jit
def _gauss_down(planes, weights, smoothed, shares):
    """scikit-image's Gaussian down the columns of zeros outside the frame, and what the same sum makes of ones."""
    frame = cuda.blockIdx.y
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        total, share = product(planes[frame, row, column], weights[0]), weights[0]
        for tap in range(len(weights) - 1, 0, -1):
            up = planes[frame, row - tap, column] if row >= tap else 0.0
            low = planes[frame, row + tap, column] if row + tap < height else 0.0
            total = total + product(up + low, weights[tap])
            share = share + product((1.0 if row >= tap else 0.0) + (1.0 if row + tap < height else 0.0), weights[tap])
        smoothed[frame, row, column], shares[frame, row, column] = total, share


@cuda.jit
def _gauss_across(planes, ones, weights, smoothed):
    frame = cuda.blockIdx.y
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        total = product(planes[frame, row, column], weights[0])
        share = product(ones[frame, row, column], weights[0])
        for tap in range(len(weights) - 1, 0, -1):
            before, after = column >= tap, column + tap < width
            left = planes[frame, row, column - tap] if before else 0.0
            right = planes[frame, row, column + tap] if after else 0.0
            total = total + product(left + right, weights[tap])
            left = ones[frame, row, column - tap] if before else 0.0
            right = ones[frame, row, column + tap] if after else 0.0
            share = share + product(left + right, weights[tap])
        smoothed[frame, row, column] = total / (share + rules.EPSILON)


@cuda.jit
def _sobel(smoothed, across, down, strength):
    frame = cuda.blockIdx.y
    height, width = smoothed.shape[1], smoothed.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        plane = smoothed[frame]
        up, low = max(row - 1, 0), min(row + 1, height - 1)
        left, right = max(column - 1, 0), min(column + 1, width - 1)
        corners = (plane[up, right] - plane[up, left]) + (plane[low, right] - plane[low, left])
        x = (plane[row, right] - plane[row, left]) * 2.0 + corners
        corners = (plane[low, left] - plane[up, left]) + (plane[low, right] - plane[up, right])
        y = (plane[low, column] - plane[up, column]) * 2.0 + corners
        across[frame, row, column], down[frame, row, column] = x, y
        strength[frame, row, column] = math.sqrt(product(y, y) + product(x, x))


@cuda.jit
def _peaks(across, down, strength, thresholds, marks):
    """Marks of every pixel: no peak or a border, a weak peak, a strong one."""
    frame = cuda.blockIdx.y
    height, width = marks.shape[1], marks.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        mark = 0
        if 0 < row < height - 1 and 0 < column < width - 1 and strength[frame, row, column] > thresholds[frame, 0]:
            x, y, size = across[frame, row, column], down[frame, row, column], strength[frame, row, column]
            wide, high, same = abs(x), abs(y), (x > 0) == (y > 0)
            side, step = (1 if same else -1), (1 if high > wide else 0)
            share = min(wide, high) / max(wide, high)
            near = strength[frame, row + step, column + (0 if step else side)]
            far = strength[frame, row - step, column - (0 if step else side)]
            corner, opposite = strength[frame, row + 1, column + side], strength[frame, row - 1, column - side]
            rest = 1.0 - share
            ahead, behind = product(corner, share) + product(near, rest), product(opposite, share) + product(far, rest)
            if ahead <= size and behind <= size:
                mark = STRONG if size > thresholds[frame, 1] else WEAK
        marks[frame, row, column] = mark


@cuda.jit
def _link(marks):
    """Weak peaks that touch strong ones become strong, until none is left; one block a frame."""
    changed = cuda.shared.array(1, np.int32)
    frame, thread = cuda.blockIdx.x, cuda.threadIdx.x
    height, width = marks.shape[1], marks.shape[2]
    going = True
    while going:
        cuda.syncthreads()
        if thread == 0:
            changed[0] = 0
        cuda.syncthreads()
        for at in range(thread, height * width, cuda.blockDim.x):
            row, column = at // width, at % width
            if marks[frame, row, column] == WEAK:
                for y in range(row - 1, row + 2):
                    for x in range(column - 1, column + 2):
                        if marks[frame, y, x] == STRONG:
                            marks[frame, row, column] = STRONG
                            changed[0] = 1
        cuda.syncthreads()
        going = changed[0] == 1


def matlab_on_card(planes: DeviceArray) -> tuple[Gradients, DeviceArray]:
    """MATLAB's gradient of each frame and its thresholds."""
    taps = tuple(map(float, rules.SMOOTH)), tuple(map(float, rules.SLOPE))
    blurred, sloped = (planes.empty(planes.shape, np.float64) for _ in range(2))
    launch(_filtered_down, over_pixels(planes), planes, *taps, blurred, sloped)
    found = Gradients(*(planes.empty(planes.shape, np.float64) for _ in range(3)))
    launch(_filtered_across, over_pixels(planes), blurred, sloped, *taps, *found)
    frames, pixels = len(planes), planes.shape[1] * planes.shape[2]
    strength = found.strength.reshape(frames, pixels)
    strongest, counts = row_sizes(strength), planes.beside(np.zeros((frames, _BINS), np.int32))
    launch(_histogram, (-(-pixels // (64 * BLOCK)), frames), strength, strongest, counts)
    thresholds = planes.empty((frames, 2), np.float64)
    launch(_thresholds, (spread(frames),), counts, strongest, pixels, thresholds)
    return found, thresholds


def skimage_on_card(planes: DeviceArray) -> tuple[Gradients, DeviceArray]:
    """scikit-image's gradient of each frame and its thresholds, which are inclusive there."""
    weights = tuple(map(float, rules.SKIMAGE_SMOOTH))
    smoothed, shares, smooth = (planes.empty(planes.shape, np.float64) for _ in range(3))
    launch(_gauss_down, over_pixels(planes), planes, weights, smoothed, shares)
    launch(_gauss_across, over_pixels(planes), smoothed, shares, weights, smooth)
    found = Gradients(*(planes.empty(planes.shape, np.float64) for _ in range(3)))
    launch(_sobel, over_pixels(planes), smooth, *found)
    limits = [math.nextafter(limit, 0) for limit in (rules.SKIMAGE_WEAK, rules.SKIMAGE_STRONG)]
    return found, planes.beside(np.tile(np.array(limits), (len(planes), 1)))


def edges(gradients: Gradients, thresholds: DeviceArray) -> DeviceArray:
    """Marks of each frame, (frames, height, width): ``STRONG`` where there is an edge."""
    marks = gradients.strength.empty(gradients.strength.shape, np.uint8)
    launch(_peaks, over_pixels(marks), *gradients, thresholds, marks)
    launch(_link, (len(marks),), marks)
    return marks


def over_pixels(planes: DeviceArray) -> tuple[int, int]:
    """A thread for each pixel of each frame."""
    return spread(planes.shape[1] * planes.shape[2]), len(planes)
