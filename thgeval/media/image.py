"""One PNG or JPEG image as an RGB frame.

8-bit grey, RGB and palette images are taken exactly, as stored: colour profiles and gamma are not applied. 16-bit PNG
is rounded to the nearest of 256 levels, opaque alpha is dropped, EXIF rotation is applied. Everything else is
refused.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.errors import InputError
from thgeval.media.picture import rounded_levels

MOST_PIXELS = 1 << 26
"""Larger images are refused unread: a file of a few kilobytes can claim any size."""

UPRIGHT = {1: 0, 3: 180, 6: 270, 8: 90}
"""EXIF orientations that are turns, as the counter-clockwise degrees that set the image upright."""

ORIENTATION_TAG = 0x0112
PNG_DEPTH_BYTE = 24
"""Where a PNG says how many bits a sample has."""


class Header(NamedTuple):
    """What an image says before it is decoded; width and height are upright."""

    format: str
    mode: str
    width: int
    height: int
    bits: int
    rotation: int


@contextmanager
def _image_errors(name: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name) from error
    except Exception as error:  # image decoders meet broken files with nearly every exception there is
        raise InputError(f"{name}: it is no PNG or JPEG image that can be read ({error})", reason="corrupt") from error


def _too_large(name: str) -> InputError:
    return InputError(f"{name}: it claims more than {MOST_PIXELS} pixels; make it smaller", reason="too large")


def header(data: bytes, name: str) -> Header:
    """Read the header of an image file's content; ``InputError`` if it is none, or too large."""
    with _image_errors(name), Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise _too_large(name)
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
        if orientation not in UPRIGHT:
            raise InputError(
                f"{name}: its EXIF data say that it is to be shown mirrored; store it as it is to be seen",
                reason="rotation",
            )
        turn = UPRIGHT[orientation]
        if turn % 180:
            width, height = height, width
        deep = image.format == "PNG" and data[PNG_DEPTH_BYTE] == 16
        return Header(str(image.format).lower(), image.mode, width, height, 16 if deep else 8, turn)


def levels(data: bytes, about: Header, name: str) -> NDArray[np.uint8]:
    """Decode an image file's content: (height, width, 3), or (height, width, 1) for grey."""
    with _image_errors(name):
        pixels = _deep_levels(data, name) if about.bits == 16 else _levels(data, name)
    return np.rot90(pixels, about.rotation // 90)


def _levels(data: bytes, name: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        if image.mode not in {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}:
            raise InputError(f"{name}: its pixels are {image.mode}; store it as RGB", reason="pixel format")
        if image.mode in {"LA", "PA", "RGBA"} or "transparency" in image.info:
            pixels = np.asarray(image.convert("RGBA"))
            _refuse_transparency(pixels[..., 3], 255, name)
            return pixels[..., :3]
        if image.mode in {"1", "L"}:
            return np.asarray(image.convert("L"))[..., None]
        return np.asarray(image.convert("RGB"))


def _deep_levels(data: bytes, name: str) -> NDArray[np.uint8]:
    """16-bit PNG, which Pillow would cut down to 8 bits without rounding; OpenCV reads it whole."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.verify()  # OpenCV says nothing of a file that breaks off
    pixels: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        raise InputError(f"{name}: its 16-bit samples can't be read; store it with 8 bits", reason="corrupt")
    if pixels.ndim == 2:
        return rounded_levels(pixels[..., None], 16)
    if pixels.shape[2] == 4:
        _refuse_transparency(pixels[..., 3], 65535, name)
    return rounded_levels(pixels[..., 2::-1], 16)


def _refuse_transparency(alpha: NDArray[np.uint8] | NDArray[np.uint16], opaque: int, name: str) -> None:
    if alpha.min() < opaque:
        raise InputError(
            f"{name}: some of its pixels are transparent, so their colour depends on a background that isn't there; "
            "render it onto one first",
            reason="transparent",
        )
