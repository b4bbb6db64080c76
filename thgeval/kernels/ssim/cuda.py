"""Loops of SSIM on a graphics card: a thread walks down one column of windows, float32 inside, float64 sums.

A block takes neighbouring columns over ``RUN`` rows of windows. Each row of pixels is brought to shared memory once,
scaled; every thread filters it across for its own column and keeps the last ``window`` results in a ring there, so that
a window is one pass down its column of the ring. Filtered are the four maps of ``thgeval.kernels.ssim.cpu``: s, s², d
and d², with the same consequences: equal frames score exactly 1, as every difference is then exactly 0 and numerators
and denominators are the same operations in the same order, whether a compiler fuses them or not.
"""

from typing import Any

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.kernels.cuda_target import SIMULATED, cuda, launch, single, spread
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sums
from thgeval.kernels.ssim.cpu import Constants, Taps

RUN = 32  # rows of windows that one block walks
WIDEST = 8 if SIMULATED else 128  # columns of a block
SHARED_BYTES = 48 << 10  # what every card has
SAMPLES = 4  # of a block's pixels along either side, for the value that sums are taken from


@cuda.jit(device=True)
def _centre(generated, reference, channel, top, rows, left, columns, peak):
    """About the mean of a + b in units of the peak; any value does, a near one keeps digits."""
    total = np.float32(0)
    for i in range(SAMPLES):
        y = top + (rows - 1) * i // (SAMPLES - 1)
        for j in range(SAMPLES):
            x = left + (columns - 1) * j // (SAMPLES - 1)
            total += np.float32(generated[y, x, channel]) + np.float32(reference[y, x, channel])
    sixteenths = np.int32(total / peak * np.float32(16 / SAMPLES**2))
    return np.float32(sixteenths) / np.float32(16)


@cuda.jit(device=True)
def _across(memory, row, width, at, stride, taps):
    """One pixel row under one column of windows, from ``row`` on, into four places from ``at`` on: s, s², d, d²."""
    half = len(taps) - 1
    s, d = memory[row + half], memory[row + width + half]
    mean, square = taps[0] * s, taps[0] * (s * s)
    gap, spread = taps[0] * d, taps[0] * (d * d)
    for k in range(1, half + 1):
        s, t = memory[row + half - k], memory[row + half + k]
        mean += taps[k] * (s + t)
        square += taps[k] * (s * s + t * t)
        d, e = memory[row + width + half - k], memory[row + width + half + k]
        gap += taps[k] * (d + e)
        spread += taps[k] * (d * d + e * e)
    memory[at] = mean
    memory[at + stride] = square
    memory[at + 2 * stride] = gap
    memory[at + 3 * stride] = spread


@cuda.jit(device=True)
def _down(memory, at, stride, oldest, taps):
    """Weighted sum down one map of the ring, whose oldest row is ``oldest``."""
    half = len(taps) - 1
    window = 2 * half + 1
    total = taps[0] * memory[at + (oldest + half) % window * stride]
    for k in range(1, half + 1):
        above = memory[at + (oldest + half - k) % window * stride]
        below = memory[at + (oldest + half + k) % window * stride]
        total += taps[k] * (above + below)
    return total


@cuda.jit(device=True)
def _parts(both, variance, d, dd, constants):
    """SSIM and contrast-structure of one window, from the mean and variance of a + b and the moments of d.

    With no difference both sides of either quotient are the same operations, fused or not: x / x is 1.
    """
    c1, c2, unbias = constants[1], constants[2], constants[3]
    dm = d * d
    apart = unbias * (dd - dm)
    luminance = ((both + d) * (both - d) + c1) / ((both * both + c1) + dm)
    contrast = ((unbias * variance - apart) + c2) / ((unbias * variance + apart) + c2)
    return luminance * contrast, contrast


