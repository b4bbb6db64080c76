"""Canny edges: thinning of a gradient, hysteresis, and which blocks of a frame hold enough edges to count.

A pixel is a peak if its gradient is no weaker than the two a pixel away along its direction, interpolated between
neighbours. Strong peaks are edges, and so are weak ones that touch an edge, diagonally too. The outermost pixels never
are. MATLAB and scikit-image do this alike, to the bit, and differ in gradients and thresholds.

CPBD only asks which blocks hold more than a handful of edges, and strong peaks alone answer that for most blocks:
``edge_blocks`` links weak peaks only if some block needs it.

``gradients`` is (3, height, width): across, down, strength; ``weak`` and ``strong`` are the least strengths that pass.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

BLOCK_PX = 64
# More than 0.2 % of 4096 pixels, which is 8.192.
EDGE_BLOCK_PIXELS = 9

WEAK, STRONG = 1, 2


@jit()
def _mark_row(gradients: NDArray[Any], row: int, weak: float, strong: float, marks: NDArray[np.uint8]) -> None:
    """Marks of one row, from the second column to the last but one.

    Everything is computed and then selected for every pixel, without branches, so that the processor does many at once.
    """
    width = gradients.shape[2]
    dx, dy, here = gradients[0, row, 1 : width - 1], gradients[1, row, 1 : width - 1], gradients[2, row, 1 : width - 1]
    left, right = gradients[2, row], gradients[2, row, 2:]
    up_left, up, up_right = gradients[2, row - 1], gradients[2, row - 1, 1:], gradients[2, row - 1, 2:]
    low_left, low, low_right = gradients[2, row + 1], gradients[2, row + 1, 1:], gradients[2, row + 1, 2:]
    one = here.dtype.type(1)
    for at in range(here.size):
        x, y, size = dx[at], dy[at], here[at]
        w, e, n, s = left[at], right[at], up[at], low[at]
        nw, ne, sw, se = up_left[at], up_right[at], low_left[at], low_right[at]
        wide, high = abs(x), abs(y)
        steep, same = high > wide, (x > 0) == (y > 0)
        share = min(wide, high) / max(wide, high)
        after, before = e if same else w, w if same else e
        near, far = s if steep else after, n if steep else before
        corner, opposite = se if same else sw, nw if same else ne
        rest = one - share
        peak = (corner * share + near * rest <= size) & (opposite * share + far * rest <= size) & (size >= weak)
        marks[at] = np.uint8(peak) + np.uint8(peak & (size >= strong))


def peaks(gradients: NDArray[Any], weak: float, strong: float) -> NDArray[np.uint8]:
    """The thinned gradient, (height, width): 0 for no peak or one below ``weak``, 1 for a weak, 2 for a strong one."""
    marks = np.zeros(gradients.shape[1:], np.uint8)
    _mark(gradients, weak, strong, marks)
    return marks


@jit()
def _mark(gradients: NDArray[Any], weak: float, strong: float, marks: NDArray[np.uint8]) -> None:
    for row in range(1, marks.shape[0] - 1):
        _mark_row(gradients, row, weak, strong, marks[row, 1:])


def edges(marks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """The edge map, (height, width): strong peaks and the weak ones linked to them."""
    found: NDArray[np.bool_] = marks == STRONG
    _link(marks, found, np.empty(np.count_nonzero(marks == WEAK), np.int64))
    return found


@jit()
def _link(marks: NDArray[np.uint8], found: NDArray[np.bool_], waiting: NDArray[np.int64]) -> None:
    """Add to the edges the weak peaks that touch them; ``waiting`` has room for all weak ones."""
    (height, width), count = marks.shape, 0
    for row in range(1, height - 1):
        line = marks[row]
        for column in range(1, width - 1):
            if line[column] == WEAK and not found[row, column] and _touches(found, row, column):
                found[row, column] = True
                waiting[count], count = row * width + column, count + 1
                while count:
                    y, x = divmod(waiting[count - 1], width)
                    count = _spread(marks, found, y, x, waiting, count - 1)


@jit()
def _touches(found: NDArray[np.bool_], row: int, column: int) -> bool:
    for y in range(row - 1, row + 2):
        for x in range(column - 1, column + 2):
            if found[y, x]:
                return True
    return False


@jit()
def _spread(
    marks: NDArray[np.uint8], found: NDArray[np.bool_], row: int, column: int, waiting: NDArray[np.int64], count: int
) -> int:
    """Add the weak peaks around an edge to the edges, and to those whose surroundings are still to be seen."""
    for y in range(row - 1, row + 2):
        for x in range(column - 1, column + 2):
            if marks[y, x] == WEAK and not found[y, x]:
                found[y, x] = True
                waiting[count], count = y * marks.shape[1] + x, count + 1
    return count


def edge_blocks(marks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which whole blocks, (height // 64, width // 64), hold enough edges to count."""
    blocks = np.empty((marks.shape[0] // BLOCK_PX, marks.shape[1] // BLOCK_PX), np.bool_)
    if _fill_blocks(marks, STRONG, WEAK, blocks):
        _fill_blocks(edges(marks).view(np.uint8), 1, 1, blocks)
    return blocks


@jit()
def _fill_blocks(marks: NDArray[np.uint8], least: int, weaker: int, blocks: NDArray[np.bool_]) -> bool:
    """Which blocks hold enough marks; returns whether another would if weaker ones counted."""
    open_question = False
    for i in range(blocks.shape[0]):
        for j in range(blocks.shape[1]):
            block = marks[i * BLOCK_PX : (i + 1) * BLOCK_PX, j * BLOCK_PX : (j + 1) * BLOCK_PX]
            blocks[i, j] = _has_enough(block, least)
            if not blocks[i, j] and _has_enough(block, weaker):
                open_question = True
    return open_question


@jit()
def _has_enough(block: NDArray[np.uint8], least: int) -> bool:
    count = 0
    for row in range(block.shape[0]):
        for column in range(block.shape[1]):
            count += block[row, column] >= least
        if count >= EDGE_BLOCK_PIXELS:
            return True
    return False
