"""From planes, as torch has them, to pixels, as the metrics' loops read them, and whether they lie in their range."""

from sys import getrefcount
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thgeval.jit import jit
from thgeval.training.sharing import shared_out

BLOCK = 2048
"""Values of a plane that are at hand together: three planes of them, and their pixels, in a processor's first cache."""


@jit()
def _interleaved(planes: NDArray[Any], peak: Any, pixels: NDArray[Any]) -> int:
    """Write (frames, channels, values) as (frames, values, 3), one channel as three; how many are outside the range."""
    outside = 0
    frames, channels, values = planes.shape
    for frame in range(frames):
        for start in range(0, values, BLOCK):
            some = slice(start, min(start + BLOCK, values))
            for channel in range(channels):
                outside += _outside(planes[frame, channel, some], peak)
            red, green, blue = (
                planes[frame, 0, some],
                planes[frame, channels // 2, some],
                planes[frame, channels - 1, some],
            )
            _beside(red, green, blue, pixels[frame, some])
    return outside


@jit()
def _outside(values: NDArray[Any], peak: Any) -> Any:
    found = np.int32(0)  # as wide as most values, so that vectors of both are alike
    for i in range(values.size):
        found = np.int32(found + np.int32(not ((values[i] >= 0) & (values[i] <= peak))))
    return found


@jit()
def _beside(red: NDArray[Any], green: NDArray[Any], blue: NDArray[Any], pixels: NDArray[Any]) -> None:
    for i in range(red.size):
        pixels[i, 0] = red[i]
        pixels[i, 1] = green[i]
        pixels[i, 2] = blue[i]


def _highest(peak: float, dtype: Any) -> Any:
    """The greatest number of a type of floats that is not above the peak: comparing it needs no wider numbers."""
    if not np.issubdtype(dtype, np.floating):
        return peak
    nearest = dtype.type(peak)
    return nearest if float(nearest) <= peak else np.nextafter(nearest, dtype.type(0))


class Rooms:
    """Arrays that are handed out again once nobody holds them, nor a view of them.

    The first touch of fresh memory costs more than what is written to it, and the batches of a loop are of one shape.
    The last few are kept, so of a loop and its validation; none above 64 MB.
    """

    MOST = 4
    MOST_BYTES = 1 << 26

    def __init__(self) -> None:
        self._lock = Lock()
        self._arrays: list[NDArray[Any]] = []

    def room(self, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """An array of any content that nobody else holds."""
        with self._lock:
            for array, held in zip(self._arrays, _held(self._arrays), strict=True):
                if array.shape == shape and array.dtype == dtype and not held:
                    return array
            array = np.empty(shape, dtype)
            if array.nbytes <= self.MOST_BYTES:
                self._arrays = [*self._arrays, array][-self.MOST :]
            return array


def _held(arrays: list[NDArray[Any]]) -> list[bool]:
    """Which arrays anybody holds beside this list: how many references are counted otherwise is Python's own affair."""
    only_listed, *_ = _references([np.empty(0)])
    return [count > only_listed for count in _references(arrays)]


def _references(arrays: list[NDArray[Any]]) -> list[int]:
    return [getrefcount(array) for array in arrays]


ROOMS = Rooms()


def interleaved(frames: Tensor, peak: float) -> tuple[NDArray[Any], bool]:
    """(clips, frames, channels, height, width) on the CPU as (clips, frames, height, width, 3).

    And whether all values are numbers in [0, peak]. Each frame is written by one of torch's threads.
    """
    clips, count, channels, height, width = frames.shape
    planes = frames.detach().contiguous().view(clips * count, channels, height * width).numpy()
    pixels = ROOMS.room((clips * count, height * width, 3), planes.dtype)
    highest = _highest(peak, planes.dtype)
    outside = shared_out(lambda some: _interleaved(planes[some], highest, pixels[some]), len(planes))
    return pixels.reshape(clips, count, height, width, 3), not any(outside)
