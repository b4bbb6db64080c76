"""Kernel distances on a graphics card: a block compares a few rows with a run of others, tile by tile.

Rows are looked up by lists, so that subsets and groups are runs of a list and nothing is copied. The sums of a row over
each run come back to memory, where they are few.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.cuda_target import SIMULATED, cuda, launch
from thgeval.kernels.kid.cpu import Drawn, Kernel
from thgeval.kernels.places import DeviceArray, in_memory
from thgeval.kernels.reductions import row_sums
from thgeval.states.stacked import Groups

TILE = 4 if SIMULATED else 16
RUN = 1024  # rows that one block compares its own with

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@cuda.jit
def _kernel_sums(left, right, rows, columns, starts, constants, degree, same, sums):
    """Sums of kernels of each row with each run of others, in ``TILE`` parts; a row isn't compared with itself."""
    ours = cuda.shared.array((TILE, TILE), np.float64)
    theirs = cuda.shared.array((TILE, TILE), np.float64)
    down, along = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    place, run = cuda.blockIdx.x * TILE + down, cuda.blockIdx.y
    row = rows[place] if place < rows.size else -1
    total = 0.0
    for first in range(starts[run], starts[run + 1], TILE):
        other = columns[first + down] if first + down < starts[run + 1] else -1
        product = 0.0
        for column in range(0, left.shape[1], TILE):
            here = column + along < left.shape[1]
            ours[down, along] = np.float64(left[row, column + along]) if here and row >= 0 else 0.0
            theirs[down, along] = np.float64(right[other, column + along]) if here and other >= 0 else 0.0
            cuda.syncthreads()
            for k in range(TILE):
                product += ours[down, k] * theirs[along, k]
            cuda.syncthreads()
        if row >= 0 and first + along < starts[run + 1] and not (same and columns[first + along] == row):
            base = constants[0] * product + constants[1]
            power = base
            for _ in range(degree - 1):
                power *= base
            total += power
    if row >= 0:
        sums[place, run * TILE + along] = total


def discrepancy(generated: DeviceArray, reference: DeviceArray, kernel: Kernel) -> Floats:
    """Distance over all pairs: ()."""
    return _distance(generated, reference, np.arange(len(generated)), np.arange(len(reference)), kernel)


def subset_discrepancies(generated: DeviceArray, reference: DeviceArray, drawn: Drawn, kernel: Kernel) -> Floats:
    """Distances of subsets, given as the generated and the reference rows drawn for each: (subsets,)."""
    return np.array([_distance(generated, reference, ours, theirs, kernel) for ours, theirs in drawn])


def jackknife(generated: DeviceArray, reference: DeviceArray, groups: Groups, kernel: Kernel) -> Floats:
    """Distances over all pairs of what is left without each group, from one pass over the pairs: (groups,)."""
    own = np.asarray(groups.generated, np.int64), np.asarray(groups.reference, np.int64)
    within = [
        _by_groups(side, side, (number, number), groups.total, kernel)
        for side, number in zip((generated, reference), own, strict=True)
    ]
    between = _by_groups(generated, reference, own, groups.total, kernel)
    sizes = [np.bincount(number, minlength=groups.total) for number in own]
    found = np.empty(groups.total)
    for group in range(groups.total):
        kept = np.arange(groups.total) != group
        ours, theirs = (int(size[kept].sum()) for size in sizes)
        first, second, both = (float(part[np.ix_(kept, kept)].sum()) for part in (*within, between))
        found[group] = _of_sums(first, second, both, ours, theirs)
    return found


def _distance(generated: DeviceArray, reference: DeviceArray, ours: Indices, theirs: Indices, kernel: Kernel) -> Floats:
    first = _sums(generated, generated, ours, ours, _runs(len(ours)), kernel)
    second = _sums(reference, reference, theirs, theirs, _runs(len(theirs)), kernel)
    both = _sums(generated, reference, ours, theirs, _runs(len(theirs)), kernel)
    return np.asarray(_of_sums(float(first.sum()), float(second.sum()), float(both.sum()), len(ours), len(theirs)))


def _of_sums(within_generated: float, within_reference: float, between: float, ours: int, theirs: int) -> float:
    return (
        within_generated / (ours * (ours - 1))
        + within_reference / (theirs * (theirs - 1))
        - 2 * between / (ours * theirs)
    )


def _by_groups(
    left: DeviceArray, right: DeviceArray, numbers: tuple[Indices, Indices], total: int, kernel: Kernel
) -> Floats:
    """Sums of kernels between groups of rows: (groups, groups)."""
    order = np.argsort(numbers[1], kind="stable")
    starts = np.searchsorted(numbers[1][order], np.arange(total + 1))
    rows = _sums(left, right, np.arange(len(left)), order, starts.tolist(), kernel)
    return np.array([rows[numbers[0] == group].sum(axis=0) for group in range(total)])


def _runs(count: int) -> list[int]:
    """Where runs of at most ``RUN`` rows begin, and where the last one ends."""
    return [*range(0, count, RUN), count]


def _sums(
    left: DeviceArray, right: DeviceArray, rows: Indices, columns: Indices, starts: Sequence[int], kernel: Kernel
) -> Floats:
    """Sums of kernels of the rows listed with each run of the columns listed: (rows, runs)."""
    runs = len(list(pairwise(starts)))
    sums = left.empty((len(rows), runs * TILE), np.float64)
    lists = [left.beside(np.asarray(item, np.int64)) for item in (rows, columns, starts)]
    constants = (float(kernel.gamma), float(kernel.coef0))
    arguments = (left, right, *lists, constants, kernel.degree, left is right, sums)
    launch(_kernel_sums, (-(-len(rows) // TILE), runs), *arguments, threads=TILE * TILE)
    return in_memory(row_sums(sums.reshape(len(rows) * runs, TILE))).reshape(len(rows), runs)
