"""Who lies in whose ball: products of matrices by BLAS, and a loop for the pairs that they leave open.

|a - b|² = |a|² + |b|² - 2 a·b is quick and wrong by up to ``slack``, a multiple of |a|² + |b|². Comparisons that this
could turn round are made anew from the differences of the two rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

BLOCK_ROWS = 1024
BLOCK_PAIRS = 1 << 21

Rows = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Hits:
    """Counts that the four scores are made of."""

    around_generated: NDArray[np.int64]  # reference balls around each generated row: (rows,)
    reference: NDArray[np.bool_]  # (rows, 2): whether each lies in a generated ball, whether its ball holds any


def hits(generated: Rows, reference: Rows, nearest: int) -> Hits:
    """Compare every pair of rows with the balls of both."""
    generated, reference = (_readable(rows) for rows in (generated, reference))
    generated_reach, reference_reach = reach(generated, nearest), reach(reference, nearest)
    found = Hits(np.zeros(len(generated), np.int64), np.zeros((len(reference), 2), np.bool_))
    for first, low, high in _bounds(reference, generated):
        part = slice(first, first + len(low))
        _count(
            low,
            high,
            reference[part],
            generated,
            reference_reach[part],
            generated_reach,
            found.around_generated,
            found.reference[part],
        )
    return found


def reach(rows: Rows, nearest: int) -> Floats:
    """Squared distance of each row to its ``nearest``-th nearest other one: (rows,)."""
    found = np.empty(len(rows))
    for first, low, high in _bounds(rows, rows):
        own = np.arange(len(low))
        low[own, first + own] = np.inf
        high[own, first + own] = np.inf
        limits = np.partition(high, nearest - 1, axis=1)[:, nearest - 1]
        _nearest(low, limits, rows[first : first + len(low)], rows, nearest, found[first : first + len(low)])
    return found


def _bounds(left: Rows, right: Rows) -> Iterator[tuple[int, Floats, Floats]]:
    """Bounds of the squared distances between a block of left rows and all right rows, with the block's first row.

    Rows are moved to the middle of the right ones, which leaves distances alone and keeps slack small.
    """
    middle = right.mean(axis=0, dtype=np.float64)
    step = max(1, min(BLOCK_ROWS, BLOCK_PAIRS // len(right)))
    slack = 8 * (left.shape[1] + 8) * float(np.finfo(np.float64).eps)
    for first in range(0, len(left), step):
        a = left[first : first + step] - middle
        sums = np.empty((len(a), len(right)))
        products = np.empty((len(a), len(right)))
        for start in range(0, len(right), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            b = right[part] - middle
            np.matmul(a, b.T, out=products[:, part])
            np.add.outer(np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b), out=sums[:, part])
        products *= -2
        products += sums
        sums *= slack
        low = products - sums
        yield first, low, np.add(products, sums, out=products)


def _readable(rows: Rows) -> Rows:
    """Rows in a type and order that the loops take."""
    return np.ascontiguousarray(rows, dtype=np.float32 if rows.dtype == np.float16 else None)


@jit()
def _squared_distance(a: Rows, b: Rows) -> float:
    """Sum of squared differences, in four sums of every fourth column: the same bits wherever it is compiled into."""
    first = second = third = fourth = np.float64(0)
    whole = len(a) // 4 * 4
    for column in range(0, whole, 4):
        first += (np.float64(a[column]) - np.float64(b[column])) ** 2
        second += (np.float64(a[column + 1]) - np.float64(b[column + 1])) ** 2
        third += (np.float64(a[column + 2]) - np.float64(b[column + 2])) ** 2
        fourth += (np.float64(a[column + 3]) - np.float64(b[column + 3])) ** 2
    for column in range(whole, len(a)):
        first += (np.float64(a[column]) - np.float64(b[column])) ** 2
    return first + second + third + fourth


@jit()
def _nearest(low: Floats, limits: Floats, block: Rows, rows: Rows, nearest: int, found: Floats) -> None:
    """The ``nearest``-th smallest distance from each row of a block, among those that may be below its limit."""
    best = np.empty(nearest)
    for i in range(len(low)):
        best[:] = np.inf
        for j in range(low.shape[1]):
            if low[i, j] > limits[i]:
                continue
            distance = _squared_distance(block[i], rows[j])
            place = nearest - 1
            if distance >= best[place]:
                continue
            while place > 0 and best[place - 1] > distance:
                best[place] = best[place - 1]
                place -= 1
            best[place] = distance
        found[i] = best[nearest - 1]


@jit()
def _count(
    low: Floats,
    high: Floats,
    reference: Rows,
    generated: Rows,
    reference_reach: Floats,
    generated_reach: Floats,
    around_generated: NDArray[np.int64],
    reference_found: NDArray[np.bool_],
) -> None:
    """Who is strictly nearer than whose reach, exactly."""
    for i in range(len(low)):
        for j in range(low.shape[1]):
            nearer, farther = low[i, j], high[i, j]
            in_reference, in_generated = farther < reference_reach[i], farther < generated_reach[j]
            open_reference = not in_reference and nearer < reference_reach[i]
            open_generated = not in_generated and nearer < generated_reach[j]
            if open_reference or open_generated:
                distance = _squared_distance(reference[i], generated[j])
                in_reference, in_generated = distance < reference_reach[i], distance < generated_reach[j]
            if in_reference:
                around_generated[j] += 1
                reference_found[i, 1] = True
            if in_generated:
                reference_found[i, 0] = True
