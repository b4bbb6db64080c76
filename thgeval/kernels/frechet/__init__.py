"""Fréchet distance between two sets of feature rows, each taken for a Gaussian.

    d² = |µ1 - µ2|² + Tr S1 + Tr S2 - 2 Tr (S1 S2)^½

Rows     (rows, dimensions), float16, float32 or float64, at most 1e60 in size; both sides of the same dimensions, at
         least two rows each. Everything is float64 and reads the rows in blocks, so memory beyond the rows stays below
         a few matrices of (dimensions, dimensions).
Range    [0, inf), in the squared unit of the features, 0 for equal means and covariances; it is the squared distance
         that FID, FVD and E-FID report. Rounding below 0 is cut off.
Numerics No matrix root is taken. With centred rows X and Y, Tr (S1 S2)^½ is the sum of the singular values of X Yᵀ
         over √((n - ddof)(m - ddof)), also where a covariance is singular. Errors below are relative to
         Tr S1 + Tr S2, which is what cancels where the sets are alike:

         ================================================  =======================================================
         up to 256 rows or dimensions                      singular values of X Yᵀ, or of triangular factors of X
                                                           and Y; error < 1e-11
         fewer rows than dimensions on either side         roots of the eigenvalues of (X Yᵀ)ᵀ X Yᵀ
         more rows than dimensions on both sides           roots of the eigenvalues of Lᵀ S2 L, S1 = L Lᵀ
         ================================================  =======================================================

         Squares lose the small singular values, so the last two ways estimate their own error, with a margin of two
         or more in tests. Where it could exceed 5e-10 (features of a rank below their dimensions, a condition of the
         covariances above about 1e8), or where there is no L, the first way is taken after all, at three to four
         times the cost.
Places   memory, or a graphics card (see ``thgeval.kernels.places``), where means and scatters are computed; what
         follows from them is computed in memory.
Order    Sums follow blocks of rows and the BLAS in use: equal calls give equal bits on one machine with one number of
         threads; another order of the rows agrees to 1e-12 of Tr S1 + Tr S2.
Errors   ProtocolError for shapes, types and parameters; InputError (``too few rows``, ``not finite``) for rows.
Source   Dowson and Landau, J. Multivariate Analysis 12(3), 1982; Heusel et al., NeurIPS 2017 (FID, ddof 1);
         Chong and Forsyth, CVPR 2020 (the limit of infinitely many rows).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.feature_rows import compared_rows
from thgeval.kernels.frechet import cpu
from thgeval.kernels.places import in_memory, loops, on_card
from thgeval.states.stacked import AnyRows, RowMatrix, checked_groups

__all__ = ["distance", "infinity", "jackknife"]

SMALLEST_SUBSET = 5000


def distance(generated_rows: AnyRows, reference_rows: AnyRows, *, ddof: int = 1) -> float:
    """Squared Fréchet distance of two sets of rows.

    Rows are (rows, dimensions) as the module says; covariances are divided by rows - ``ddof``, which is 1 in
    pytorch-fid, clean-fid and the survey's scripts, and 0 in StyleGAN-V's.
    """
    rows = compared_rows("a Fréchet distance", generated=generated_rows, reference=reference_rows, least=2)
    _check_ddof(ddof)
    generated, reference = (loops(cpu, side).row_set(side) for side in rows)
    return cpu.distance(generated, reference, ddof)


def infinity(
    generated_rows: AnyRows,
    reference_rows: AnyRows,
    *,
    seed: int,
    points: int = 15,
    smallest: int = SMALLEST_SUBSET,
    ddof: int = 1,
) -> float:
    """The squared Fréchet distance that infinitely many generated rows would have, by extrapolation.

    Distances of ``points`` random subsets of the generated rows, of evenly spaced sizes from ``smallest`` to all,
    against all reference rows are fitted by a line in 1 / size; its value at 0 is returned. It may be negative where
    the sets are alike. Subsets are drawn without replacement by numpy's default generator from ``seed``.

    The bias is linear in 1 / size only for subsets larger than the dimensions, so ``smallest`` must exceed them, and
    the fit needs at least twice ``smallest`` generated rows: 10 000 with the authors' 5000.
    """
    rows = compared_rows("a Fréchet distance", generated=generated_rows, reference=reference_rows, least=2)
    _check_ddof(ddof)
    if points < 2:
        raise ProtocolError(f"a line needs at least 2 points, not {points}.")
    if smallest <= rows[0].shape[1]:
        raise ProtocolError(
            f"the smallest subset must hold more rows than the {rows[0].shape[1]} dimensions of the features, "
            f"not {smallest}."
        )
    if len(rows[0]) < 2 * smallest:
        raise InputError(
            f"extrapolating from subsets of {smallest} and more needs at least {2 * smallest} generated rows, not "
            f"{len(rows[0])}: add clips, or take the Fréchet distance as it is.",
            reason="too few rows",
        )
    sizes = np.linspace(smallest, len(rows[0]), points).astype(np.int64)
    drawn_from = RowMatrix.of(in_memory(rows[0])) if on_card(rows[0]) else rows[0]
    fixed = loops(cpu, rows[1]).row_set(rows[1])
    return cpu.infinity(drawn_from, fixed, sizes, np.random.default_rng(seed), ddof)


def jackknife(
    generated_rows: AnyRows,
    reference_rows: AnyRows,
    *,
    generated_groups: ArrayLike,
    reference_groups: ArrayLike,
    ddof: int = 1,
) -> NDArray[np.float64]:
    """Squared Fréchet distances of the rows left when one group at a time is left out: (groups,).

    Groups are labels, (rows,) of either side; a label takes its rows from both, and one that only one side has leaves
    the other whole. Distances come in the order of the sorted labels. They equal ``distance`` of the rows left within
    1e-9 of Tr S1 + Tr S2, but with more rows than dimensions the scatter of all rows is computed only once.
    """
    rows = compared_rows("a Fréchet distance", generated=generated_rows, reference=reference_rows, least=2)
    _check_ddof(ddof)
    groups = checked_groups(rows, generated_groups, reference_groups, least=2)
    masks = [(groups.generated == group, groups.reference == group) for group in range(groups.total)]
    generated, reference = (loops(cpu, side).row_set(side) for side in rows)
    return cpu.jackknife(generated, reference, masks, ddof)


def _check_ddof(ddof: int) -> None:
    if ddof not in (0, 1):
        raise ProtocolError(f"covariances are divided by rows - ddof with a ddof of 0 or 1, not {ddof}.")
