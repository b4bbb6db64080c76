"""CPBD on a graphics card: Canny chooses blocks, Sobel the edges, and a block of threads measures a block of pixels.

Luma is worked on in float64, in which all of Sobel's sums are exact.
"""

import math

import numpy as np

from thgeval.kernels.cpbd import cpu
from thgeval.kernels.cpbd.canny import BLOCK_PX, EDGE_BLOCK_PIXELS, STRONG
from thgeval.kernels.cpbd.cuda_canny import edges as canny_edges
from thgeval.kernels.cpbd.cuda_canny import matlab_on_card, over_pixels, skimage_on_card
from thgeval.kernels.cuda_target import BLOCK, cuda, device, launch, spread
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sizes, row_sums

_CANNY = {"matlab": matlab_on_card, "skimage": skimage_on_card}
_THINNED, _OCTAVE = cpu.EDGES["thinned"], cpu.EDGES["octave"]
_PIXELS = BLOCK_PX * BLOCK_PX
_MOST = 256  # threads of a block

_is_sharp = device(cpu.is_sharp)


@cuda.jit
def _converted(luma, planes):
    frame = cuda.blockIdx.y
    for at in range(cuda.grid(1), planes.shape[1] * planes.shape[2], cuda.gridsize(1)):
        row, column = at // planes.shape[2], at % planes.shape[2]
        planes[frame, row, column] = luma[frame, row, column]


@cuda.jit
def _directed(planes, found):
    """Whether a gradient points anywhere but exactly right; one-sided differences on the borders."""
    frame = cuda.blockIdx.y
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        dx = planes[frame, row, min(column + 1, width - 1)] - planes[frame, row, max(column - 1, 0)]
        dy = planes[frame, min(row + 1, height - 1), column] - planes[frame, max(row - 1, 0), column]
        found[frame, at] = 1 if dx < 0 or (dx > 0 and dy != 0) else 0


@cuda.jit
def _sobel_across(planes, slopes, squares):
    """Unscaled Sobel gradient along the rows over repeated borders, and its square."""
    frame = cuda.blockIdx.y
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        plane = planes[frame]
        up, low = max(row - 1, 0), min(row + 1, height - 1)
        left, right = max(column - 1, 0), min(column + 1, width - 1)
        after = plane[up, right] + plane[row, right] + plane[row, right] + plane[low, right]
        before = plane[up, left] + plane[row, left] + plane[row, left] + plane[low, left]
        slopes[frame, row, column] = after - before
        squares[frame, at] = (after - before) * (after - before)


@cuda.jit
def _kinds(planes, slopes, rule, threshold, sums, kinds):
    """For each pixel: no edge to measure, or one that rises or falls to the right; the outermost are never measured."""
    frame = cuda.blockIdx.y
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        kind = 0
        if 0 < row < height - 1 and 0 < column < width - 1:
            plane, slope = planes[frame], slopes[frame]
            b, left, right = abs(slope[row, column]), abs(slope[row, column - 1]), abs(slope[row, column + 1])
            over, under = abs(slope[row - 1, column]), abs(slope[row + 1, column])
            thin = True
            if rule == _THINNED:
                below = plane[row + 1, column - 1] + 2.0 * plane[row + 1, column] + plane[row + 1, column + 1]
                above = plane[row - 1, column - 1] + 2.0 * plane[row - 1, column] + plane[row - 1, column + 1]
                thin = (b >= abs(below - above) and left <= b and b > right) or (over <= b and b > under)
            elif rule == _OCTAVE:
                thin = (b > left and b > right) or (b > over and b > under)
            dx = plane[row, column + 1] - plane[row, column - 1]
            dy = plane[row + 1, column] - plane[row - 1, column]
            level = abs(dy) <= cpu.HALF_STEP * abs(dx) or dx == 0
            least = 2 * math.sqrt(sums[frame] / cpu.SCALE / (height * width)) * cpu.SCALE
            if thin and level and b * b > (least if rule == _OCTAVE else threshold):
                kind = 2 if dx < 0 else 1
        kinds[frame, row, column] = kind


