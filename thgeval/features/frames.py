"""Frames as given, their luma, their neighbours in time, and what the container says.

Frames are (frames, height, width, 3) RGB, uint8 with peak 255 from files, float with the stated peak from arrays.
"""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Grain, feature
from thgeval.kernels import luma as luma_kernel
from thgeval.kernels import ssim as ssim_kernel
from thgeval.media.frames import FrameBatch, MediaInfo, Pixels

rgb: Feature[FrameBatch] = Feature("rgb", version=1, offered="frames")
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


class Shown(NamedTuple):
    """How frames are shown: ``size`` (frames, 2), width and height; ``seconds`` (frames,), NaN where nobody said."""

    size: NDArray[np.int64]
    seconds: NDArray[np.float64]


@feature(rgb, version=1)
def how_shown(frames: FrameBatch) -> Shown:
    """Size and duration of the frames as they are handed out, after resampling."""
    count = len(frames)
    height, width = frames.new.shape[1:3]
    seconds = np.nan if frames.fps is None else float(1 / frames.fps)
    return Shown(np.tile(np.array([width, height], np.int64), (count, 1)), np.full(count, seconds))


shown: Feature[Shown] = how_shown()


@feature(rgb, version=1)
def rates(frames: FrameBatch) -> NDArray[np.float64]:
    """Frames per second at which each frame is handed out, after any change of rate: (frames,), NaN if unknown."""
    return np.full(len(frames), np.nan if frames.fps is None else float(frames.fps))


@feature(rgb, version=1)
def luma(frames: FrameBatch, *, rule: str = "bt601-rounded") -> Planes:
    """Luma of decoded frames under a named rule (see ``thgeval.kernels.luma``)."""
    return Planes(luma_kernel.luma(frames.new, rule=rule, peak=frames.peak), frames.peak)


@feature(lambda: luma(), version=1)
def downsampled_luma(planes: Planes) -> Planes:
    """Luma averaged and sampled down by round(shorter side / 256), as the authors' SSIM script does."""
    factor = ssim_kernel.downsampling_factor(*planes.pixels.shape[1:])
    return Planes(ssim_kernel.downsample(planes.pixels, factor), planes.peak)


@feature(rgb, version=1)
def resized(frames: FrameBatch, *, side_px: int) -> FrameBatch:
    """Frames brought to a square of ``side_px``, bilinear as OpenCV's ``resize`` by default; aspect is not kept."""
    small = [cv2.resize(frame, (side_px, side_px), interpolation=cv2.INTER_LINEAR) for frame in frames.pixels]
    pixels = np.stack(small) if small else np.empty((0, side_px, side_px, 3), frames.pixels.dtype)
    return replace(frames, pixels=pixels)


@feature(lambda side_px: resized(side_px=side_px) if side_px else rgb, version=1, halo=1)
def neighbours(frames: FrameBatch, *, side_px: int = 0) -> Neighbours:
    """Each frame of a clip but the first, beside the frame before it; at native size, or as ``resized``."""
    first = max(frames.lead, 1)
    return Neighbours(frames.pixels[first - 1 : -1], frames.pixels[first:], frames.peak)
