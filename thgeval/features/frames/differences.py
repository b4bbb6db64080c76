"""How far two frames are apart, pixel by pixel: one pass serves PSNR, L1 and their kin."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import Planes, luma, rgb
from thgeval.kernels import difference
from thgeval.kernels.places import in_memory
from thgeval.media.frames import FrameBatch, Pixels


@dataclass(frozen=True, eq=False)
class PixelErrors:
    """Absolute and squared error of each frame, (frames,), summed over ``count`` values whose white is ``peak``."""

    absolute: NDArray[np.float64]
    squared: NDArray[np.float64]
    count: int
    peak: float


@feature(rgb, version=1, grain=Grain.PAIR, on_card=True)
def rgb_errors(generated: FrameBatch, reference: FrameBatch) -> PixelErrors:
    """Errors of each frame over all pixels and channels."""
    errors = difference.errors(generated=generated.new, reference=reference.new)
    return PixelErrors(in_memory(errors.absolute), in_memory(errors.squared), errors.count, generated.peak)


@feature(lambda rule: luma(rule=rule), version=1, grain=Grain.PAIR, on_card=True)
def luma_errors(generated: Planes, reference: Planes, *, rule: str) -> PixelErrors:
    """Errors of each frame's luma over all pixels."""
    errors = difference.errors(generated=generated.pixels, reference=reference.pixels)
    return PixelErrors(in_memory(errors.absolute), in_memory(errors.squared), errors.count, generated.peak)


@feature(rgb, version=1, grain=Grain.PAIR, on_card=True)
def wrapped_rgb_errors(generated: FrameBatch, reference: FrameBatch) -> PixelErrors:
    """Errors of each frame as uint8 arrays overflow: differences, and squares of differences, modulo 256."""
    return _wrapped(generated.new, reference.new, generated.peak)


@feature(lambda rule: luma(rule=rule), version=1, grain=Grain.PAIR, on_card=True)
def wrapped_luma_errors(generated: Planes, reference: Planes, *, rule: str) -> PixelErrors:
    """Errors of each frame's luma as uint8 arrays overflow."""
    return _wrapped(generated.pixels, reference.pixels, generated.peak)


def _wrapped(generated: Pixels, reference: Pixels, peak: float) -> PixelErrors:
    first, second = overflowing(generated), overflowing(reference)
    return PixelErrors(
        in_memory(difference.wrapped_absolute(generated=first, reference=second)),
        in_memory(difference.wrapped_squared(generated=first, reference=second)),
        int(np.prod(first.shape[1:])),
        peak,
    )


def overflowing(pixels: Pixels) -> NDArray[np.uint8]:
    """Frames whose arithmetic wraps around; InputError (``not uint8``) for those whose arithmetic doesn't."""
    if pixels.dtype != np.uint8:
        raise InputError(
            f"{pixels.dtype} frames don't overflow: give uint8 frames, or leave uint8-wrap out", reason="not uint8"
        )
    return cast("NDArray[np.uint8]", pixels)