@cuda.jit
def _count_sharp(planes, kinds, marks, limits, plateaus, sharp, total):
    """Edges no wider than their block allows, and all edges measured, of each thread's pixels."""
    held = cuda.shared.array((3, _MOST), np.float64)
    frame, thread, threads = cuda.blockIdx.y, cuda.threadIdx.x, cuda.blockDim.x
    across = planes.shape[2] // BLOCK_PX
    top, left = cuda.blockIdx.x // across * BLOCK_PX, cuda.blockIdx.x % across * BLOCK_PX
    edges, lowest, highest = 0, planes[frame, top, left], planes[frame, top, left]
    for at in range(thread, _PIXELS, threads):
        row, column = top + at // BLOCK_PX, left + at % BLOCK_PX
        edges += 1 if marks[frame, row, column] == STRONG else 0
        lowest, highest = min(lowest, planes[frame, row, column]), max(highest, planes[frame, row, column])
    held[0, thread], held[1, thread], held[2, thread] = edges, lowest, highest
    cuda.syncthreads()
    half = threads // 2
    while half > 0:
        if thread < half:
            held[0, thread] += held[0, thread + half]
            held[1, thread] = min(held[1, thread], held[1, thread + half])
            held[2, thread] = max(held[2, thread], held[2, thread + half])
        cuda.syncthreads()
        half //= 2
    narrow, measured = 0, 0
    if held[0, 0] >= EDGE_BLOCK_PIXELS:
        allowed = limits[0] if held[2, 0] - held[1, 0] < cpu.LOW_CONTRAST_BELOW else limits[1]
        for at in range(thread, _PIXELS, threads):
            row, column = top + at // BLOCK_PX, left + at % BLOCK_PX
            kind = kinds[frame, row, column]
            if kind != 0:
                measured += 1
                narrow += 1 if _is_sharp(planes[frame, row], column, kind == 1, allowed, plateaus) else 0
    sharp[frame, cuda.blockIdx.x * threads + thread] = narrow
    total[frame, cuda.blockIdx.x * threads + thread] = measured


@cuda.jit
def _shares(sharp, total, directed, needed, scores):
    for frame in range(cuda.grid(1), scores.size, cuda.gridsize(1)):
        counts = total[frame] > 0 and (directed[frame] > 0 or not needed)
        scores[frame] = sharp[frame] / total[frame] if counts else 0.0


def sharpness(luma: DeviceArray, *, edges: str, canny: str, widths: str, cut: int) -> DeviceArray:
    """CPBD of each frame; see the package for the contract."""
    frames, height, width = luma.shape
    pixels, grid = (frames, height * width), over_pixels(luma)
    planes, slopes = (luma.empty(luma.shape, np.float64) for _ in range(2))
    launch(_converted, grid, luma, planes)
    marks = canny_edges(*_CANNY[canny](planes))
    squares = luma.empty(pixels, np.float64)
    launch(_sobel_across, grid, planes, slopes, squares)
    kinds = luma.empty(luma.shape, np.uint8)
    launch(_kinds, grid, planes, slopes, cpu.EDGES[edges], cpu.SOBEL_THRESHOLD, row_sums(squares), kinds)
    directed = luma.empty(pixels, np.uint8)
    launch(_directed, grid, planes, directed)
    blocks = (height // BLOCK_PX) * (width // BLOCK_PX)
    sharp, total = (luma.empty((frames, blocks * BLOCK), np.int32) for _ in range(2))
    limits = tuple(cpu.widest_sharp_px(width_px, cut) for width_px in cpu.JUST_NOTICEABLE_PX)
    launch(_count_sharp, (blocks, frames), planes, kinds, marks, limits, widths == "atvgnet", sharp, total)
    scores = luma.empty((frames,), np.float64)
    found = row_sums(sharp), row_sums(total), row_sizes(directed)
    launch(_shares, (spread(frames),), *found, widths == "python-cpbd", scores)
    return scores
