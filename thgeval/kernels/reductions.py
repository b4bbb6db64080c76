"""Sums, means and largest values of rows on a graphics card: one block a row, in a tree, always in the same order.

Kernels leave what each of their threads summed, in an order that depends on the size of a frame alone, and this adds it
up; so a frame's sum does not depend on its neighbours in a batch, nor on which block ended first.
"""

import numpy as np

from thgeval.kernels.cuda_target import cuda, launch
from thgeval.kernels.places import DeviceArray

__all__ = ["row_sizes", "row_sums"]

MOST = 256  # threads of a block


@cuda.jit
def _sums(values, sums):
    held = cuda.shared.array(MOST, np.float64)
    row, thread = cuda.blockIdx.x, cuda.threadIdx.x
    total = 0.0
    for column in range(thread, values.shape[1], cuda.blockDim.x):
        total += values[row, column]
    held[thread] = total
    cuda.syncthreads()
    half = cuda.blockDim.x // 2
    while half > 0:
        if thread < half:
            held[thread] += held[thread + half]
        cuda.syncthreads()
        half //= 2
    if thread == 0:
        sums[row] = held[0]


@cuda.jit
def _sizes(values, sizes):
    held = cuda.shared.array(MOST, np.float64)
    row, thread = cuda.blockIdx.x, cuda.threadIdx.x
    largest = 0.0
    for column in range(thread, values.shape[1], cuda.blockDim.x):
        size = abs(np.float64(values[row, column]))
        largest = max(largest, size if size == size else np.inf)
    held[thread] = largest
    cuda.syncthreads()
    half = cuda.blockDim.x // 2
    while half > 0:
        if thread < half:
            held[thread] = max(held[thread], held[thread + half])
        cuda.syncthreads()
        half //= 2
    if thread == 0:
        sizes[row] = held[0]


def row_sums(values: DeviceArray) -> DeviceArray:
    """Sums of each row of (rows, columns): (rows,) float64."""
    sums = values.empty(values.shape[:1], np.float64)
    launch(_sums, sums.shape, values, sums)
    return sums


def row_sizes(values: DeviceArray) -> DeviceArray:
    """Largest absolute value of each row of (rows, columns), infinite where there is NaN: (rows,) float64."""
    sizes = values.empty(values.shape[:1], np.float64)
    launch(_sizes, sizes.shape, values, sizes)
    return sizes
