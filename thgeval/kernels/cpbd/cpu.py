"""CPBD on the processor: edges, their widths up to the one that decides, and the share that stays within it.

Widths are whole pixels and the probability of detecting blur grows with the width, so "the bucket is at most ``cut``"
is "the width is at most so many pixels" for each of the two just noticeable widths. The loops compare widths with that
number instead of filling the histogram, and stop walking once it is passed. The authors stop after 101 px on each side;
no number of pixels that a bucket below 100 stands for reaches that far, so the walk here has no such stop.

Luma of 8 bits is worked on in float32, in which all of Sobel's sums and squares of it are exact, other luma in float64.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.kernels.cpbd.canny import BLOCK_PX, edge_blocks, peaks
from thgeval.kernels.cpbd.gradients import matlab_gradients, skimage_gradients

EDGES = {"thinned": 0, "octave": 1, "unthinned": 2}
CANNY = {"matlab": matlab_gradients, "skimage": skimage_gradients}
WIDTHS = ("marziliano", "python-cpbd", "atvgnet")

_THINNED, _OCTAVE = EDGES["thinned"], EDGES["octave"]
_BETA = 3.6
JUST_NOTICEABLE_PX = (5, 3)
LOW_CONTRAST_BELOW = 51
# Sobel's weights are used unscaled, eight times the operator's, and squared: (8 * 2)^2 for the threshold of 2.
SCALE = 8**2
SOBEL_THRESHOLD = 2.0**2 * SCALE
# The direction rounds to 0 or 180 degrees while it is less than 22.5 degrees from the row.
HALF_STEP = math.tan(math.pi / 8)

# Kinds of edges; a falling one is 2.
_NONE, _RISING = 0, 1


def sharpness(luma: NDArray[Any], *, edges: str, canny: str, widths: str, cut: int) -> NDArray[np.float64]:
    """CPBD of each frame; see the package for the contract."""
    frames, height, width = luma.shape
    exact = np.float32 if luma.dtype == np.uint8 else np.float64
    gradients = np.empty((3, height, width), np.float64 if canny == "skimage" else exact)
    slopes, smooth = np.empty((height, width), exact), np.empty(width + 2, exact)
    limits = widest_sharp_px(JUST_NOTICEABLE_PX[0], cut), widest_sharp_px(JUST_NOTICEABLE_PX[1], cut)
    scores = np.zeros(frames)
    for index in range(frames):
        frame = luma[index].astype(exact)
        if widths == "python-cpbd" and not _has_direction(frame):
            continue
        weak, strong = CANNY[canny](frame, gradients)
        blocks = edge_blocks(peaks(gradients, weak, strong))
        _sobel_across(frame, smooth, slopes)
        threshold = _octave_threshold(slopes) if edges == "octave" else SOBEL_THRESHOLD
        least = _not_above(threshold, frame.dtype)
        kinds = np.zeros((height, width), np.uint8)
        _mark_kinds(frame, slopes, EDGES[edges], least, kinds)
        sharp, total = _count_sharp(frame, kinds, blocks, *limits, widths == "atvgnet")
        scores[index] = sharp / total if total else 0.0
    return scores


def widest_sharp_px(just_noticeable_px: int, cut: int) -> int:
    """The greatest width whose probability of detection, in rounded percent, is at most ``cut``; 0 if there is none."""
    width = 0
    while round(100 * (1 - math.exp(-(((width + 1) / just_noticeable_px) ** _BETA)))) <= cut:
        width += 1
    return width


def _octave_threshold(slopes: NDArray[Any]) -> float:
    """Twice the root mean square of the gradient, which Octave compares with the gradient's square."""
    return 2 * math.sqrt(_sum_of_squares(slopes) / SCALE / slopes.size) * SCALE


@jit(fastmath=True)
def _sum_of_squares(slopes: NDArray[Any]) -> float:
    """Of whole numbers, as 8-bit luma makes them, the sum is exact in any order."""
    total = 0.0
    for row in range(slopes.shape[0]):
        line = slopes[row]
        for column in range(line.size):
            total += np.float64(line[column]) * np.float64(line[column])
    return total


def _not_above(threshold: float, dtype: Any) -> Any:
    """The greatest number of that type that is no greater: no ``x`` of the type compares differently with it."""
    rounded = dtype.type(threshold)
    return rounded if rounded <= threshold else np.nextafter(rounded, dtype.type(0))


@jit()
def _has_direction(frame: NDArray[Any]) -> bool:
    """Whether any gradient points anywhere but exactly right; one-sided differences on the borders."""
    height, width = frame.shape
    for row in range(height):
        above, below = frame[max(row - 1, 0)], frame[min(row + 1, height - 1)]
        for column in range(width):
            dx = frame[row, min(column + 1, width - 1)] - frame[row, max(column - 1, 0)]
            if dx < 0 or (dx > 0 and above[column] != below[column]):
                return True
    return False


