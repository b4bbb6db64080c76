"""One image file as an RGB frame.

8-bit grey, RGB and palette images are taken exactly, as stored: colour profiles and gamma are not applied. 16-bit PNG
and TIFF are rounded to the nearest of 256 levels, opaque alpha is dropped, EXIF rotation is applied. Everything else is
refused, and so are files of several images: animations, and TIFFs of several pages.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.errors import InputError
from thgeval.limits import beyond, limit
from thgeval.media.picture import rounded_levels

FORMATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "PNG": (".png",),
        "JPEG": (".jpg", ".jpeg"),
        "WebP": (".webp",),
        "BMP": (".bmp",),
        "TIFF": (".tif", ".tiff"),
    }
)
"""Images that frames and portraits may be, and how their files are called."""

SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)
_READERS = tuple(name.upper() for name in FORMATS)

UPRIGHT = {1: 0, 3: 180, 6: 270, 8: 90}
"""EXIF orientations that are turns, as the counter-clockwise degrees that set the image upright."""

ORIENTATION_TAG = 0x0112
PNG_DEPTH_BYTE, TIFF_DEPTH_TAG = 24, 258
"""Where a PNG and a TIFF say how many bits a sample has."""


class Header(NamedTuple):
    """What an image says before it is decoded; width and height are upright."""

    format: str
    mode: str
    width: int
    height: int
    bits: int
    rotation: int


@contextmanager
def _image_errors(name: str, most: str = "frame_pixels") -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise beyond(most, f"{name}: it claims too many pixels") from error
    except Exception as error:  # image decoders meet broken files with nearly every exception there is
        said = " ".join(str(error).split())
        raise InputError(
            f"{name}: it is no {', '.join(FORMATS)} image that can be read ({said})", reason="corrupt"
        ) from error


def header(data: bytes, name: str, most: str = "frame_pixels") -> Header:
    """Read the header of an image file's content; ``InputError`` if it is none, or has more pixels than ``most``."""
    with _image_errors(name, most), Image.open(io.BytesIO(data), formats=_READERS) as image:
        width, height = image.size
        if width * height > limit(most):
            raise beyond(most, f"{name}: it claims {width} x {height} pixels")
        if image.format != "MPO" and (count := getattr(image, "n_frames", 1)) > 1:
            raise InputError(
                f"{name}: it holds {count} images, not one; give an animation as a video, pages as files of a folder",
                reason="several images",
            )
        orientation = image.getexif().get(ORIENTATION_TAG, 1)
        if orientation not in UPRIGHT:
            raise InputError(
                f"{name}: its EXIF data say that it is to be shown mirrored; store it as it is to be seen",
                reason="rotation",
            )
        turn = UPRIGHT[orientation]
        if turn % 180:
            width, height = height, width
        deep = _bits(image, data) == 16
        return Header(str(image.format).lower(), image.mode, width, height, 16 if deep else 8, turn)


def portrait(data: bytes, name: str) -> NDArray[np.uint8]:
    """A single image, which may be larger than frames: (height, width, 3), upright."""
    pixels = levels(data, header(data, name, "image_pixels"), name)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def _bits(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return data[PNG_DEPTH_BYTE]
    stated = image.tag_v2.get(TIFF_DEPTH_TAG, 8) if image.format == "TIFF" else 8  # type: ignore[attr-defined]
    return max(stated) if isinstance(stated, tuple) else int(stated)


def levels(data: bytes, about: Header, name: str) -> NDArray[np.uint8]:
    """Decode an image file's content: (height, width, 3), or (height, width, 1) for grey."""
    with _image_errors(name):
        pixels = _deep_levels(data, name) if about.bits == 16 else _levels(data, name)
    return np.rot90(pixels, about.rotation // 90)


def _levels(data: bytes, name: str) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data), formats=_READERS) as image:
        return opened_levels(image, name)


def opened_levels(image: Image.Image, name: str) -> NDArray[np.uint8]:
    """An opened image of Pillow's: (height, width, 3), or (height, width, 1) for grey, as it is stored."""
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
    """16-bit PNG and TIFF, which Pillow would cut down to 8 bits without rounding; OpenCV reads them whole."""
    with Image.open(io.BytesIO(data), formats=_READERS) as image:
        if image.format == "PNG":
            image.verify()  # OpenCV says nothing of a file that breaks off
        elif image.mode not in {"I;16", "I;16B", "RGB", "RGBA"}:
            raise InputError(f"{name}: its pixels are {image.mode}; store it as RGB", reason="pixel format")
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
