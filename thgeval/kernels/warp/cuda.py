"""Warping on a graphics card: a thread takes one pixel, and the sums of a frame are taken in a tree."""

import numpy as np

from thgeval.kernels.cuda_target import cuda, device, launch, spread
from thgeval.kernels.places import DeviceArray
from thgeval.kernels.reductions import row_sums
from thgeval.kernels.warp import cpu

_SLOPE, _OFFSET = cpu.CONSISTENCY
_EDGE_SLOPE, _EDGE_OFFSET = cpu.BOUNDARY


_sample, _inside, _change = device(cpu.sample), device(cpu.lies_inside), device(cpu.squared_change)


@cuda.jit
def _warped(frames, flow, pixels, inside):
    frame = cuda.blockIdx.y
    width = frames.shape[2]
    for at in range(cuda.grid(1), frames.shape[1] * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        x = column + np.float64(flow[frame, row, column, 0])
        y = row + np.float64(flow[frame, row, column, 1])
        stays = _inside(frames[frame], y, x)
        inside[frame, row, column] = stays
        for channel in range(frames.shape[3]):
            pixels[frame, row, column, channel] = _sample(frames[frame], y, x, channel) if stays else 0.0


@cuda.jit
def _visible(forward, backward, seen):
    frame = cuda.blockIdx.y
    height, width = forward.shape[1], forward.shape[2]
    for at in range(cuda.grid(1), height * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        there, back = forward[frame], backward[frame]
        u, v = np.float64(there[row, column, 0]), np.float64(there[row, column, 1])
        x, y = column + u, row + v
        found = False
        if _inside(back, y, x):
            below, right = min(row + 1, height - 1), min(column + 1, width - 1)
            length = u * u + v * v
            change = _change(there, row, column, row, right) + _change(there, row, column, below, column)
            s, t = _sample(back, y, x, 0), _sample(back, y, x, 1)
            astray = (u + s) * (u + s) + (v + t) * (v + t)
            returns = astray <= _SLOPE * (length + s * s + t * t) + _OFFSET
            found = returns and change <= _EDGE_SLOPE * length + _EDGE_OFFSET
        seen[frame, row, column] = found


@cuda.jit
def _squared_error(previous, current, flow, mask, squared, pixels):
    frame, width = cuda.blockIdx.y, previous.shape[2]
    for at in range(cuda.grid(1), previous.shape[1] * width, cuda.gridsize(1)):
        row, column = at // width, at % width
        x = column + np.float64(flow[frame, row, column, 0])
        y = row + np.float64(flow[frame, row, column, 1])
        total, counted = 0.0, 0
        if mask[frame, row, column] and _inside(current[frame], y, x):
            counted = 1
            for channel in range(previous.shape[3]):
                read = _sample(current[frame], y, x, channel)
                difference = read - np.float64(previous[frame, row, column, channel])
                total += difference * difference
        squared[frame, at] = total
        pixels[frame, at] = counted


@cuda.jit
def _counts(sums, counts):
    for at in range(cuda.grid(1), counts.size, cuda.gridsize(1)):
        counts[at] = np.int64(sums[at])


def warped(frames: DeviceArray, flow: DeviceArray) -> tuple[DeviceArray, DeviceArray]:
    """Frames read along a flow, and where it stays inside."""
    pixels, inside = frames.empty(frames.shape, np.float64), frames.empty(frames.shape[:3], np.bool_)
    launch(_warped, _blocks(frames), frames, flow, pixels, inside)
    return pixels, inside


def visible(forward: DeviceArray, backward: DeviceArray) -> DeviceArray:
    """Pixels that come back and do not lie on a boundary of the motion."""
    seen = forward.empty(forward.shape[:3], np.bool_)
    launch(_visible, _blocks(forward), forward, backward, seen)
    return seen


def squared_error(
    previous: DeviceArray, current: DeviceArray, flow: DeviceArray, mask: DeviceArray
) -> tuple[DeviceArray, DeviceArray]:
    """Sum of squared differences of each frame, and how many pixels it runs over."""
    blocks = _blocks(previous)
    room = (len(previous), previous.shape[1] * previous.shape[2])
    squared, pixels = previous.empty(room, np.float64), previous.empty(room, np.int32)
    launch(_squared_error, blocks, previous, current, flow, mask, squared, pixels)
    counts = previous.empty(room[:1], np.int64)
    launch(_counts, (spread(len(previous)),), row_sums(pixels), counts)
    return row_sums(squared), counts


def _blocks(frames: DeviceArray) -> tuple[int, int]:
    """A thread for each pixel of each frame."""
    return spread(frames.shape[1] * frames.shape[2]), len(frames)
