"""Windows of consecutive frames, as networks of video see them.

Frames are brought to a small square first, so that a whole clip can be held: (frames, 3, side, side) float32, white
at 1. A frame takes 12 x side² bytes, 0.6 MB at 224 px.

A window of ``length`` frames takes every ``stride``-th, so it spans (length - 1) x stride + 1 frames of the clip.
``which`` is ``first`` (the window that begins with frame ``start``), ``all`` (those that follow it too, each
length x stride frames after the one before, as long as they are complete) or ``whole``: one window of every frame from
``start`` on, whatever the length.

Squares are made in one of four ways, of which the first two don't smooth before they make smaller:

``stretch``      bilinear, the aspect is not kept
``centre-crop``  bilinear, the shorter side becomes ``side``; what the longer one has too much is cut off on both sides
``area``         mean over the area of each new pixel (OpenCV's INTER_AREA), the aspect is not kept
``bicubic-pil``  Pillow's bicubic on each channel as float, the aspect is not kept; values may leave black and white
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.errors import InputError
from thgeval.feature import feature
from thgeval.features.frames.frames import bicubic_plane, rgb
from thgeval.media.frames import FrameBatch

SQUARES = ("stretch", "centre-crop", "area", "bicubic-pil")
WHICH = ("first", "all", "whole")


@feature(rgb, version=1, requires=(networks.TORCH,))
def squares(
    frames: FrameBatch, *, side_px: int, square: str = "stretch", start: int = 0, count: int = 0
) -> NDArray[np.float32]:
    """Frames from ``start`` on, ``count`` of them or all (0), as squares: (frames, 3, side, side), white at 1."""
    first = max(start - frames.start, 0)
    last = len(frames) if count == 0 else max(min(start + count - frames.start, len(frames)), first)
    pixels = frames.new[first:last]
    if not len(pixels):
        return np.empty((0, 3, side_px, side_px), np.float32)
    if square in ("area", "bicubic-pil"):
        return (_area if square == "area" else _bicubic)(pixels, frames.peak, side_px)
    return _bilinear(pixels, frames.peak, side_px, square)


def span(length: int, stride: int) -> int:
    """How many frames of the clip a window covers."""
    return (length - 1) * stride + 1


def windows(held: NDArray[np.float32], *, length: int, stride: int, start: int, which: str) -> NDArray[np.float32]:
    """(windows, 3, length, side, side) out of the ``squares`` of a clip; InputError (``too short``) if none fits."""
    return windowed(held, length=length, stride=stride, start=start, which=which).transpose(0, 2, 1, 3, 4)


def windowed(held: NDArray[np.float32], *, length: int, stride: int, start: int, which: str) -> NDArray[np.float32]:
    """(windows, length, ...) out of what is held of a clip's frames from ``start`` on; InputError as ``windows``."""
    if which == "whole" and len(held):
        return held[None, ::stride]
    spare = len(held) - span(length, stride)
    if spare < 0:
        every = f", every {stride}th," if stride > 1 else ""
        raise InputError(
            f"a window of {length} frames{every} from frame {start} on needs a clip of at least "
            f"{start + span(length, stride)} frames, not {start + len(held)}",
            reason="too short",
        )
    firsts = range(0, spare + 1, length * stride) if which == "all" else range(1)
    cut = [held[first : first + span(length, stride) : stride] for first in firsts]
    return np.stack(cut)


def _bilinear(pixels: NDArray[Any], peak: float, side_px: int, square: str) -> NDArray[np.float32]:
    from torch.nn.functional import interpolate

    height, width = size = pixels.shape[1:3]
    if square == "centre-crop":
        scale = side_px / min(size)
        size = (side_px, math.ceil(width * scale)) if height < width else (math.ceil(height * scale), side_px)
    else:
        size = (side_px, side_px)
    with networks.alone():
        images = networks.as_images(pixels, peak)
        resized = interpolate(images, size=size, mode="bilinear", align_corners=False)
    top, left = (size[0] - side_px) // 2, (size[1] - side_px) // 2
    found: NDArray[np.float32] = resized[:, :, top : top + side_px, left : left + side_px].contiguous().numpy()
    return found


def _bicubic(pixels: NDArray[Any], peak: float, side_px: int) -> NDArray[np.float32]:
    planes = pixels.astype(np.float32).transpose(0, 3, 1, 2)
    small = [[bicubic_plane(plane, side_px) for plane in frame] for frame in planes]
    return np.array(small, np.float32) / np.float32(peak)


def _area(pixels: NDArray[Any], peak: float, side_px: int) -> NDArray[np.float32]:
    small = [cv2.resize(frame, (side_px, side_px), interpolation=cv2.INTER_AREA) for frame in pixels]
    return np.stack(small).transpose(0, 3, 1, 2).astype(np.float32) / np.float32(peak)
