"""Precision, recall, density and coverage of a set of generated feature rows against a reference set.

The ball of a row reaches to its ``nearest``-th nearest other row of the same set, and holds what is strictly nearer.

    precision   share of generated rows in the ball of any reference row            in [0, 1], higher is better
    recall      share of reference rows in the ball of any generated row            in [0, 1], higher is better
    density     mean number of reference balls around a generated row / nearest     >= 0, higher is better, 1 expected
                                                                                    for sets drawn alike
    coverage    share of reference rows whose ball holds any generated row          in [0, 1], higher is better

Rows     (rows, dimensions), float16, float32 or float64, at most 1e60 in size; both sides of the same dimensions, of
         any two numbers of rows, more than ``nearest`` each. Memory beyond the rows is a few blocks of about 16 MB.
Ties     Distances are Euclidean, and every comparison is one of float64 sums of squared differences of the rows as
         given: products of matrices only tell which pairs are too close to call. So equal distances compare equal, a
         row and its copy are at distance 0, and the order of rows has no say. As "nearer" is strict, rows repeated
         more than ``nearest`` times have an empty ball: sets of such rows score 0 even against themselves. Distinct
         rows score precision, recall and coverage of 1 against themselves, and a density of 1 without ties.
Errors   ProtocolError for shapes, types and parameters; InputError (``too few rows``, ``not finite``) for rows.
Source   Naeem, Oh, Uh, Choi and Yoo, ICML 2020 (density, coverage); Kynkäänniemi et al., NeurIPS 2019 (precision,
         recall, there with distances up to and including the ball's).
"""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.frechet import checked_rows
from thgeval.kernels.prdc import cpu

__all__ = ["PRDC", "scores"]


class PRDC(NamedTuple):
    """The four scores of the module."""

    precision: float
    recall: float
    density: float
    coverage: float


def scores(generated_rows: NDArray[Any], reference_rows: NDArray[Any], *, nearest: int = 5) -> PRDC:
    """All four scores from one pass over the pairs of rows; rows and ``nearest`` as the module says."""
    if nearest < 1:
        raise ProtocolError(f"a ball reaches to the first nearest row or a further one, not to number {nearest}.")
    generated, reference = checked_rows(
        f"precision and recall with {nearest} nearest rows",
        generated=generated_rows,
        reference=reference_rows,
        least=nearest + 1,
    )
    hits = cpu.hits(generated, reference, nearest)
    return PRDC(
        precision=float((hits.around_generated > 0).mean()),
        recall=float(hits.reference[:, 0].mean()),
        density=float(hits.around_generated.sum() / (nearest * len(generated))),
        coverage=float(hits.reference[:, 1].mean()),
    )