@cuda.jit
def _columns(generated, reference, taps, constants, ssim, contrast):
    memory = cuda.shared.array(0, single)
    window, threads, thread = 2 * len(taps) - 1, cuda.blockDim.x, cuda.threadIdx.x
    plane, top, left = cuda.blockIdx.x, cuda.blockIdx.y * RUN, cuda.blockIdx.z * threads
    frame, channel = plane // generated.shape[3], plane % generated.shape[3]
    a, b = generated[frame], reference[frame]
    height, width = a.shape[0], a.shape[1]
    rows = min(RUN, height - window + 1 - top) + window - 1
    reach = threads + window - 1
    peak = constants[0]
    centre = _centre(a, b, channel, top, rows, left, min(reach, width - left), peak)
    total, structure = 0.0, 0.0
    for y in range(rows):
        row = 4 * threads * window + y % 2 * 2 * reach  # two rows in turn, so that one wait a row is enough
        for x in range(thread, min(reach, width - left), threads):
            first, second = np.float32(a[top + y, left + x, channel]), np.float32(b[top + y, left + x, channel])
            memory[row + x] = ((first + second) - centre * peak) / peak
            memory[row + reach + x] = (first - second) / peak
        cuda.syncthreads()
        if left + thread <= width - window:
            _across(memory, row + thread, reach, y % window * 4 * threads + thread, threads, taps)
            if y >= window - 1:
                oldest, stride = (y + 1) % window, 4 * threads
                mean = _down(memory, thread, stride, oldest, taps)
                variance = _down(memory, thread + threads, stride, oldest, taps) - mean * mean
                d = _down(memory, thread + 2 * threads, stride, oldest, taps)
                dd = _down(memory, thread + 3 * threads, stride, oldest, taps)
                score, structured = _parts(mean + centre, variance, d, dd, constants)
                total += score
                structure += structured
    place = (cuda.blockIdx.y * cuda.gridDim.z + cuda.blockIdx.z) * threads + thread
    ssim[plane, place] = total
    contrast[plane, place] = structure


@cuda.jit
def _divided(sums, count, means):
    for at in range(cuda.grid(1), means.size, cuda.gridsize(1)):
        means[at] = sums[at] / count


@cuda.jit
def _boxes(planes, factor, scaled):
    plane, at = cuda.blockIdx.y, cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    height, width = planes.shape[1], planes.shape[2]
    for at in range(cuda.grid(1), scaled.shape[1] * scaled.shape[2], cuda.gridsize(1)):
        i, j = at // scaled.shape[2], at % scaled.shape[2]
        total = scaled.dtype.type(0)
        for k in range(factor):
            y = abs(2 * (i * factor - (factor - 1) // 2 + k) + 1) // 2  # mirrored, the edge repeated
            y = 2 * height - 1 - y if y >= height else y
            for n in range(factor):
                x = abs(2 * (j * factor - (factor - 1) // 2 + n) + 1) // 2
                x = 2 * width - 1 - x if x >= width else x
                total += planes[plane, y, x]
        scaled[plane, i, j] = total / scaled.dtype.type(factor * factor)


def _shape(taps: Taps) -> tuple[int, int]:
    """Columns of a block, and its bytes of shared memory: the ring, and two rows of sums and of differences."""
    window, columns = 2 * len(taps) - 1, WIDEST

    def need(columns: int) -> int:
        return 4 * (4 * columns * window + 4 * (columns + window - 1))

    while columns > 8 and need(columns) > SHARED_BYTES:
        columns //= 2
    if need(columns) > SHARED_BYTES:
        raise ProtocolError(f"a window of {window} px is too wide for a graphics card; choose --device cpu")
    return columns, need(columns)


def terms(
    generated: DeviceArray, reference: DeviceArray, taps: Taps, constants: Constants
) -> tuple[DeviceArray, DeviceArray]:
    """Mean SSIM and contrast-structure per frame and channel: two (frames, channels) arrays."""
    frames, height, width = generated.shape[:3]
    channels = 1 if generated.ndim == 3 else generated.shape[3]
    sides = [side.reshape(frames, height, width, channels) for side in (generated, reference)]
    threads, shared = _shape(taps)
    down, along = height - 2 * len(taps) + 2, width - 2 * len(taps) + 2  # windows
    strips, blocks = -(-down // RUN), -(-along // threads)
    room = (frames * channels, strips * blocks * threads)
    sums = [generated.empty(room, np.float64) for _ in range(2)]
    launch(_columns, (room[0], strips, blocks), *sides, taps, constants, *sums, threads=threads, shared=shared)
    ssim, contrast = (_mean(row_sums(part), down * along).reshape(frames, channels) for part in sums)
    return ssim, contrast


def channel_means(values: DeviceArray) -> DeviceArray:
    """Means of (frames, channels) over channels: (frames,)."""
    return _mean(row_sums(values), values.shape[1])


def _mean(sums: DeviceArray, count: int) -> DeviceArray:
    means = sums.empty(sums.shape, np.float64)
    launch(_divided, (spread(sums.size),), sums, count, means)
    return means


def downsample(planes: DeviceArray, factor: int) -> DeviceArray:
    """Box-filtered planes, every ``factor``-th row and column of them."""
    frames, height, width = planes.shape
    dtype: Any = np.float64 if planes.dtype == np.float64 else np.float32
    scaled = planes.empty((frames, -(-height // factor), -(-width // factor)), dtype)
    launch(_boxes, (spread(scaled.shape[1] * scaled.shape[2]), frames), planes, factor, scaled)
    return scaled
