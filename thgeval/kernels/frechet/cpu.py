"""Fréchet distance with the BLAS and LAPACK of numpy and scipy.

Throughout, a side stands for rows Z whose products ZᵀZ are the scatter of its rows about their mean: one row fewer
than it has, so that sets of fewer rows than dimensions have no singular value that is zero by construction.
tests/kernels/test_frechet.py bounds every way to the sum of singular values against another one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, eigh, lapack

from thgeval.states.stacked import AnyRows, RowMatrix, blocks

BLOCK_ROWS = 1024
CACHED_ROWS = 128  # of which sums are taken while they are in the cache
DIRECT = 256  # singular values of so many rows or dimensions cost little next to the products before them
TOLERANCE = 5e-10  # of Tr S1 + Tr S2, on the distance
EPSILON = float(np.finfo(np.float64).eps)

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RowSet:
    """One set of rows: (rows, dimensions), any float type. They are only ever read in blocks."""

    rows: AnyRows

    @property
    def rank(self) -> int:
        """The most that the rank of the scatter can be."""
        count, dimensions = self.rows.shape
        return min(int(count) - 1, int(dimensions))

    @cached_property
    def origin(self) -> Matrix:
        """The first row. Differences from it are exactly zero in columns that don't change."""
        first: Matrix = self.rows[:1][0].astype(np.float64)
        return first

    @cached_property
    def drift(self) -> Matrix:
        """Mean of the rows, from the origin."""
        total = np.zeros_like(self.origin)
        for _, block in blocks(self.rows, BLOCK_ROWS):
            for start in range(0, len(block), CACHED_ROWS):
                total += np.subtract(block[start : start + CACHED_ROWS], self.origin, dtype=np.float64).sum(axis=0)
        return total / len(self.rows)

    @property
    def tall(self) -> int:
        """Rows for a block that is factored: with fewer, the same triangle would be factored too often."""
        return max(BLOCK_ROWS, 2 * len(self.origin))

    def blocks(self, step: int) -> Iterator[Matrix]:
        """Rows Z in order, ``step`` at once.

        Mirroring the centred rows so that the vector of ones falls on the first row empties that row, as their sum is
        zero, and leaves (row - origin) - drift · √n / (√n + 1) of the others.
        """
        root = sqrt(len(self.rows))
        shift = self.drift * (root / (root + 1))
        for _, rows in blocks(self.rows, step, start=1):
            block: Matrix = np.subtract(rows, self.origin, dtype=np.float64)
            block -= shift
            yield block

    @cached_property
    def factor(self) -> Matrix:
        """A matrix of ``rank`` rows whose products are the scatter."""
        return triangle(self.blocks(self.tall))

    @cached_property
    def scatter(self) -> Matrix:
        """Products of the rows: (dimensions, dimensions)."""
        return products(self.blocks(BLOCK_ROWS))

    @cached_property
    def size(self) -> float:
        """Frobenius norm of the scatter."""
        return float(np.linalg.norm(self.scatter))

    @cached_property
    def trace(self) -> float:
        """Sum of the squared distances of the rows from their mean."""
        if self.rank == self.rows.shape[1]:
            return float(np.trace(self.scatter))
        return float(np.vdot(self.factor, self.factor))

    def without(self, group: Mask) -> "Remainder":
        """The scatter of the rows outside a group, with what it takes to place them."""
        left_out = RowSet(_chosen(self.rows, group))
        gone, kept = len(left_out.rows), len(self.rows) - len(left_out.rows)
        if not gone:
            return Remainder(kept, self.drift, self.scatter)
        middle = self.origin + self.drift
        shift = (left_out.origin - middle) + left_out.drift  # from the mean of all to the mean of these
        own = left_out.scatter if gone > 1 else 0.0
        scatter = own + np.outer(shift, shift) * (gone * len(self.rows) / kept)
        return Remainder(kept, self.drift - shift * (gone / kept), self.scatter - scatter)


