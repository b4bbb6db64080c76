"""Kernel distances with the BLAS of numpy, by blocks of pairs of rows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.states.stacked import AnyRows, Groups, blocks

BLOCK_ROWS = 2048

Floats = NDArray[np.float64]
Drawn = Sequence[tuple[NDArray[np.int64], ...]]


class Kernel(NamedTuple):
    """(gamma · a·b + coef0)^degree."""

    degree: int
    gamma: float
    coef0: float

    def of(self, left: Floats, right: Floats) -> Floats:
        """Kernels of all pairs: (left rows, right rows)."""
        base: Floats = left.astype(np.float64, copy=False) @ right.astype(np.float64, copy=False).T
        base *= self.gamma
        base += self.coef0
        power = base.copy()
        for _ in range(self.degree - 1):
            power *= base
        return power


def discrepancy(generated: AnyRows, reference: AnyRows, kernel: Kernel) -> Floats:
    """Distance over all pairs: ()."""
    everyone = np.ones((len(generated), 1)), np.ones((len(reference), 1))
    return _discrepancies(generated, reference, *everyone, kernel).reshape(())


def subset_discrepancies(generated: AnyRows, reference: AnyRows, drawn: Drawn, kernel: Kernel) -> Floats:
    """Distances of subsets, given as the generated and the reference rows drawn for each: (subsets,).

    Where subsets overlap so much that all pairs are fewer than the pairs within subsets, every kernel is computed
    once and summed under the members of each subset.
    """
    if pairs_within(drawn) < (len(generated) + len(reference)) ** 2:
        return np.array([discrepancy(generated[ours], reference[theirs], kernel) for ours, theirs in drawn])
    members = np.zeros((len(generated), len(drawn))), np.zeros((len(reference), len(drawn)))
    for subset, chosen in enumerate(drawn):
        for member, rows in zip(members, chosen, strict=True):
            member[rows, subset] = 1
    return _discrepancies(generated, reference, *members, kernel)


def jackknife(generated: AnyRows, reference: AnyRows, groups: Groups, kernel: Kernel) -> Floats:
    """Distances over all pairs of what is left without each group, from one pass over the pairs: (groups,)."""
    numbers = np.arange(groups.total)
    ours, theirs = ((own[:, None] != numbers).astype(np.float64) for own in (groups.generated, groups.reference))
    return _discrepancies(generated, reference, ours, theirs, kernel)


def pairs_within(drawn: Drawn) -> int:
    """Ordered pairs within the two sides of each subset taken together."""
    return sum((len(ours) + len(theirs)) ** 2 for ours, theirs in drawn)


@np.errstate(over="ignore", invalid="ignore")
def _discrepancies(
    generated: AnyRows, reference: AnyRows, generated_members: Floats, reference_members: Floats, kernel: Kernel
) -> Floats:
    """Distances of subsets, given as 1 for members and 0 for others: (rows, subsets) on either side."""
    ours, theirs = generated_members.sum(axis=0), reference_members.sum(axis=0)
    within_generated = _sum_within(generated, generated_members, kernel) / (ours * (ours - 1))
    within_reference = _sum_within(reference, reference_members, kernel) / (theirs * (theirs - 1))
    between = np.zeros(len(ours))
    for left, a in blocks(generated, BLOCK_ROWS):
        for right, b in blocks(reference, BLOCK_ROWS):
            between += _weighted(kernel.of(a, b), generated_members[left], reference_members[right])
    distances: Floats = within_generated + within_reference - 2 * between / (ours * theirs)
    return distances


def _sum_within(rows: AnyRows, members: Floats, kernel: Kernel) -> Floats:
    """Sum over ordered pairs of different members."""
    total = np.zeros(members.shape[1])
    for left, a in blocks(rows, BLOCK_ROWS):
        for right, b in blocks(rows, BLOCK_ROWS, start=left.start):
            kernels = kernel.of(a, b)
            if left == right:
                np.fill_diagonal(kernels, 0)
            total += (1 if left == right else 2) * _weighted(kernels, members[left], members[right])
    return total


def _weighted(kernels: Floats, left: Floats, right: Floats) -> Floats:
    weighted: Floats = ((kernels @ right) * left).sum(axis=0)
    return weighted
