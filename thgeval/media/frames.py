"""Decoded frames and what is known about the file they came from.

Frames are (frames, height, width, 3), red-green-blue, ``uint8`` with a peak of 255 from files; arrays and tensors may
also be ``float32`` or ``float64`` and keep their values, with the peak their owner states.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

UNSPECIFIED = "unspecified"

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FrameBatch:
    """A run of consecutive frames of one clip.

    ``pixels`` holds ``lead`` frames that an earlier batch already held (so that temporal features see across the
    seam), then the new ones; ``start`` is the clip's index of the first *new* frame; ``peak`` is the value of white;
    ``fps`` is the rate the frames are handed out at, None where nobody said it; ``times`` (new frames,) are when the
    new frames are shown, in seconds since the clip's first, where a file of its own rate says so.
    """

    pixels: Pixels
    peak: float
    start: int
    lead: int = 0
    fps: Fraction | None = None
    times: NDArray[np.float64] | None = None

    @property
    def new(self) -> Pixels:
        """The frames no earlier batch held: (frames, height, width, 3)."""
        return self.pixels[self.lead :]

    def __len__(self) -> int:
        return int(self.pixels.shape[0]) - self.lead

    def halves(self, lead: int) -> "tuple[FrameBatch, FrameBatch]":
        """The first half of the new frames, and the rest behind up to ``lead`` frames of before."""
        middle = len(self) // 2
        again = min(lead, self.lead + middle)
        times = (None, None) if self.times is None else (self.times[:middle], self.times[middle:])
        first = replace(self, pixels=self.pixels[: self.lead + middle], times=times[0])
        rest = self.pixels[self.lead + middle - again :]
        return first, replace(self, pixels=rest, start=self.start + middle, lead=again, times=times[1])


@dataclass(frozen=True)
class AudioInfo:
    """The first audio track as the container describes it."""

    codec: str
    rate_hz: int
    channels: int
    start_s: float
    duration_s: float | None


@dataclass(frozen=True)
class MediaInfo:
    """What a container says about its video, and how its pixels were turned into RGB.

    ``width`` and ``height`` are those of the frames handed out, after ``rotation``; ``fps`` is the average rate, None
    for folders of images and bare arrays; ``matrix`` and ``colour_range`` name the conversion used, with ``-assumed``
    where the file leaves it open (``"bt601-assumed"``); ``transfer`` and ``primaries`` say how levels stand for light
    and colours (``"bt709"``, ``"pq"``), which is taken as it is; ``frames`` is the container's claim and may be None
    or wrong.
    """

    container: str
    codec: str
    pixel_format: str
    width: int
    height: int
    fps: Fraction | None
    frames: int | None
    duration_s: float | None
    start_s: float
    variable_rate: bool
    rotation: int
    bits: int
    matrix: str
    colour_range: str
    audio: AudioInfo | None
    transfer: str = UNSPECIFIED
    primaries: str = UNSPECIFIED