def row_set(rows: AnyRows) -> RowSet:
    """One set of rows."""
    return RowSet(rows)


class Remainder(NamedTuple):
    """How many rows are left of a side, their mean from the side's origin, and their scatter."""

    kept: int
    drift: Matrix
    scatter: Matrix


class Roots(NamedTuple):
    """Sum of the roots of eigenvalues, and how far rounding may have moved it."""

    total: float
    doubt: float


def distance(generated: RowSet, reference: RowSet, ddof: int) -> float:
    """Squared Fréchet distance of two sides."""
    gap = (generated.origin - reference.origin) + (generated.drift - reference.drift)
    dividers = len(generated.rows) - ddof, len(reference.rows) - ddof
    spread = generated.trace / dividers[0] + reference.trace / dividers[1]
    unit = sqrt(dividers[0] * dividers[1])
    shared = shared_spread(generated, reference, allowed=TOLERANCE / 2 * spread * unit) / unit
    return _total(gap, spread, shared)


def jackknife(generated: RowSet, reference: RowSet, groups: Sequence[tuple[Mask, Mask]], ddof: int) -> Matrix:
    """Distances of what is left without each group, given as the rows of either side that are in it: (groups,)."""
    return np.array([_without(generated, reference, group, ddof) for group in groups])


def _without(generated: RowSet, reference: RowSet, group: tuple[Mask, Mask], ddof: int) -> float:
    """From the scatters of all rows less the group's own, unless so little is left that the difference loses digits."""
    if min(np.count_nonzero(~group[0]), np.count_nonzero(~group[1])) > len(generated.origin):
        first, second = generated.without(group[0]), reference.without(group[1])
        dividers = first.kept - ddof, second.kept - ddof
        spread = float(np.trace(first.scatter) / dividers[0] + np.trace(second.scatter) / dividers[1])
        unit = sqrt(dividers[0] * dividers[1])
        roots = by_covariances(first.scatter, second.scatter, scale=generated.size * reference.size)
        lost = 10 * EPSILON * (generated.trace / dividers[0] + reference.trace / dividers[1])
        if lost + roots.doubt / unit <= TOLERANCE / 2 * spread:
            gap = (generated.origin - reference.origin) + (first.drift - second.drift)
            return _total(gap, spread, roots.total / unit)
    return distance(RowSet(_chosen(generated.rows, ~group[0])), RowSet(_chosen(reference.rows, ~group[1])), ddof)


def _chosen(rows: AnyRows, mask: Mask) -> RowMatrix:
    return RowMatrix.of(rows).chosen(np.flatnonzero(mask))


def _total(gap: Matrix, spread: float, shared: float) -> float:
    return max(0.0, float(gap @ gap) + spread - 2 * shared)


def infinity(
    generated: RowMatrix, reference: RowSet, sizes: NDArray[np.int64], rng: np.random.Generator, ddof: int
) -> float:
    """Where the line through distances over 1 / size meets 0; subsets are prefixes of fresh permutations."""
    subsets = (RowSet(generated.chosen(rng.permutation(len(generated))[:size])) for size in sizes)
    distances = np.array([distance(subset, reference, ddof) for subset in subsets])
    inverse = 1 / sizes
    offset = inverse - inverse.mean()
    slope = float(offset @ distances) / float(offset @ offset)
    return float(distances.mean()) - slope * float(inverse.mean())


def shared_spread(generated: RowSet, reference: RowSet, allowed: float) -> float:
    """Sum of the singular values of X Yᵀ, wrong by no more than ``allowed``, by the fastest way that can promise it."""
    small, large = sorted((generated, reference), key=lambda side: side.rank)
    full = small.rank == len(small.origin)
    if small.rank > DIRECT:
        if full:
            roots = by_covariances(small.scatter, large.scatter, scale=small.size * large.size)
        else:
            roots = by_rows(small, large)
        if roots.doubt <= allowed:
            return roots.total
    if full:
        return singular_sum(small.factor @ large.factor.T)
    return singular_sum(triangle(block @ small.factor.T for block in large.blocks(large.tall)))


