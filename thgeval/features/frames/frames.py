"""Frames as given, their luma, their neighbours in time, and what the container says.

Frames are (frames, height, width, 3) RGB, uint8 with peak 255 from files, float with the stated peak from arrays. They
lie in memory, or on a graphics card for features that say ``on_card``, whose arrays then lie there too
(``thgeval.kernels.places``); what is one number a frame comes back to memory.
"""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.errors import InputError
from thgeval.feature import Feature, Grain, feature
from thgeval.kernels import luma as luma_kernel
from thgeval.kernels import ssim as ssim_kernel
from thgeval.media.frames import FrameBatch, MediaInfo, Pixels

rgb: Feature[FrameBatch] = Feature("rgb", version=1, offered="frames", on_card=True)
info: Feature[MediaInfo] = Feature("info", version=1, grain=Grain.CLIP, offered="info")


class Planes(NamedTuple):
    """One plane per frame, (frames, height, width), and the value of white."""

    pixels: Pixels
    peak: float


class Neighbours(NamedTuple):
    """Frames beside the ones right before them: two (transitions, height, width, 3) arrays, and the value of white."""

    previous: Pixels
    current: Pixels
    peak: float


WITH_SOUND = "compare it with sound"
"""What a frame rate is needed for, as errors say it."""


class Shown(NamedTuple):
    """How frames are shown; NaN where nobody said.

    ``size`` is (frames, 2), width and height; ``seconds`` (frames,) how long a frame lasts at the average rate; and
    ``times`` (frames,) when each is shown, in seconds since the first.
    """

    size: NDArray[np.int64]
    seconds: NDArray[np.float64]
    times: NDArray[np.float64]


@feature(rgb, version=1)
def how_shown(frames: FrameBatch) -> Shown:
    """Size and times of the frames as they are handed out, after resampling."""
    count = len(frames)
    height, width = frames.new.shape[1:3]
    seconds = np.nan if frames.fps is None else float(1 / frames.fps)
    times = frames.times
    if times is None:
        times = np.asarray((frames.start + np.arange(count)) * seconds, np.float64)
    return Shown(np.tile(np.array([width, height], np.int64), (count, 1)), np.full(count, seconds), times)


shown: Feature[Shown] = how_shown()


def seconds_of(how: Shown, *, what: str) -> float:
    """How long every frame lasts, which ``what`` needs to know.

    InputError: "no frame rate", "frame times", "variable frame rate".
    """
    times_of(how, what=what)
    if not steady(how):
        raise InputError(
            f"its frames are shown at a variable rate; choose --fps 25 (or --protocol thg256) to {what}",
            reason="variable frame rate",
        )
    return float(how.seconds[0])


def times_of(how: Shown, *, what: str) -> NDArray[np.float64]:
    """When every frame is shown: (frames,) s, evenly spaced where no frame is off by half of one.

    ``what`` needs to know it. InputError: "no frame rate" if nobody said, "frame times" if they go back.
    """
    if not len(how.seconds) or np.isnan(how.seconds[0]):
        raise InputError(
            f"a folder of images or an array has no frame rate; state its fps to {what}", reason="no frame rate"
        )
    if steady(how):
        return evenly(how)
    if (np.diff(how.times) < 0).any():
        raise InputError("the times of its frames go back; re-encode it", reason="frame times")
    return how.times


def steady(how: Shown) -> bool:
    """Whether no frame is shown half a frame or more from where the average rate puts it."""
    return bool((np.abs(how.times - evenly(how)) < how.seconds / 2).all())


def evenly(how: Shown) -> NDArray[np.float64]:
    """When frames would be shown at the average rate: (frames,) s."""
    return np.asarray(np.arange(len(how.seconds)) * how.seconds, np.float64)


@feature(rgb, version=1, on_card=True)
def luma(frames: FrameBatch, *, rule: str = "bt601-rounded") -> Planes:
    """Luma of decoded frames under a named rule (see ``thgeval.kernels.luma``)."""
    return Planes(luma_kernel.luma(frames.new, rule=rule, peak=frames.peak), frames.peak)


@feature(lambda: luma(), version=1, on_card=True)
def downsampled_luma(planes: Planes) -> Planes:
    """Luma averaged and sampled down by round(shorter side / 256), as the authors' SSIM script does."""
    factor = ssim_kernel.downsampling_factor(*planes.pixels.shape[1:])
    return Planes(ssim_kernel.downsample(planes.pixels, factor), planes.peak)


@feature(rgb, version=1)
def block_means(frames: FrameBatch) -> FrameBatch:
    """Frames made smaller by the means of blocks of round(shorter side / 256) px a side, as piq's SSIM does.

    What is left over at the right and at the bottom is cut off; halves are rounded to even.
    """
    height, width = frames.pixels.shape[1:3]
    side = max(1, round(min(height, width) / 256))
    if side == 1:
        return frames
    whole = frames.pixels[:, : height // side * side, : width // side * side]
    blocks = whole.reshape(len(whole), height // side, side, width // side, side, 3)
    return replace(frames, pixels=blocks.mean(axis=(2, 4), dtype=np.result_type(whole.dtype, np.float32)))


def bicubic_plane(plane: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    """One channel as a square by Pillow's bicubic filter on floats, which smooths and may overshoot."""
    small = Image.fromarray(plane).resize((side_px, side_px), resample=Image.Resampling.BICUBIC)
    return np.asarray(small, np.float32)


@feature(rgb, version=1)
def resized(frames: FrameBatch, *, side_px: int) -> FrameBatch:
    """Frames brought to a square of ``side_px``, bilinear as OpenCV's ``resize`` by default; aspect is not kept."""
    small = [cv2.resize(frame, (side_px, side_px), interpolation=cv2.INTER_LINEAR) for frame in frames.pixels]
    pixels = np.stack(small) if small else np.empty((0, side_px, side_px, 3), frames.pixels.dtype)
    return replace(frames, pixels=pixels)


@feature(lambda side_px: resized(side_px=side_px) if side_px else rgb, version=1, halo=1, on_card=True)
def neighbours(frames: FrameBatch, *, side_px: int = 0) -> Neighbours:
    """Each frame of a clip but the first, beside the frame before it; at native size, or as ``resized``."""
    first = max(frames.lead, 1)
    return Neighbours(frames.pixels[first - 1 : -1], frames.pixels[first:], frames.peak)
