"""Kernel distance between two sets of feature rows: squared maximum mean discrepancy under a polynomial kernel.

    k(a, b) = (gamma · a·b + coef0)^degree
    d = mean of k over pairs of different generated rows + mean of k over pairs of different reference rows
        - 2 · mean of k over all pairs of a generated and a reference row

Rows     (rows, dimensions), float16, float32 or float64, at most 1e60 in size; both sides of the same dimensions, of
         any two numbers of rows, at least two each. Kernels and sums are float64 and computed by blocks of rows, so
         memory doesn't grow with the square of their number.
Range    unbiased, so around 0 and of either sign for sets drawn alike, and below 0 for a set and its copy; no unit.
         Many tools print it times 1000.
Kernel   degree 3, gamma 1 / dimensions and coef0 1 make it the Kernel Inception Distance of Inception features.
Subsets  By default all pairs count. With ``subsets`` or ``subset_size`` the distances of random subsets, as large on
         either side, are averaged, as other tools do: the same expectation with more noise.
Places   memory, or a graphics card (see ``thgeval.kernels.places``); distances come back to memory.
Order    Sums follow blocks of rows and the BLAS in use: equal calls give equal bits on one machine with one number of
         threads; another order of the rows agrees to 1e-12 of the mean kernel.
Errors   ProtocolError for shapes, types and parameters; InputError (``too few rows``, ``not finite``) for rows.
Source   Bińkowski, Sutherland, Arbel and Gretton, ICLR 2018; Gretton et al., JMLR 13, 2012, equation 3.
"""

from math import inf, isfinite, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.feature_rows import compared_rows
from thgeval.kernels.kid import cpu
from thgeval.kernels.places import loops
from thgeval.states.stacked import AnyRows, checked_groups

__all__ = ["KernelDistance", "distance", "jackknife"]

SUBSETS = 100
SUBSET_SIZE = 1000


class KernelDistance(NamedTuple):
    """The distance, and how much it differs between subsets.

    ``std`` is the standard deviation of the subsets' distances (divided by their number, as torchmetrics does), not
    the error of ``mean``; NaN where all pairs were used.
    """

    mean: float
    std: float


def distance(
    generated_rows: AnyRows,
    reference_rows: AnyRows,
    *,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
    subset_size: int | None = None,
    subsets: int | None = None,
    seed: int | None = None,
) -> KernelDistance:
    """Unbiased squared maximum mean discrepancy of two sets of rows; a ``gamma`` of None is 1 / dimensions.

    If ``subset_size`` or ``subsets`` is given (the other is then 1000 rows or 100 subsets), each subset draws its
    generated and then its reference rows without replacement, by numpy's default generator from ``seed``.
    """
    if subset_size is None and subsets is None:
        rows = compared_rows("a kernel distance", generated=generated_rows, reference=reference_rows, least=2)
        kernel = _kernel(rows[0].shape[1], degree, gamma, coef0)
        return KernelDistance(float(_finite(loops(cpu, *rows).discrepancy(*rows, kernel))), nan)
    size = SUBSET_SIZE if subset_size is None else subset_size
    count = SUBSETS if subsets is None else subsets
    if size < 2 or count < 1:
        raise ProtocolError(f"a kernel distance takes 1 subset or more of 2 rows or more, not {count} of {size}.")
    if seed is None:
        raise ProtocolError("random subsets need a seed, so that the distance can be computed again.")
    what = f"a kernel distance of subsets of {size} rows"
    rows = compared_rows(what, generated=generated_rows, reference=reference_rows, least=size)
    kernel = _kernel(rows[0].shape[1], degree, gamma, coef0)
    rng = np.random.default_rng(seed)
    drawn = [tuple(rng.choice(len(side), size, replace=False) for side in rows) for _ in range(count)]
    distances = _finite(loops(cpu, *rows).subset_discrepancies(*rows, drawn, kernel))
    return KernelDistance(float(distances.mean()), float(distances.std()))


def jackknife(
    generated_rows: AnyRows,
    reference_rows: AnyRows,
    *,
    generated_groups: ArrayLike,
    reference_groups: ArrayLike,
    degree: int = 3,
    gamma: float | None = None,
    coef0: float = 1.0,
) -> NDArray[np.float64]:
    """Distances over all pairs of the rows left when one group at a time is left out: (groups,).

    Groups are labels, (rows,) of either side; a label takes its rows from both, and distances come in the order of the
    sorted labels. Every kernel is computed once, so that it takes as long as one distance of all rows.
    """
    rows = compared_rows("a kernel distance", generated=generated_rows, reference=reference_rows, least=2)
    groups = checked_groups(rows, generated_groups, reference_groups, least=2)
    return _finite(loops(cpu, *rows).jackknife(*rows, groups, _kernel(rows[0].shape[1], degree, gamma, coef0)))


def _kernel(dimensions: int, degree: int, gamma: float | None, coef0: float) -> cpu.Kernel:
    scale = 1 / dimensions if gamma is None else gamma
    if degree < 1 or not 0 < scale < inf or not isfinite(coef0):
        raise ProtocolError(
            f"a polynomial kernel has a degree of 1 or more, a positive gamma and a finite coef0, not degree {degree}, "
            f"gamma {gamma} and coef0 {coef0}."
        )
    return cpu.Kernel(degree, scale, coef0)


def _finite(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(distances).all():
        raise InputError(
            "features are too large for this kernel: its sums overflow; check the network, or choose a smaller gamma.",
            reason="not finite",
        )
    return distances