def by_rows(small: RowSet, large: RowSet) -> Roots:
    """Sum of the singular values by their squares, where one side has fewer rows than dimensions."""
    square = products(block @ small.factor.T for block in large.blocks(BLOCK_ROWS))
    return eigenvalue_roots(square, float(np.linalg.norm(square)))


def by_covariances(first: Matrix, second: Matrix, scale: float) -> Roots:
    """Trace of the root of the product of two covariances, by the eigenvalues of Lᵀ S2 L with S1 = L Lᵀ.

    ``scale`` is the product of the norms of what the two were computed from. Dimensions in which either side never
    changes add nothing and are left out. Doubt is infinite if S1 is singular.
    """
    alive = (np.diag(first) > 0) & (np.diag(second) > 0)
    if not alive.all():
        first, second = (matrix[np.ix_(alive, alive)] for matrix in (first, second))
    if not alive.any():
        return Roots(0.0, 0.0)
    lower, failed = lapack.dpotrf(first, lower=1, clean=0)
    if failed:
        return Roots(0.0, inf)
    # Two products rather than LAPACK's dsygst, whose many small steps wait for each other on a busy machine.
    half = blas.dtrmm(1.0, lower, second, side=1, lower=1)
    square = blas.dtrmm(1.0, lower, half, trans_a=1, lower=1, overwrite_b=1)
    return eigenvalue_roots(square, scale)


def eigenvalue_roots(square: Matrix, scale: float) -> Roots:
    """Sum of the roots of the eigenvalues of a matrix without negative ones, given by its lower triangle.

    An eigenvalue is off by about ε · scale / size, which moves a root by half of that over the root; a factor of 10
    covers the worst seen, which was 4. Eigenvalues lost in rounding each leave a root of noise.
    """
    eigenvalues = eigh(square, lower=True, eigvals_only=True, driver="evd", check_finite=False, overwrite_a=True)
    noise = EPSILON * scale / sqrt(len(eigenvalues))
    sound = np.sqrt(eigenvalues[eigenvalues > noise])
    lost = len(eigenvalues) - len(sound)
    doubt = 10 * EPSILON * scale / len(eigenvalues) * float((1 / sound).sum()) + 2 * lost * sqrt(noise)
    return Roots(float(np.sqrt(np.maximum(eigenvalues, 0)).sum()), doubt)


def singular_sum(matrix: Matrix) -> float:
    """Sum of the singular values, 0 of an empty matrix."""
    return float(np.linalg.svd(matrix, compute_uv=False).sum()) if matrix.size else 0.0


def products(blocks: Iterator[Matrix]) -> Matrix:
    """Sum of BᵀB over the blocks: (columns, columns)."""
    block = next(blocks)
    total: Matrix = blas.dsyrk(1.0, block.T, lower=1)
    for block in blocks:
        total = blas.dsyrk(1.0, block.T, beta=1.0, c=total, lower=1, overwrite_c=1)
    for start in range(0, len(total), CACHED_ROWS):
        stop = start + CACHED_ROWS
        corner = np.tril(total[start:stop, start:stop])
        total[start:stop, start:stop] = corner + np.tril(corner, -1).T
        total[start:stop, stop:] = total[stop:, start:stop].T
    return total


def triangle(blocks: Iterator[Matrix]) -> Matrix:
    """A matrix with the same products as the blocks stacked, and no more rows than columns."""
    held = _no_taller_than_wide(next(blocks))
    for block in blocks:
        held = _no_taller_than_wide(np.concatenate([held, block]))
    return held


def _no_taller_than_wide(matrix: Matrix) -> Matrix:
    if matrix.shape[0] <= matrix.shape[1]:
        return matrix
    reduced: Matrix = np.linalg.qr(matrix, mode="r")  # type: ignore[assignment]
    return reduced
