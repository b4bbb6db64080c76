"""Fréchet distance with the BLAS and LAPACK of numpy and scipy.

Throughout, a side stands for rows Z whose products ZᵀZ are the scatter of its rows about their mean: one row fewer
than it has, so that sets of fewer rows than dimensions have no singular value that is zero by construction.
tests/kernels/test_frechet.py bounds every way to the sum of singular values against another one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, blas, cholesky, eigh

BLOCK_ROWS = 4096
DIRECT = 256  # singular values of so many rows or dimensions cost little next to the products before them
TOLERANCE = 5e-10  # of Tr S1 + Tr S2, on the distance
LEFT = 1e-3  # of all spread: less than this is computed from the rows that are left
EPSILON = float(np.finfo(np.float64).eps)

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Side:
    """One set of rows: (rows, dimensions), any float type."""

    rows: NDArray[np.floating[Any]]

    @property
    def rank(self) -> int:
        """The most that the rank of the scatter can be."""
        count, dimensions = self.rows.shape
        return min(int(count) - 1, int(dimensions))

    @cached_property
    def origin(self) -> Matrix:
        """The first row. Differences from it are exactly zero in columns that don't change."""
        first: Matrix = self.rows[0].astype(np.float64)
        return first

    @cached_property
    def drift(self) -> Matrix:
        """Mean of the rows, from the origin."""
        total = np.zeros_like(self.origin)
        for start in range(0, len(self.rows), BLOCK_ROWS):
            total += np.subtract(self.rows[start : start + BLOCK_ROWS], self.origin, dtype=np.float64).sum(axis=0)
        return total / len(self.rows)

    def blocks(self) -> Iterator[Matrix]:
        """Rows Z in order, at most ``BLOCK_ROWS`` at once, or twice the dimensions if that is more.

        Mirroring the centred rows so that the vector of ones falls on the first row empties that row, as their sum is
        zero, and leaves (row - origin) - drift · √n / (√n + 1) of the others.
        """
        root = sqrt(len(self.rows))
        shift = self.drift * (root / (root + 1))
        step = max(BLOCK_ROWS, 2 * self.rows.shape[1])
        for start in range(1, len(self.rows), step):
            block: Matrix = np.subtract(self.rows[start : start + step], self.origin, dtype=np.float64)
            block -= shift
            yield block

    @cached_property
    def factor(self) -> Matrix:
        """A matrix of ``rank`` rows whose products are the scatter."""
        return triangle(self.blocks())

    @cached_property
    def scatter(self) -> Matrix:
        """Products of the rows: (dimensions, dimensions)."""
        return products(self.blocks())

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
        rows = np.subtract(self.rows[group], self.origin, dtype=np.float64) - self.drift
        count, total = len(self.rows) - len(rows), rows.sum(axis=0)
        return Remainder(
            count, self.drift - total / count, self.scatter - rows.T @ rows - np.outer(total, total) / count
        )


class Remainder(NamedTuple):
    """How many rows are left of a side, their mean from the side's origin, and their scatter."""

    kept: int
    drift: Matrix
    scatter: Matrix


class Roots(NamedTuple):
    """Sum of the roots of eigenvalues, and how far rounding may have moved it."""

    total: float
    doubt: float


def distance(generated: Side, reference: Side, ddof: int) -> float:
    """Squared Fréchet distance of two sides."""
    gap = (generated.origin - reference.origin) + (generated.drift - reference.drift)
    dividers = len(generated.rows) - ddof, len(reference.rows) - ddof
    spread = generated.trace / dividers[0] + reference.trace / dividers[1]
    unit = sqrt(dividers[0] * dividers[1])
    shared = shared_spread(generated, reference, allowed=TOLERANCE / 2 * spread * unit) / unit
    return _total(gap, spread, shared)


