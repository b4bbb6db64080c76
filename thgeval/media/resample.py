"""Frames at another rate and at another size.

Rate: output frame n, shown at n / fps, is the last input frame whose time, rounded to the nearest multiple of 1 / fps
(halves upwards), is not after it; the output lasts as long as the input, rounded in the same way, but at least one
frame. Frames are repeated and left out, never blended. ffmpeg's ``fps`` filter does the same to a clip that begins at
0.

Size: axes that shrink are averaged over area, which leaves no aliasing; axes that grow are interpolated linearly,
which leaves no value outside the range. Both are OpenCV's.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import floor

import cv2
import numpy as np

from thgeval.errors import InputError
from thgeval.limits import beyond, limit
from thgeval.media.frames import Pixels
from thgeval.media.source import Picture


def retimed(
    pictures: Iterator[Picture], *, fps: Fraction, end: Callable[[], Fraction | None], name: str
) -> Iterator[Picture]:
    """The pictures at a constant rate; one that is shown again is the same object. ``end`` is asked after the last."""
    shown: Picture | None = None
    index = 0
    for picture in pictures:
        if picture.time is None:
            raise InputError(
                f"{name}: it has no frame rate to be resampled from; state its fps, or use a protocol without one",
                reason="no frame rate",
            )
        if shown is not None and shown.time is not None and picture.time < shown.time:
            raise InputError(
                f"{name}: the times of its frames go back after {float(shown.time):.3f} s; re-encode it",
                reason="frame times",
            )
        due = _nearest(picture.time * fps)
        _check_stillness(due - index, fps, name)
        while shown is not None and index < due:
            yield shown
            index += 1
        shown = picture
    if shown is not None:
        due = max(_nearest((end() or Fraction(0)) * fps), 1)
        _check_stillness(due - index, fps, name)
        for _ in range(index, due):
            yield shown


def _check_stillness(repeated: int, fps: Fraction, name: str) -> None:
    if repeated > 1 and repeated > limit("still_s") * fps:
        raise beyond(
            "still_s", f"{name}: one of its frames is shown for {float(repeated / fps):.0f} s", reason="too long"
        )


def _nearest(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def sized(pictures: Iterator[Picture], name: str) -> Iterator[Picture]:
    """The pictures as they are, as long as they keep the size of the first."""
    shape: tuple[int, int] | None = None
    for index, picture in enumerate(pictures):
        if shape not in {None, picture.shape}:
            raise InputError(
                f"{name}: its size changes at frame {index}, to {picture.shape[1]} x {picture.shape[0]} px; "
                "re-encode it at one size",
                reason="size changes",
            )
        shape = picture.shape
        yield picture


def resize(pixels: Pixels, *, width: int, height: int) -> Pixels:
    """A batch at another size: (frames, height, width, 3) in the type given, or itself if it has that size."""
    if pixels.shape[1:3] == (height, width):
        return pixels
    out = np.empty((len(pixels), height, width, 3), pixels.dtype)
    for frame, resized in zip(pixels, out, strict=True):
        write_resized(frame, resized)
    return out


def write_resized(frame: Pixels, out: Pixels) -> None:
    """One frame, (height, width, 3), into another of its type and any size."""
    height, width = out.shape[:2]
    smaller = min(width, frame.shape[1]), min(height, frame.shape[0])
    if smaller == (width, height):
        cv2.resize(frame, smaller, dst=out, interpolation=cv2.INTER_AREA)
    else:
        shrunk = cv2.resize(frame, smaller, interpolation=cv2.INTER_AREA)
        cv2.resize(shrunk, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)


class Framing:
    """Crops and resizes the pictures of one clip; for one thread at a time."""

    def __init__(self, *, size: int | None, crop: str, name: str) -> None:
        self._size, self._crop, self._name = size, crop, name
        self._whole: Pixels | None = None
        self._given: Picture | None = None
        self._framed: Picture | None = None

    def __call__(self, picture: Picture) -> Picture:
        """The picture as it is to be handed out; the same object for the same object."""
        if self._framed is None or picture is not self._given:
            self._given, self._framed = picture, self._frame(picture)
        return self._framed

    def _frame(self, picture: Picture) -> Picture:
        height, width = picture.shape
        if self._crop == "centre-square":
            height = width = min(height, width)
        if self._size is not None and height != width:
            raise InputError(
                f"{self._name}: it is {width} x {height} px, and making it square would distort it; "
                "crop it first, or choose --crop centre-square",
                reason="not square",
            )
        shape = (height, width) if self._size is None else (self._size, self._size)
        if shape == picture.shape:
            return picture
        return Picture(picture.time, shape, lambda out: self._write(picture, min(height, width), out))

    def _write(self, picture: Picture, side: int, out: Pixels) -> None:
        if self._whole is None or self._whole.shape[:2] != picture.shape or self._whole.dtype != out.dtype:
            self._whole = np.empty((*picture.shape, 3), out.dtype)
        picture.write(self._whole)
        height, width = picture.shape
        if self._crop == "centre-square":
            top, left = (height - side) // 2, (width - side) // 2
            cropped = self._whole[top : top + side, left : left + side]
        else:
            cropped = self._whole
        if cropped.shape == out.shape:
            out[...] = cropped
        else:
            write_resized(cropped, out)
