"""What every kind of clip looks like to the decoder: pictures one after another, each ready to be written as RGB."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import av
import numpy as np

from thgeval.media.frames import MediaInfo, Pixels


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame that costs nothing until it is written.

    ``time`` is in seconds since the clip's first frame, None where the clip has no frame rate; ``shape`` is (height,
    width), upright; ``write`` fills a C-contiguous (height, width, 3) array of the source's type. ``coded`` is the
    frame as the decoder handed it out, where there is one that needs no turning.
    """

    time: Fraction | None
    shape: tuple[int, int]
    write: Callable[[Pixels], None]
    coded: av.VideoFrame | None = None


class Source(Protocol):
    """A clip opened for reading, front to back, once."""

    @property
    def peak(self) -> float:
        """The value of white."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """What pictures are written as: uint8, float32 or float64."""

    @property
    def info(self) -> MediaInfo:
        """What is known so far; what only the frames can tell is there once they have all been read."""

    @property
    def times(self) -> list[Fraction]:
        """When the frames read so far are shown, in seconds since the first, as the file states it; or empty."""

    @property
    def end(self) -> Fraction | None:
        """When the last frame stops being shown, in seconds since the first; None before the end, or with no rate."""

    @property
    def remarks(self) -> Sequence[str]:
        """What the file holds beside what is handed out, as sentences; complete once all frames have been read."""

    def pictures(self) -> Iterator[Picture]:
        """All frames in the order of their presentation; raises ``InputError`` where the clip breaks off."""

    def close(self) -> None:
        """Let go of the file, whether or not it was read to its end."""
