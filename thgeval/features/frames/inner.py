"""The middle of frames, without the borders that the metrics of TecoGAN leave out.

Its sides are the largest multiples of 32 px that leave 8 px or more on either side: 224 x 224 of 256 x 256.
"""

from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import feature
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch

MARGIN_PX, MULTIPLE_PX = 8, 32
PARTS_OF_FRAMES = ("inner", "whole")


@feature(rgb, version=1)
def inner_frames(frames: FrameBatch) -> FrameBatch:
    """Every frame's middle."""
    return replace(frames, pixels=inner(frames.pixels))


def inner(pixels: NDArray[Any]) -> NDArray[Any]:
    """The middle of (frames, height, width, channels); InputError (``too small``) if there is none."""
    height, width = pixels.shape[1:3]
    (top, tall), (left, wide) = (_line(side) for side in (height, width))
    if not (tall and wide):
        raise InputError(
            f"frames of {width}x{height} px have no middle of {MULTIPLE_PX} px, {MARGIN_PX} px from the border; "
            "choose part=whole",
            reason="too small",
        )
    return pixels[:, top : top + tall, left : left + wide]


def _line(side: int) -> tuple[int, int]:
    """Where the middle of a line begins, and how long it is."""
    length = max((side - 2 * MARGIN_PX) // MULTIPLE_PX * MULTIPLE_PX, 0)
    return (side - length) // 2, length
