"""Who lies in whose ball, on a graphics card: squared differences of float64 in one order for every pair.

Distances of a block of rows to a block of others are written out, the left rows side by side, and read by one thread a
row, which keeps what is smallest or counts. Nothing is estimated first, so that nothing has to be computed anew; every
comparison is between distances that were summed alike, and ties are ties.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from thgeval.kernels.cuda_target import SIMULATED, cuda, launch, spread
from thgeval.kernels.places import DeviceArray, in_memory
from thgeval.kernels.prdc.cpu import Hits
from thgeval.states.stacked import Groups, Indices

TILE = 4 if SIMULATED else 16
LEFT_ROWS, RIGHT_ROWS = 1024, 4096  # of distances that are written out at once: 32 MB


class Distances(NamedTuple):
    """Squared distances of two blocks of rows, (right, left), and the places of the blocks in their sets."""

    left: slice
    right: slice
    apart: DeviceArray


@cuda.jit
def _distances(left, right, apart):
    ours = cuda.shared.array((TILE, TILE), np.float64)
    theirs = cuda.shared.array((TILE, TILE), np.float64)
    down, along = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    top, first = cuda.blockIdx.y * TILE, cuda.blockIdx.x * TILE
    total = 0.0
    for column in range(0, left.shape[1], TILE):
        at = column + along
        ours[down, along] = theirs[down, along] = 0.0
        if at < left.shape[1] and first + down < left.shape[0]:
            ours[down, along] = np.float64(left[first + down, at])
        if at < left.shape[1] and top + down < right.shape[0]:
            theirs[down, along] = np.float64(right[top + down, at])
        cuda.syncthreads()
        for k in range(TILE):
            gap = theirs[down, k] - ours[along, k]
            total += gap * gap
        cuda.syncthreads()
    if top + down < apart.shape[0] and first + along < apart.shape[1]:
        apart[top + down, first + along] = total


@cuda.jit
def _emptied(smallest):
    """No distances yet: (rows, groups, nearest)."""
    for row in range(cuda.grid(1), smallest.shape[0], cuda.gridsize(1)):
        for group in range(smallest.shape[1]):
            for place in range(smallest.shape[2]):
                smallest[row, group, place] = np.inf


@cuda.jit(device=True)
def _insert(value, smallest):
    """Put a value among the smallest, (values,) in rising order, in place of the largest."""
    place = smallest.shape[0] - 1
    if value < smallest[place]:
        while place > 0 and smallest[place - 1] > value:
            smallest[place] = smallest[place - 1]
            place -= 1
        smallest[place] = value


@cuda.jit
def _keep(apart, gap, numbers, smallest):
    """The smallest distances of each left row by group; ``gap`` is from a left row to itself among the right ones."""
    for row in range(cuda.grid(1), apart.shape[1], cuda.gridsize(1)):
        for other in range(apart.shape[0]):
            if other != row + gap:
                _insert(apart[other, row], smallest[row, numbers[other]])


@cuda.jit
def _nearest(smallest, left_out, held, found):
    """The ``nearest``-th smallest of each row under each variant, from the smallest by group."""
    for row in range(cuda.grid(1), smallest.shape[0], cuda.gridsize(1)):
        nearest = smallest.shape[2]
        for variant in range(left_out.size):
            for place in range(nearest):
                held[row, place] = np.inf
            for group in range(smallest.shape[1]):
                if group != left_out[variant]:
                    for place in range(nearest):
                        _insert(smallest[row, group, place], held[row])
            found[row, variant] = held[row, nearest - 1]


@cuda.jit
def _count(apart, across, own_reach, reach, own_numbers, numbers, left_out, found, flags):
    """For each row of one side: how many balls of the other it is in, if its own holds any, and if it is a copy.

    ``apart`` is (right, left); ``across`` says that the rows counted for are the right ones. ``flags`` are (rows,
    variants, 2): the ball of the row holds something, the row lies at the centre of an empty ball.
    """
    for row in range(cuda.grid(1), own_numbers.size, cuda.gridsize(1)):
        for other in range(numbers.size):
            distance = apart[row, other] if across else apart[other, row]
            for variant in range(left_out.size):
                if left_out[variant] != own_numbers[row] and left_out[variant] != numbers[other]:
                    if distance == 0.0 and reach[other, variant] == 0.0:
                        flags[row, variant, 1] = True
                    if distance < reach[other, variant]:
                        found[row, variant] += 1
                    if distance < own_reach[row, variant]:
                        flags[row, variant, 0] = True


def hits(generated: DeviceArray, reference: DeviceArray, nearest: int, groups: Groups, left_out: Indices) -> Hits:
    """Compare every pair of rows with the balls of both, under variants that leave the groups ``left_out`` out."""
    numbers = [generated.beside(np.asarray(side, np.int64)) for side in (groups.generated, groups.reference)]
    variants = generated.beside(np.asarray(left_out, np.int64))
    reaches = [
        _reach(rows, nearest, own, variants, groups.total)
        for rows, own in zip((generated, reference), numbers, strict=True)
    ]
    shapes = [(len(rows), variants.size) for rows in (generated, reference)]
    found = [generated.beside(np.zeros(shape, np.int64)) for shape in shapes]
    flags = [generated.beside(np.zeros((*shape, 2), np.bool_)) for shape in shapes]
    for part in _pairs(reference, generated):
        reference_side = reaches[1][part.left], numbers[1][part.left]
        generated_side = reaches[0][part.right], numbers[0][part.right]
        for side, place, (own_reach, own), (reach, other) in (
            (1, part.left, reference_side, generated_side),
            (0, part.right, generated_side, reference_side),
        ):
            arguments = (part.apart, side == 0, own_reach, reach, own, other, variants)
            launch(_count, (spread(own.size),), *arguments, found[side][place], flags[side][place])
    around, in_balls = (in_memory(part) for part in found)
    (_, copies_generated), (holds, copies_reference) = (np.moveaxis(in_memory(part), 2, 0) for part in flags)
    empty_generated, empty_reference = (in_memory(reach) == 0 for reach in reaches)
    return Hits(
        around_generated=around,
        reference=np.stack([in_balls > 0, holds], axis=2),
        empty_generated=empty_generated,
        empty_reference=empty_reference,
        copies_generated=copies_generated,
        copies_reference=copies_reference,
    )


def _reach(rows: DeviceArray, nearest: int, numbers: DeviceArray, left_out: DeviceArray, groups: int) -> DeviceArray:
    """Squared distance of each row to its ``nearest``-th nearest other one under each variant: (rows, variants)."""
    found = rows.empty((len(rows), left_out.size), np.float64)
    for part in _pairs(rows, rows):
        count = part.left.stop - part.left.start
        blocks = (spread(count),)
        if not part.right.start:
            smallest = rows.empty((count, groups, nearest), np.float64)
            launch(_emptied, blocks, smallest)
        launch(_keep, blocks, part.apart, part.left.start - part.right.start, numbers[part.right], smallest)
        if part.right.stop == len(rows):
            held = rows.empty((count, nearest), np.float64)
            launch(_nearest, blocks, smallest, left_out, held, found[part.left])
    return found


def _pairs(left: DeviceArray, right: DeviceArray) -> Iterator[Distances]:
    """All pairs of rows, block by block: every right block against one left block, then against the next."""
    for first in range(0, len(left), LEFT_ROWS):
        here = slice(first, min(first + LEFT_ROWS, len(left)))
        for start in range(0, len(right), RIGHT_ROWS):
            there = slice(start, min(start + RIGHT_ROWS, len(right)))
            apart = left.empty((there.stop - there.start, here.stop - here.start), np.float64)
            tiles = -(-apart.shape[1] // TILE), -(-apart.shape[0] // TILE)
            launch(_distances, tiles, left[here], right[there], apart, threads=TILE * TILE)
            yield Distances(here, there, apart)
