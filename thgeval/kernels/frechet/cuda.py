"""Moments of rows on a graphics card; what follows from means and scatters is computed in memory, as ever.

Where there are fewer rows than dimensions the rows themselves are the smaller matrix, and are fetched.
"""

from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.cuda_target import SIMULATED, cuda, launch, spread
from thgeval.kernels.feature_rows import FetchedRows
from thgeval.kernels.frechet import cpu
from thgeval.kernels.places import DeviceArray, in_memory
from thgeval.kernels.reductions import row_sums

TILE = 4 if SIMULATED else 16
RUN = 256  # rows that one thread sums


@cuda.jit
def _column_sums(rows, origin, sums):
    first = cuda.blockIdx.y * RUN
    for column in range(cuda.grid(1), rows.shape[1], cuda.gridsize(1)):
        total = 0.0
        for row in range(first, min(first + RUN, rows.shape[0])):
            total += np.float64(rows[row, column]) - origin[column]
        sums[column, cuda.blockIdx.y] = total


@cuda.jit
def _scatter(rows, origin, shift, scatter):
    """Products of the columns of (row - origin) - shift, the first row left out; half of the blocks have the rest."""
    here = cuda.shared.array((TILE, TILE), np.float64)
    there = cuda.shared.array((TILE, TILE), np.float64)
    down, along = cuda.threadIdx.x // TILE, cuda.threadIdx.x % TILE
    top, left = cuda.blockIdx.y * TILE, cuda.blockIdx.x * TILE
    if top >= left:
        total = 0.0
        for first in range(1, rows.shape[0], TILE):
            row = first + down
            for part in range(2):
                column = (top if part == 0 else left) + along
                value = 0.0
                if row < rows.shape[0] and column < rows.shape[1]:
                    value = (np.float64(rows[row, column]) - origin[column]) - shift[column]
                if part == 0:
                    here[down, along] = value
                else:
                    there[down, along] = value
            cuda.syncthreads()
            for k in range(TILE):
                total += here[k, down] * there[k, along]
            cuda.syncthreads()
        if top + down < rows.shape[1] and left + along < rows.shape[1]:
            scatter[top + down, left + along] = total
            scatter[left + along, top + down] = total


class DeviceRowSet(cpu.RowSet):
    """One set of rows whose mean and scatter are computed where they lie."""

    def __init__(self, rows: DeviceArray) -> None:
        fetched: Any = FetchedRows(rows)
        super().__init__(fetched)

    @property
    def _device(self) -> DeviceArray:
        held: Any = self.rows
        device: DeviceArray = held.on_card
        return device

    @cached_property
    def origin(self) -> NDArray[np.float64]:
        """The first row."""
        first: NDArray[np.float64] = in_memory(self._device[:1])[0].astype(np.float64)
        return first

    @cached_property
    def drift(self) -> NDArray[np.float64]:
        """Mean of the rows, from the origin."""
        rows = self._device
        count, dimensions = rows.shape
        runs = -(-count // RUN)
        sums = rows.empty((dimensions, runs), np.float64)
        launch(_column_sums, (spread(dimensions), runs), rows, rows.beside(self.origin), sums)
        return np.asarray(in_memory(row_sums(sums)) / count)

    @cached_property
    def scatter(self) -> NDArray[np.float64]:
        """Products of the rows: (dimensions, dimensions)."""
        rows = self._device
        dimensions, root = rows.shape[1], sqrt(len(rows))
        scatter = rows.empty((dimensions, dimensions), np.float64)
        moved = rows.beside(self.origin), rows.beside(self.drift * (root / (root + 1)))
        tiles = -(-dimensions // TILE)
        launch(_scatter, (tiles, tiles), rows, *moved, scatter, threads=TILE * TILE)
        return in_memory(scatter)


def row_set(rows: DeviceArray) -> cpu.RowSet:
    """One set of rows."""
    return DeviceRowSet(rows)
