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
Places   memory, or a graphics card (see ``thgeval.kernels.places``); scores come back to memory.
Ties     Distances are Euclidean, and every comparison is one of float64 sums of squared differences of the rows as
         given: products of matrices, where they are used, only tell which pairs are too close to
         call. So equal distances compare equal, a
         row and its copy are at distance 0, and the order of rows has no say. Distinct rows score precision, recall and
         coverage of 1 against themselves, and a density of 1 without ties.
Empty    As "nearer" is strict, the ball of a row that is there more than ``nearest`` times has radius 0 and can't hold
         even the row's copy: held frames of a video are such rows. Nothing can be measured by it, and the program of
         the paper counts 0. Here coverage leaves the reference rows with such a ball out; precision and density leave
         out generated rows that lie at the centre of one and in no other ball, recall such reference rows. All else
         is as published. Where every ball of the reference has radius 0 there is no precision, density or coverage,
         and no recall where every ball of either side has: NaN.
Errors   ProtocolError for shapes, types and parameters; InputError (``too few rows``, ``not finite``) for rows.
Source   Naeem, Oh, Uh, Choi and Yoo, ICML 2020 (density, coverage); Kynkäänniemi et al., NeurIPS 2019 (precision,
         recall, there with distances up to and including the ball's).
"""

import math
from collections import Counter
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.feature_rows import compared_rows
from thgeval.kernels.places import loops
from thgeval.kernels.prdc import cpu
from thgeval.states.stacked import AnyRows, Groups, Indices, RowMatrix, blocks, checked_groups

__all__ = ["PRDCScores", "empty", "jackknife", "scores"]


class PRDCScores(NamedTuple):
    """The four scores of the module; NaN where there is nothing to measure."""

    precision: float
    recall: float
    density: float
    coverage: float


def scores(generated_rows: AnyRows, reference_rows: AnyRows, *, nearest: int = 5) -> PRDCScores:
    """All four scores from one pass over the pairs of rows; rows and ``nearest`` as the module says."""
    rows = _checked(generated_rows, reference_rows, nearest)
    one = Groups(np.zeros(len(rows[0]), np.intp), np.zeros(len(rows[1]), np.intp), total=1)
    return _scores(rows, nearest, one, left_out=np.array([-1]))[0]


def jackknife(
    generated_rows: AnyRows,
    reference_rows: AnyRows,
    *,
    generated_groups: ArrayLike,
    reference_groups: ArrayLike,
    nearest: int = 5,
) -> list[PRDCScores]:
    """The scores of the rows left when one group at a time is left out, as ``scores`` of them alone would be.

    Groups are labels, (rows,) of either side; a label takes its rows from both, and scores come in the order of the
    sorted labels. Every distance is computed once, so that it takes about as long as the scores of all rows.
    """
    rows = _checked(generated_rows, reference_rows, nearest)
    groups = checked_groups(rows, generated_groups, reference_groups, least=nearest + 1)
    return _scores(rows, nearest, groups, np.arange(groups.total))


def _checked(generated: AnyRows, reference: AnyRows, nearest: int) -> tuple[RowMatrix, RowMatrix]:
    if nearest < 1:
        raise ProtocolError(f"a ball reaches to the first nearest row or a further one, not to number {nearest}.")
    what = f"precision and recall with {nearest} nearest rows"
    return compared_rows(what, generated=generated, reference=reference, least=nearest + 1)


def empty(rows: AnyRows, *, nearest: int) -> int:
    """How many of (rows, dimensions) have a ball of radius 0: those that are there more than ``nearest`` times."""
    times: Counter[bytes] = Counter()
    for _, block in blocks(rows):
        positive = np.ascontiguousarray(block) + 0.0  # -0 becomes 0, the same bytes
        times.update(blake2b(row.tobytes(), digest_size=16).digest() for row in positive)
    return sum(count for count in times.values() if count > nearest)


def _scores(rows: tuple[RowMatrix, RowMatrix], nearest: int, groups: Groups, left_out: Indices) -> list[PRDCScores]:
    hits: cpu.Hits = loops(cpu, *rows).hits(*rows, nearest, groups, left_out)
    return [
        _score(hits, nearest, variant, groups.generated != group, groups.reference != group)
        for variant, group in enumerate(left_out)
    ]


def _score(
    hits: cpu.Hits, nearest: int, variant: int, generated: NDArray[np.bool_], reference: NDArray[np.bool_]
) -> PRDCScores:
    """The scores of the rows that are there under one variant."""
    around = hits.around_generated[generated, variant]
    in_ball, holds = hits.reference[reference, variant].T
    measured = (around > 0) | ~hits.copies_generated[generated, variant]
    recalled = in_ball | ~hits.copies_reference[reference, variant]
    round_it = ~hits.empty_reference[reference, variant]
    any_ball = round_it.any() or not hits.empty_generated[generated, variant].all()
    around = around[measured] if round_it.any() else around[:0]
    return PRDCScores(
        precision=_mean(around > 0),
        recall=_mean(in_ball[recalled]) if any_ball else math.nan,
        density=float(around.sum() / (nearest * len(around))) if len(around) else math.nan,
        coverage=_mean(holds[round_it]),
    )


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else math.nan
