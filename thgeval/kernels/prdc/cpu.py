"""Who lies in whose ball: products of matrices by BLAS, and a loop for the pairs that they leave open.

|a - b|² = |a|² + |b|² - 2 a·b is quick and wrong by up to ``slack``, a multiple of |a|² + |b|². Comparisons that this
could turn round are made anew from the differences of the two rows.

Everything is computed under several *variants* at once, each of which leaves one group of rows out (-1: none): the
distances, which take the time, are the same in all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval.states.stacked import AnyArray, Groups, Indices, RowMatrix, blocks

BLOCK_ROWS = 1024
LEFT_BLOCKS = 2  # of rows that a block is compared with before it is let go

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Hits:
    """What the four scores are made of, for each row under each variant.

    ``around_generated`` counts the reference balls around a row: (rows, variants). ``reference`` says whether a row
    lies in a generated ball, and whether its ball holds any generated row: (rows, variants, 2).

    A ball of radius 0 holds nothing. ``empty_generated`` and ``empty_reference`` say whose ball that is, and
    ``copies_generated`` and ``copies_reference`` which rows lie at the centre of such a ball of the other side: each
    (rows, variants).
    """

    around_generated: NDArray[np.int64]
    reference: NDArray[np.bool_]
    empty_generated: NDArray[np.bool_]
    empty_reference: NDArray[np.bool_]
    copies_generated: NDArray[np.bool_]
    copies_reference: NDArray[np.bool_]


class Pairs(NamedTuple):
    """Bounds of the squared distances between two blocks of rows, and the places of the blocks in their sets."""

    left: slice
    right: slice
    left_rows: AnyArray
    right_rows: AnyArray
    low: Floats
    high: Floats


def hits(generated: RowMatrix, reference: RowMatrix, nearest: int, groups: Groups, left_out: Indices) -> Hits:
    """Compare every pair of rows with the balls of both, under variants that leave the groups ``left_out`` out."""
    generated_reach = reach(generated, nearest, groups.generated, left_out, groups.total)
    reference_reach = reach(reference, nearest, groups.reference, left_out, groups.total)
    here, there = ((len(side), len(left_out)) for side in (generated, reference))
    found = Hits(
        around_generated=np.zeros(here, np.int64),
        reference=np.zeros((*there, 2), np.bool_),
        empty_generated=generated_reach == 0,
        empty_reference=reference_reach == 0,
        copies_generated=np.zeros(here, np.bool_),
        copies_reference=np.zeros(there, np.bool_),
    )
    for pairs in _pairs(reference, generated):
        _count(
            pairs,
            reference_reach[pairs.left],
            generated_reach[pairs.right],
            groups.reference[pairs.left],
            groups.generated[pairs.right],
            left_out,
            found.around_generated[pairs.right],
            found.reference[pairs.left],
            found.copies_generated[pairs.right],
            found.copies_reference[pairs.left],
        )
    return found


def reach(rows: RowMatrix, nearest: int, numbers: Indices, left_out: Indices, groups: int) -> Floats:
    """Squared distance of each row to its ``nearest``-th nearest other one under each variant: (rows, variants).

    Each row keeps the ``nearest`` smallest distances to every group, which is enough for all variants.
    """
    found = np.empty((len(rows), len(left_out)))
    for pairs in _pairs(rows, rows):
        if not pairs.right.start:
            bounds, exact = np.full((2, len(pairs.low), groups, nearest), np.inf)
        own = np.arange(max(pairs.left.start, pairs.right.start), min(pairs.left.stop, pairs.right.stop))
        pairs.low[own - pairs.left.start, own - pairs.right.start] = np.nan  # within no limit, not even infinity
        pairs.high[own - pairs.left.start, own - pairs.right.start] = np.inf
        _keep_smallest(pairs.high, numbers[pairs.right], bounds)
        limits = np.minimum(bounds[:, :, -1], _nearest(bounds, left_out).max(axis=1)[:, None])
        _keep_nearest(pairs, limits, numbers[pairs.right], exact)
        found[pairs.left] = _nearest(exact, left_out)
    return found


def _pairs(left: RowMatrix, right: RowMatrix) -> Iterator[Pairs]:
    """All pairs of rows, block by block: every right block against one left block, then against the next.

    Rows are moved to the middle of the right ones, which leaves distances alone and keeps slack small.
    """
    total = np.zeros(right.shape[1])
    for _, block in blocks(right, BLOCK_ROWS):
        total += block.sum(axis=0, dtype=np.float64)
    middle = total / len(right)
    slack = 8 * (left.shape[1] + 8) * float(np.finfo(np.float64).eps)
    for here, left_rows in blocks(left, LEFT_BLOCKS * BLOCK_ROWS):
        a = left_rows - middle
        for there, right_rows in blocks(right, BLOCK_ROWS):
            b = right_rows - middle
            products = a @ b.T
            sums = np.add.outer(np.einsum("ij,ij->i", a, a), np.einsum("ij,ij->i", b, b))
            products *= -2
            products += sums
            sums *= slack
            low = products - sums
            products += sums
            yield Pairs(here, there, _readable(left_rows), _readable(right_rows), low, products)


def _readable(rows: AnyArray) -> AnyArray:
    """Rows in a type and order that the loops take."""
    return np.ascontiguousarray(rows, dtype=np.float32 if rows.dtype == np.float16 else None)


@jit()
def _squared_distance(a: AnyArray, b: AnyArray) -> float:
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
def _insert(value: float, smallest: Floats) -> None:
    """Put a value among the smallest, (values,) in rising order, in place of the largest."""
    place = len(smallest) - 1
    if value >= smallest[place]:
        return
    while place > 0 and smallest[place - 1] > value:
        smallest[place] = smallest[place - 1]
        place -= 1
    smallest[place] = value


@jit()
def _keep_smallest(values: Floats, numbers: Indices, smallest: Floats) -> None:
    """The smallest values of each row by the group of their column: (rows, groups, values)."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            _insert(values[i, j], smallest[i, numbers[j]])