@jit()
def _sobel_across(frame: NDArray[Any], smooth: NDArray[Any], slopes: NDArray[Any]) -> None:
    """Unscaled Sobel gradient along the rows over repeated borders; ``smooth`` is room for a row and both borders."""
    height, width = frame.shape
    for row in range(height):
        above, here, below = frame[max(row - 1, 0)], frame[row], frame[min(row + 1, height - 1)]
        inner, right, slope = smooth[1:], smooth[2:], slopes[row]
        for column in range(width):
            inner[column] = above[column] + here[column] + here[column] + below[column]
        smooth[0], smooth[width + 1] = inner[0], inner[width - 1]
        for column in range(width):
            slope[column] = right[column] - smooth[column]


@jit()
def _mark_edges(
    frame: NDArray[Any], slopes: NDArray[Any], row: int, rule: int, least: float, kinds: NDArray[np.uint8]
) -> None:
    """For each inner pixel of an inner row: no edge to measure, or one that rises or falls to the right.

    ``kinds`` starts at the second column. A vanishing gradient along the row counts as rising, whatever the one along
    the column, because that is how the programs leave it.
    """
    above, here, below = frame[row - 1], frame[row], frame[row + 1]
    up, level, low = slopes[row - 1], slopes[row], slopes[row + 1]
    half_step = here.dtype.type(HALF_STEP)
    for at in range(here.size - 2):
        b, left, right = abs(level[at + 1]), abs(level[at]), abs(level[at + 2])
        over, under = abs(up[at + 1]), abs(low[at + 1])
        if rule == _THINNED:
            dy = (below[at] + below[at + 1] + below[at + 1] + below[at + 2]) - (
                above[at] + above[at + 1] + above[at + 1] + above[at + 2]
            )
            thin = ((b >= abs(dy)) & (left <= b) & (b > right)) | ((over <= b) & (b > under))
        elif rule == _OCTAVE:
            thin = ((b > left) & (b > right)) | ((b > over) & (b > under))
        else:
            thin = True
        dx, dy = here[at + 2] - here[at], below[at + 1] - above[at + 1]
        level_enough = (abs(dy) <= half_step * abs(dx)) | (dx == 0)
        edge = thin & level_enough & (b * b > least)
        kinds[at] = np.uint8(edge) * (np.uint8(_RISING) + np.uint8(dx < 0))


@jit()
def _mark_kinds(frame: NDArray[Any], slopes: NDArray[Any], rule: int, least: float, kinds: NDArray[np.uint8]) -> None:
    """What ``_mark_edges`` says of every pixel, (height, width); the outermost are never measured."""
    for row in range(1, frame.shape[0] - 1):
        _mark_edges(frame, slopes, row, rule, least, kinds[row, 1:])


@jit()
def _count_sharp(
    frame: NDArray[Any],
    kinds: NDArray[np.uint8],
    blocks: NDArray[np.bool_],
    low_contrast_px: int,
    high_contrast_px: int,
    plateaus: bool,
) -> tuple[int, int]:
    """Edges no wider than their block allows, and all edges measured, in the blocks that count."""
    sharp = total = 0
    for i in range(blocks.shape[0]):
        for j in range(blocks.shape[1]):
            if blocks[i, j]:
                rows, left = slice(i * BLOCK_PX, (i + 1) * BLOCK_PX), j * BLOCK_PX
                low_contrast = _is_low_contrast(frame[rows, left : left + BLOCK_PX])
                allowed = low_contrast_px if low_contrast else high_contrast_px
                for row in range(i * BLOCK_PX, (i + 1) * BLOCK_PX):
                    line = kinds[row]
                    for column in range(left, left + BLOCK_PX):
                        if line[column] != _NONE:
                            total += 1
                            sharp += is_sharp(frame[row], column, line[column] == _RISING, allowed, plateaus)
    return sharp, total


@jit()
def _is_low_contrast(block: NDArray[Any]) -> bool:
    lowest = highest = block[0, 0]
    for row in range(block.shape[0]):
        for column in range(block.shape[1]):
            lowest, highest = min(lowest, block[row, column]), max(highest, block[row, column])
        if highest - lowest >= LOW_CONTRAST_BELOW:
            return False
    return True


@jit(inline=True)
def is_sharp(row: NDArray[Any], column: int, rising: bool, allowed: int, plateaus: bool) -> bool:
    """Whether the luma keeps rising or falling around ``column`` over no more than ``allowed`` pixels."""
    sign = row.dtype.type(1 if rising else -1)
    left = right = 1
    while left < allowed and left < column and (row[column - left] - row[column - 1 - left]) * sign > 0:
        left += 1
    over_plateaus = plateaus and not rising
    while left + right <= allowed and column + 1 + right < row.size:
        gain = (row[column + 1 + right] - row[column + right]) * sign
        if not (gain > 0 or (over_plateaus and gain == 0)):
            break
        right += 1
    return left + right <= allowed
