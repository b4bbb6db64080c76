"""Any clip as batches of RGB frames, read once, front to back, in memory that doesn't grow with its length."""

from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from thgeval.clip import Clip, Excerpt, Memory
from thgeval.errors import InputError, ProtocolError
from thgeval.limits import beyond, limit
from thgeval.media.arrays import ARRAY_SUFFIXES, ArrayFile, FramesInMemory
from thgeval.media.excerpt import Cut, evenly_spread, first_held_out, held_out
from thgeval.media.folder import ImageFolder, is_image
from thgeval.media.frames import FrameBatch, MediaInfo, Pixels
from thgeval.media.resample import Framing, retimed, sized
from thgeval.media.source import Picture, Source
from thgeval.media.video import VideoFile

CROPS = ("none", "centre-square")

RESERVED_BYTES = 256 << 20
"""A batch that is larger than this is not reserved at once: the clip may be shorter."""


def open_source(clip: Clip, *, threads: int = 1) -> Source:
    """The clip, opened by what it is: frames in memory, a folder of images, an array file, an image, or a video.

    Of an excerpt that is its first seconds, only these are there; others are for ``decode`` to take.
    """
    until_s = None if clip.excerpt is None else clip.excerpt.first_s
    source = _whole_source(clip, threads, until_s)
    return source if until_s is None or isinstance(source, VideoFile) else Cut(source, until_s, clip.name)


def _whole_source(clip: Clip, threads: int, until_s: Fraction | None) -> Source:
    if isinstance(clip.source, Memory):
        return FramesInMemory(clip.source, name=clip.name, fps=clip.fps)
    path = Path(clip.source)
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror})", reason="unreadable") from error
    except ValueError as error:
        raise InputError(f"{clip.id}: its path is not valid ({error})", reason="missing") from error
    if is_folder or is_image(path):
        return ImageFolder(path, fps=clip.fps)
    if path.suffix.lower() in ARRAY_SUFFIXES:
        return ArrayFile(path, fps=clip.fps)
    return VideoFile(path, fps=clip.fps, threads=threads, until_s=until_s)


def probe(clip: Clip) -> MediaInfo:
    """What the clip's header and first frame say; nothing else is decoded.

    Raises ``InputError`` for a clip that can't be opened or holds no frames.
    """
    source = open_source(clip)
    try:
        return source.info
    finally:
        source.close()


def decode(
    clip: Clip,
    *,
    chunk: int,
    lead: int = 0,
    fps: Fraction | None = None,
    size: int | None = None,
    crop: str = "none",
    threads: int = 1,
) -> "Decoder":
    """Open a clip for reading as RGB frames.

    chunk    new frames per batch; the last batch may have fewer
    lead     frames before those that are repeated at the front of a batch, as far as there are any
    fps      constant rate to resample to, by repeating and leaving out frames (see ``resample``); None keeps all
    size     side in px that square frames are resized to; others raise ``InputError``, unless cropped
    crop     "none", or "centre-square": the largest square in the middle, half a pixel to the upper left if need be
    threads  the video decoder's own; more than one only helps when few clips are decoded at a time

    Raises ``InputError`` if the clip can't be opened, and while it is read, where it breaks off; ``ProtocolError`` for
    arguments that make no sense.
    """
    if chunk < 1 or lead < 0 or threads < 1:
        raise ProtocolError(f"chunk and threads must be at least 1 and lead at least 0, not {chunk}, {threads}, {lead}")
    if crop not in CROPS:
        raise ProtocolError(f"crop must be one of {', '.join(CROPS)}, not {crop!r}")
    if (fps is not None and fps <= 0) or (size is not None and size < 1):
        raise ProtocolError(f"fps and size must be positive, not {fps} and {size}")
    framing = Framing(size=size, crop=crop, name=clip.name)
    frames = None if clip.excerpt is None or clip.excerpt.first_s is not None else _frames(clip, fps, threads)
    source = open_source(clip, threads=threads)
    return Decoder(
        source,
        name=clip.name,
        chunk=chunk,
        lead=lead,
        fps=fps,
        framing=framing,
        excerpt=None if frames is None else clip.excerpt,
        whole=frames,
    )


def _frames(clip: Clip, fps: Fraction | None, threads: int) -> int:
    """How many frames a clip is handed out as; it is decoded to its end, and nothing is drawn."""
    with Decoder(
        open_source(clip, threads=threads),
        name=clip.name,
        chunk=1,
        lead=0,
        fps=fps,
        framing=Framing(size=None, crop="none", name=clip.name),
    ) as decoder:
        return decoder.count()