@jit()
def _keep_nearest(pairs: Pairs, limits: Floats, numbers: Indices, smallest: Floats) -> None:
    """The smallest distances of each row by group, of those that may be within the group's limit: (rows, groups)."""
    for i in range(pairs.low.shape[0]):
        for j in range(pairs.low.shape[1]):
            if pairs.low[i, j] <= limits[i, numbers[j]]:
                _insert(_squared_distance(pairs.left_rows[i], pairs.right_rows[j]), smallest[i, numbers[j]])


@jit()
def _nearest(smallest: Floats, left_out: Indices) -> Floats:
    """The ``nearest``-th smallest of each row under each variant, from the smallest by group: (rows, variants)."""
    rows, groups, nearest = smallest.shape
    found = np.empty((rows, len(left_out)))
    held = np.empty(nearest)
    for i in range(rows):
        for variant in range(len(left_out)):
            held[:] = np.inf
            for group in range(groups):
                if group != left_out[variant]:
                    for value in smallest[i, group]:
                        if value >= held[nearest - 1]:
                            break
                        _insert(value, held)
            found[i, variant] = held[nearest - 1]
    return found


@jit()
def _count(
    pairs: Pairs,
    reference_reach: Floats,
    generated_reach: Floats,
    reference_numbers: Indices,
    generated_numbers: Indices,
    left_out: Indices,
    around_generated: NDArray[np.int64],
    reference_found: NDArray[np.bool_],
    copies_generated: NDArray[np.bool_],
    copies_reference: NDArray[np.bool_],
) -> None:
    """Who is strictly nearer than whose reach, or at the very centre of a reach of 0, exactly, under each variant."""
    farthest = np.array([reach.max() for reach in generated_reach])
    for i in range(pairs.low.shape[0]):
        far = reference_reach[i].max()
        for j in range(pairs.low.shape[1]):
            nearer, farther = pairs.low[i, j], pairs.high[i, j]
            if nearer > 0 and nearer >= far and nearer >= farthest[j]:
                continue
            for variant in range(len(left_out)):
                if left_out[variant] == reference_numbers[i] or left_out[variant] == generated_numbers[j]:
                    continue
                mine, theirs = reference_reach[i, variant], generated_reach[j, variant]
                if nearer < mine <= farther or nearer < theirs <= farther or nearer <= 0 < farther:
                    nearer = farther = _squared_distance(pairs.left_rows[i], pairs.right_rows[j])
                if farther == 0:
                    copies_generated[j, variant] |= mine == 0
                    copies_reference[i, variant] |= theirs == 0
                if farther < mine:
                    around_generated[j, variant] += 1
                    reference_found[i, variant, 1] = True
                if farther < theirs:
                    reference_found[i, variant, 0] = True
