"""Precision, recall, density and coverage of a set of generated feature rows against a reference set.

The ball of a row reaches to its ``nearest``-th nearest other row of the same set, and holds what is strictly nearer.

    precision   share of generated rows in the ball of any reference row            in [0, 1], higher is better
    recall      share of reference rows in the ball of any generated row            in [0, 1], higher is better
    density     mean number of reference balls around a generated row / nearest     >= 0, higher is better, 1 expected
                                                                                    for sets drawn alike
    coverage    share of reference rows whose ball holds any generated row          in [0, 1], higher is better

Rows     (rows, dimensions), float16, float32 or float64, at most 1e60 in size; both sides of the same dimensions, of
         any two numbers of rows, more than ``nearest`` each. They are read in blocks, each several times; memory
         is a few blocks of about 16 MB and, per row, 8 bytes for each group left out.
Ties     Distances are Euclidean, and every comparison is one of float64 sums of squared differences of the rows as
         given: products of matrices only tell which pairs are too close to call. So equal distances compare equal, a
         row and its copy are at distance 0, and the order of rows has no say. As "nearer" is strict, rows repeated
         more than ``nearest`` times have an empty ball: sets of such rows score 0 even against themselves. Distinct
         rows score precision, recall and coverage of 1 against themselves, and a density of 1 without ties.
Errors   ProtocolError for shapes, types and parameters; InputError (``too few rows``, ``not finite``) for rows.
Source   Naeem, Oh, Uh, Choi and Yoo, ICML 2020 (density, coverage); Kynkäänniemi et al., NeurIPS 2019 (precision,
         recall, there with distances up to and including the ball's).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.prdc import cpu
from thgeval.rows import Groups, Indices, Rows, Stacked, checked_groups, checked_rows

__all__ = ["PRDC", "jackknife", "scores"]


class PRDC(NamedTuple):
    """The four scores of the module."""

    precision: float
    recall: float
    density: float
    coverage: float


def scores(generated_rows: Rows, reference_rows: Rows, *, nearest: int = 5) -> PRDC:
    """All four scores from one pass over the pairs of rows; rows and ``nearest`` as the module says."""
    rows = _checked(generated_rows, reference_rows, nearest)
    one = Groups(np.zeros(len(rows[0]), np.intp), np.zeros(len(rows[1]), np.intp), total=1)
    return _scores(rows, nearest, one, left_out=np.array([-1]))[0]


def jackknife(
    generated_rows: Rows,
    reference_rows: Rows,
    *,
    generated_groups: ArrayLike,
    reference_groups: ArrayLike,
    nearest: int = 5,
) -> list[PRDC]:
    """The scores of the rows left when one group at a time is left out, as ``scores`` of them alone would be.

    Groups are labels, (rows,) of either side; a label takes its rows from both, and scores come in the order of the
    sorted labels. Every distance is computed once, so that it takes about as long as the scores of all rows.
    """
    rows = _checked(generated_rows, reference_rows, nearest)
    groups = checked_groups(rows, generated_groups, reference_groups, least=nearest + 1)
    return _scores(rows, nearest, groups, np.arange(groups.total))


def _checked(generated: Rows, reference: Rows, nearest: int) -> tuple[Stacked, Stacked]:
    if nearest < 1:
        raise ProtocolError(f"a ball reaches to the first nearest row or a further one, not to number {nearest}.")
    what = f"precision and recall with {nearest} nearest rows"
    return checked_rows(what, generated=generated, reference=reference, least=nearest + 1)


def _scores(rows: tuple[Stacked, Stacked], nearest: int, groups: Groups, left_out: Indices) -> list[PRDC]:
    hits = cpu.hits(*rows, nearest, groups, left_out)
    found = []
    for variant, group in enumerate(left_out):
        around: NDArray[np.int64] = hits.around_generated[groups.generated != group, variant]
        in_ball, holds = hits.reference[groups.reference != group, variant].T
        found.append(
            PRDC(
                precision=float((around > 0).mean()),
                recall=float(in_ball.mean()),
                density=float(around.sum() / (nearest * len(around))),
                coverage=float(holds.mean()),
            )
        )
    return found