def distance_of_moments(
    generated_mean: Matrix, generated_covariance: Matrix, reference_mean: Matrix, reference_covariance: Matrix
) -> float:
    """Squared Fréchet distance of two Gaussians."""
    gap = generated_mean - reference_mean
    spread = float(np.trace(generated_covariance) + np.trace(reference_covariance))
    roots = Roots(0.0, inf)
    if len(gap) > DIRECT:
        scale = float(np.linalg.norm(generated_covariance) * np.linalg.norm(reference_covariance))
        roots = by_covariances(generated_covariance, reference_covariance, scale)
    if roots.doubt > TOLERANCE / 2 * spread:
        generated_root, reference_root = principal(generated_covariance), principal(reference_covariance)
        roots = Roots(singular_sum(generated_root.T @ reference_root), 0.0)
    return _total(gap, spread, roots.total)


def jackknife(generated: Side, reference: Side, groups: Sequence[tuple[Mask, Mask]], ddof: int) -> Matrix:
    """Distances of what is left without each group, given as the rows of either side that are in it: (groups,)."""
    return np.array([_without(generated, reference, group, ddof) for group in groups])


def _without(generated: Side, reference: Side, group: tuple[Mask, Mask], ddof: int) -> float:
    """From the scatters of all rows less the group's own, unless so little is left that the difference loses digits."""
    if min(np.count_nonzero(~group[0]), np.count_nonzero(~group[1])) > len(generated.origin):
        first, second = generated.without(group[0]), reference.without(group[1])
        dividers = first.kept - ddof, second.kept - ddof
        spread = float(np.trace(first.scatter) / dividers[0] + np.trace(second.scatter) / dividers[1])
        unit = sqrt(dividers[0] * dividers[1])
        roots = by_covariances(first.scatter, second.scatter, scale=generated.size * reference.size)
        least = LEFT * (generated.trace / dividers[0] + reference.trace / dividers[1])
        if roots.doubt <= TOLERANCE / 2 * spread * unit and spread >= least:
            gap = (generated.origin - reference.origin) + (first.drift - second.drift)
            return _total(gap, spread, roots.total / unit)
    return distance(Side(generated.rows[~group[0]]), Side(reference.rows[~group[1]]), ddof)


def _total(gap: Matrix, spread: float, shared: float) -> float:
    return max(0.0, float(gap @ gap) + spread - 2 * shared)


def infinity(
    generated: NDArray[Any], reference: Side, sizes: NDArray[np.int64], rng: np.random.Generator, ddof: int
) -> float:
    """Where the line through distances over 1 / size meets 0; subsets are prefixes of fresh permutations."""
    subsets = (Side(generated[rng.permutation(len(generated))[:size]]) for size in sizes)
    distances = np.array([distance(subset, reference, ddof) for subset in subsets])
    inverse = 1 / sizes
    offset = inverse - inverse.mean()
    slope = float(offset @ distances) / float(offset @ offset)
    return float(distances.mean()) - slope * float(inverse.mean())


def shared_spread(generated: Side, reference: Side, allowed: float) -> float:
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
    return singular_sum(triangle(block @ small.factor.T for block in large.blocks()))


def by_rows(small: Side, large: Side) -> Roots:
    """Sum of the singular values by their squares, where one side has fewer rows than dimensions."""
    square = products(block @ small.factor.T for block in large.blocks())
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
    try:
        lower = cholesky(first, lower=True, check_finite=False)
    except LinAlgError:
        return Roots(0.0, inf)
    # Two products rather than LAPACK's dsygst, whose many small steps wait for each other on a busy machine.
    square = blas.dtrmm(1.0, lower, blas.dtrmm(1.0, lower, second, side=1, lower=1), trans_a=1, lower=1)
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


def principal(covariance: Matrix) -> Matrix:
    """A matrix whose products are the covariance: (dimensions, rank), without what is below rounding."""
    eigenvalues, axes = eigh(covariance, driver="evd", check_finite=False)
    kept = eigenvalues > len(eigenvalues) * EPSILON * max(eigenvalues[-1], 0.0)
    root: Matrix = axes[:, kept] * np.sqrt(eigenvalues[kept])
    return root


def singular_sum(matrix: Matrix) -> float:
    """Sum of the singular values, 0 of an empty matrix."""
    return float(np.linalg.svd(matrix, compute_uv=False).sum()) if matrix.size else 0.0


def products(blocks: Iterator[Matrix]) -> Matrix:
    """Sum of BᵀB over the blocks: (columns, columns)."""
    total = next(blocks)
    total = total.T @ total
    for block in blocks:
        total += block.T @ block
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
