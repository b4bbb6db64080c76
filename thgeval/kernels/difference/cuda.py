"""Loops over differences on a graphics card: each thread sums a run of one frame, and the runs are summed in a tree.

Sums over bytes are integers until then, so exact; sums over floats are float64 throughout.
"""

import numpy as np

from thgeval.kernels.cuda_target import BLOCK, cuda, launch
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sums

RUN = 64  # values of one thread: sums of squared bytes stay far within 32 bits


@cuda.jit
def _byte_sums(generated, reference, absolute, squared):
    frame, place = cuda.blockIdx.y, cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    first = cuda.blockIdx.x * cuda.blockDim.x * RUN + cuda.threadIdx.x
    away, squares = np.int32(0), np.int32(0)
    for step in range(RUN):
        at = first + step * cuda.blockDim.x
        if at < generated.shape[1]:
            apart = np.int32(generated[frame, at]) - np.int32(reference[frame, at])
            away += abs(apart)
            squares += apart * apart
    absolute[frame, place] = away
    squared[frame, place] = squares


@cuda.jit
def _wrapped_sums(generated, reference, absolute, squared):
    frame, place = cuda.blockIdx.y, cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    first = cuda.blockIdx.x * cuda.blockDim.x * RUN + cuda.threadIdx.x
    away, squares = np.int32(0), np.int32(0)
    for step in range(RUN):
        at = first + step * cuda.blockDim.x
        if at < generated.shape[1]:
            apart = (np.int32(generated[frame, at]) - np.int32(reference[frame, at])) & np.int32(255)
            away += apart
            squares += (apart * apart) & np.int32(255)
    absolute[frame, place] = away
    squared[frame, place] = squares


@cuda.jit
def _float_sums(generated, reference, absolute, squared):
    frame, place = cuda.blockIdx.y, cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    first = cuda.blockIdx.x * cuda.blockDim.x * RUN + cuda.threadIdx.x
    away, squares = 0.0, 0.0
    for step in range(RUN):
        at = first + step * cuda.blockDim.x
        if at < generated.shape[1]:
            apart = np.float64(generated[frame, at]) - np.float64(reference[frame, at])
            away += abs(apart)
            squares += apart * apart
    absolute[frame, place] = away
    squared[frame, place] = squares


def errors(generated: DeviceArray, reference: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """Sums of absolute and squared differences of (frames, values) arrays: two (frames,) arrays."""
    return _summed(_byte_sums if generated.dtype == np.uint8 else _float_sums, generated, reference)


def wrapped(generated: DeviceArray, reference: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """The same sums in arithmetic modulo 256."""
    return _summed(_wrapped_sums, generated, reference)


def _summed(kernel, generated: DeviceArray, reference: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    frames, values = generated.shape
    blocks = -(-values // (BLOCK * RUN))
    kind = np.float64 if kernel is _float_sums else np.int32
    absolute, squared = (generated.empty((frames, blocks * BLOCK), kind) for _ in range(2))
    launch(kernel, (blocks, frames), generated, reference, absolute, squared)
    return row_sums(absolute), row_sums(squared)