class Decoder:
    """The batches of one clip: a context manager to iterate over, once.

    Leaving the context, or reading to the end, closes the file. May be handed from thread to thread, but used by one at
    a time.
    """

    def __init__(
        self,
        source: Source,
        *,
        name: str,
        chunk: int,
        lead: int,
        fps: Fraction | None,
        framing: Framing,
        excerpt: Excerpt | None = None,
        whole: int | None = None,
    ) -> None:
        self._source, self._name = source, name
        self._chunk, self._lead = chunk, lead
        self._fps, self._framing = fps, framing
        self._excerpt, self._whole = excerpt, whole
        self._decoded = 0
        self._batches = self._read()

    @property
    def info(self) -> MediaInfo:
        """The clip as it is coded, before ``fps``, ``size`` and ``crop``; final once all frames have been read."""
        return self._source.info

    @property
    def source(self) -> Source:
        """The clip behind the batches."""
        return self._source

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the file holds beside what is handed out, as sentences; final once all frames have been read."""
        return tuple(self._source.remarks)

    @property
    def frames(self) -> int:
        """How many coded frames have been read so far."""
        return self._decoded

    @property
    def whole(self) -> int | None:
        """How many frames the clip has, where an excerpt of some of them is handed out."""
        return self._whole

    @property
    def times_s(self) -> list[float]:
        """When the coded frames read so far are shown, in seconds since the first; empty for folders and arrays.

        Of an excerpt that is the last share, when its frames are; of frames that are picked, when all are.
        """
        if self._excerpt is not None and self._excerpt.last is not None and self._whole is not None:
            times = self._source.times[first_held_out(self._whole, self._excerpt.last) :]
            return [float(time - times[0]) for time in times]
        return [float(time) for time in self._source.times]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[FrameBatch]:
        return self._batches

    def close(self) -> None:
        """Close the file; batches handed out stay valid."""
        self._batches.close()
        self._source.close()

    def count(self) -> int:
        """How many frames there are to be handed out; nothing can be read afterwards."""
        return sum(1 for _ in self._pictures())

    def _counted(self) -> Iterator[Picture]:
        for picture in sized(self._source.pictures(), self._name):
            self._decoded += 1
            yield picture

    def _pictures(self) -> Iterator[Picture]:
        pictures = self._counted()
        if self._fps is not None:
            pictures = retimed(pictures, fps=self._fps, end=lambda: self._source.end, name=self._name)
        if self._excerpt is None or self._whole is None:
            return pictures
        if self._excerpt.last is not None:
            return held_out(pictures, self._whole, self._excerpt.last)
        return evenly_spread(pictures, self._whole, self._excerpt.frames or 0, self._name)

    def _read(self) -> Generator[FrameBatch, None, None]:
        start = 0
        before = None
        filling: _Filling | None = None
        most = limit("frames")
        for count, picture in enumerate(map(self._framing, self._pictures()), 1):
            if count > most:
                raise beyond("frames", f"{self._name}: it goes on after {most} frames", reason="too long")
            if filling is None:
                filling = _Filling(
                    picture.shape, self._source.dtype, before, lead=min(self._lead, start), chunk=self._chunk
                )
            filling.add(picture)
            if filling.new == self._chunk:
                before = filling.pixels
                yield self._batch(filling, start)
                start, filling = start + self._chunk, None
        if filling is not None:
            yield self._batch(filling, start)
        self._source.close()

    def _batch(self, filled: "_Filling", start: int) -> FrameBatch:
        said = self._fps is None and None not in filled.times and self._excerpt is None
        times = np.array(filled.times, np.float64) if said else None
        spread = self._excerpt is not None and self._excerpt.frames is not None
        fps = None if spread else self._fps or self._source.info.fps
        return FrameBatch(filled.pixels, self._source.peak, start, filled.lead, fps, times)


class _Filling:
    """A batch that is being written."""

    def __init__(
        self, shape: tuple[int, int], dtype: np.dtype[Any], before: Pixels | None, *, lead: int, chunk: int
    ) -> None:
        self.lead, self.new = lead, 0
        self.times: list[Fraction | None] = []
        self._most = lead + chunk
        affordable = RESERVED_BYTES // (shape[0] * shape[1] * 3 * dtype.itemsize)
        self._room = np.empty((min(self._most, lead + max(affordable, 1)), *shape, 3), dtype)
        if before is not None and lead:
            self._room[:lead] = before[-lead:]
        self._last: Picture | None = None

    @property
    def pixels(self) -> Pixels:
        return self._room[: self.lead + self.new]

    def add(self, picture: Picture) -> None:
        slot = self.lead + self.new
        if slot == len(self._room):
            self._grow()
        if picture is self._last:
            self._room[slot] = self._room[slot - 1]
        else:
            picture.write(self._room[slot])
        self._last = picture
        self.times.append(picture.time)
        self.new += 1

    def _grow(self) -> None:
        larger = np.empty((min(2 * len(self._room), self._most), *self._room.shape[1:]), self._room.dtype)
        larger[: len(self._room)] = self._room
        self._room = larger
