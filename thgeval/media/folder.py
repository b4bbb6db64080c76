"""Folders of numbered images, and single images, as clips.

Frames are the image files of a folder, of any format in ``image.FORMATS``, whose names differ only in their last number
(``f_9.png`` comes before ``f_10.png``), which runs without a gap from wherever it begins. Hidden files, subfolders and
other files are left alone.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thgeval import limits
from thgeval.errors import InputError
from thgeval.media import image
from thgeval.media.frames import MediaInfo, Pixels
from thgeval.media.source import Picture

_NUMBERED = re.compile(r"(?P<before>.*?)(?P<number>[0-9]+)(?P<after>[^0-9]*)", re.DOTALL)


def is_image(path: Path) -> bool:
    """Whether a file's name says that it is an image that folders may consist of."""
    return path.suffix.lower() in image.SUFFIXES


def frame_files(folder: Path) -> list[Path]:
    """The frames of a folder in order, or the image itself; ``InputError`` if there are none, or no order."""
    try:
        if not folder.is_dir():
            return [folder]
        files = [path for path in folder.iterdir() if is_image(path) and not path.name.startswith(".")]
        broken = next((path for path in files if path.is_symlink() and not path.exists()), None)
        files = [path for path in files if path.is_file()]
    except OSError as error:
        raise InputError(f"{folder}: it can't be read ({error.strerror})", reason="unreadable") from error
    if broken is not None:
        raise InputError(f"{broken}: it links to nothing", reason="unreadable")
    if not files:
        raise InputError(f"{folder}: it holds no {', '.join(image.FORMATS)} frames", reason="no frames")
    return files if len(files) == 1 else _in_order(files, folder)


class _Numbered(NamedTuple):
    number: int
    frame: Path
    rest: tuple[str, str]


def _in_order(files: list[Path], folder: Path) -> list[Path]:
    numbered = []
    for path in files:
        match = _NUMBERED.fullmatch(path.stem)
        if match is None:
            raise InputError(f"{path}: its name has no number, so its place is unknown", reason="numbering")
        numbered.append(_Numbered(int(match["number"]), path, (match["before"], match["after"])))
    numbered.sort()
    for first, second in pairwise(numbered):
        if first.number == second.number or first.rest != second.rest:
            raise InputError(
                f"{folder}: {first.frame.name} and {second.frame.name} can't be frames of one clip; "
                "give their names one form and each its own number",
                reason="numbering",
            )
        if second.number != first.number + 1:
            raise InputError(
                f"{folder}: nothing lies between {first.frame.name} and {second.frame.name}; "
                "render what is missing, or number the frames without gaps",
                reason="missing frames",
            )
    return [one.frame for one in numbered]


class ImageFolder:
    """A folder of numbered images, or a single image; its first header has been read."""

    peak = 255.0
    dtype = np.dtype(np.uint8)

    def __init__(self, path: Path, *, fps: Fraction | None) -> None:
        self._fps = fps
        self._files = frame_files(path)
        self._container = "folder" if path.is_dir() else "image"
        self._first = image.header(image_content(self._files[0]), str(self._files[0]))

    @property
    def info(self) -> MediaInfo:
        """What the first image says, and how many there are."""
        first, count = self._first, len(self._files)
        grey = first.mode in {"1", "L", "LA", "I;16"}
        return MediaInfo(
            container=self._container,
            codec=first.format,
            pixel_format=f"{first.mode} {first.bits} bit",
            width=first.width,
            height=first.height,
            fps=self._fps,
            frames=count,
            duration_s=float(count / self._fps) if self._fps else None,
            start_s=0.0,
            variable_rate=False,
            rotation=first.rotation,
            bits=first.bits,
            matrix="grey" if grey else "rgb",
            colour_range="full",
            audio=None,
        )

    @property
    def times(self) -> list[Fraction]:
        """None are stated."""
        return []

    @property
    def end(self) -> Fraction | None:
        """The number of images over their rate."""
        return len(self._files) / self._fps if self._fps else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """Nothing beside the frames is held."""
        return ()

    def pictures(self) -> Iterator[Picture]:
        """All images, spaced evenly if their rate is known."""
        for index, path in enumerate(self._files):
            data = image_content(path)
            about = image.header(data, str(path))
            time = index / self._fps if self._fps else None
            yield Picture(time, (about.height, about.width), partial(_write, data, about, str(path)))

    def close(self) -> None:
        """Nothing is held open."""


def image_content(path: Path) -> bytes:
    """What an image file holds; ``InputError`` if it is no regular file within the limit."""
    try:
        return limits.content(path, "image_bytes")
    except OSError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror})", reason="unreadable") from error


def _write(data: bytes, about: image.Header, name: str, out: Pixels) -> None:
    out[...] = image.levels(data, about, name)
