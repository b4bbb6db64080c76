"""The worst moments as strips of pictures: generated, reference, and where they differ.

Clips are decoded again as the run decoded them: under the protocol of the signature, each file once, only as far as its
last picture. Files that have changed since the run are not shown, and those outside the folders that a report may look
into (``places``) are left alone. Errors are absolute differences, averaged over red,
green and blue, as a share of white; all error maps of a page have one scale, from 0 to the smallest of ``SCALES`` that
holds 99.5 % of the worst frame of most.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip, Pair
from thgeval.errors import InputError
from thgeval.media import Pixels, decode, fingerprint
from thgeval.media.resample import resize
from thgeval.media.stills import image_file, levels_of, shrunk
from thgeval.protocol import Protocol
from thgeval.report.data import ClipData

HEIGHT_PX = 160
BYTES = 1_200_000
"""What all pictures of a page may take before they are encoded as text, which adds a third."""

SCALES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

CHUNK_FRAMES = 8
FEWER = "The file holds fewer frames than the run saw."


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a pair: (height, width, 3) RGB in uint8, and (height, width) error as a share of white."""

    generated: NDArray[np.uint8]
    reference: NDArray[np.uint8]
    error: NDArray[np.float32]


class FilmAsked(NamedTuple):
    """Frames of a clip that are to be seen side by side."""

    clip: ClipData
    frames: tuple[int, ...]


class FilmRow(NamedTuple):
    """Frames side by side as one picture, a ``data:`` address, and what they are of."""

    label: str
    address: str


@dataclass(frozen=True)
class Film:
    """The same frames of several clips below one another; ``width`` and ``height`` are those of one row, in px."""

    rows: tuple[FilmRow, ...]
    frames: tuple[int, ...]
    width: int
    height: int


@dataclass(frozen=True)
class Gallery:
    """Films in the order asked for, or the sentence why one is none; ``top`` is the error drawn brightest, 0 for none.

    ``bar`` is a picture of the colours from no error to ``top``.
    """

    films: tuple[Film | str, ...]
    top: float
    bar: str


def gallery(wanted: Sequence[FilmAsked], protocol: Protocol, find: Callable[[str], Path]) -> Gallery:
    """Films of these frames; ``find`` gives the file that a result's path stands for, or raises InputError."""
    clips = {item.clip.id: item.clip for item in wanted}
    found = {
        id: seen_frames(clip, [at for item in wanted if item.clip.id == id for at in item.frames], protocol, find)
        for id, clip in clips.items()
    }
    top = error_scale([_reached(found[item.clip.id], item.frames) for item in wanted])
    films = tuple(_film(found[item.clip.id], item, top, BYTES // (3 * max(1, len(wanted)))) for item in wanted)
    return Gallery(films, top, _address(_heat(np.linspace(0, 1, 256, dtype=np.float32)[None], 1.0), 1 << 16))


def seen_frames(
    clip: ClipData, numbers: Iterable[int], protocol: Protocol, find: Callable[[str], Path]
) -> dict[int, Frame] | str:
    """Frames of a pair by number, as far as the files hold them, or the sentence why there are none."""
    try:
        return _of_clip(clip, sorted(set(numbers)), protocol, find)
    except (InputError, OSError) as error:
        return clip.named(f"{error}.")


def _film(found: dict[int, Frame] | str, item: FilmAsked, top: float, limit: int) -> Film | str:
    if isinstance(found, str):
        return found
    if not found.keys() >= set(item.frames):
        return FEWER
    frames = [found[number] for number in item.frames]
    sides = {
        "generated": [frame.generated for frame in frames],
        "reference": [frame.reference for frame in frames],
        "error": [_heat(frame.error, top) for frame in frames],
    }
    return film(sides, item.frames, limit)


def film(sides: Mapping[str, Sequence[NDArray[np.uint8]]], frames: tuple[int, ...], limit: int) -> Film:
    """Pictures of equal size as a film, each row of at most ``limit`` bytes."""
    rows = {label: np.concatenate(pictures, axis=1) for label, pictures in sides.items()}
    height, width = next(iter(rows.values())).shape[:2]
    return Film(
        tuple(FilmRow(label, _address(picture, limit)) for label, picture in rows.items()), frames, width, height
    )


def error_scale(reached: Iterable[float | None]) -> float:
    """The top of the scale that all error maps share, from how far each film's errors reach; 0 if there are none."""
    known = [error for error in reached if error is not None]
    return next(scale for scale in SCALES if scale >= min(float(np.median(known)), 1.0)) if known else 0.0


def _reached(found: dict[int, Frame] | str, frames: Iterable[int]) -> float | None:
    """The error that 99.5 % of the pixels of a film's worst frame stay below; None where there is no frame."""
    seen = [] if isinstance(found, str) else [found[number].error for number in frames if number in found]
    return max((float(np.quantile(error, 0.995)) for error in seen), default=None)


def _of_clip(clip: ClipData, numbers: list[int], protocol: Protocol, find: Callable[[str], Path]) -> dict[int, Frame]:
    sources = {side: _source(clip, side, find) for side in ("generated", "reference")}
    with _called_by_name(*sources.values()):
        generated, reference = (_decoded(source, side, numbers, protocol) for side, source in sources.items())
    return {number: _frame(*generated[number], *reference[number]) for number in generated.keys() & reference.keys()}


def _decoded(source: Clip, side: str, numbers: list[int], protocol: Protocol) -> dict[int, tuple[Pixels, float]]:
    """Frames (height, width, 3) of one side by number, each with the value of white."""
    found: dict[int, tuple[Pixels, float]] = {}
    pair = Pair(source.id, source, source).cut(protocol.excerpt)
    source = pair.generated if side == "generated" else pair.reference or source
    with decode(source, chunk=CHUNK_FRAMES, fps=protocol.fps, size=protocol.size, crop=protocol.crop) as batches:
        for batch in batches:
            for number in numbers:
                if 0 <= number - batch.start < len(batch):
                    found[number] = batch.new[number - batch.start].copy(), batch.peak
            if batch.start + len(batch) > numbers[-1]:
                break
    return found


def _source(clip: ClipData, side: str, find: Callable[[str], Path]) -> Clip:
    """The clip's file as the run saw it; InputError if it is outside, gone, changed, or never was a file."""
    if (given := clip.files[side]) is None:
        raise InputError(f"The {side} frames were given in memory, not as a file", reason="no file")
    try:
        path = find(str(given))
    except InputError as error:
        raise InputError(str(error).replace("The clip", f"The {side} file"), reason=error.reason) from None
    rate = clip.rates.get(side)
    source = Clip(clip.id, path, None if rate is None else Fraction(rate).limit_denominator(1001000))
    with _called_by_name(source):
        if fingerprint(source) != clip.content.get(side):
            raise InputError(f"The {side} file has changed since the run", reason="changed")
    return source


@contextmanager
def _called_by_name(*sources: Clip) -> Iterator[None]:
    """Take the folders of this machine out of what is said of clips."""
    try:
        yield
    except InputError as error:
        said = str(error)
        for source in sources:
            said = said.replace(f"{Path(str(source.source)).parent}{os.sep}", "")
        raise InputError(said, reason=error.reason) from None


def _frame(generated: Pixels, peak: float, reference: Pixels, reference_peak: float) -> Frame:
    height, width = reference.shape[:2]
    first = _share(resize(generated[None], width=width, height=height)[0], peak)
    second = _share(reference, reference_peak)
    error = np.abs(first - second).mean(axis=2)
    return Frame(shrunk(levels_of(first), HEIGHT_PX), shrunk(levels_of(second), HEIGHT_PX), shrunk(error, HEIGHT_PX))


def _share(pixels: Pixels, peak: float) -> NDArray[np.float32]:
    return np.asarray(pixels, dtype=np.float32) / np.float32(peak)


def _heat(error: NDArray[np.float32], top: float) -> NDArray[np.uint8]:
    """Errors in the colours of the inferno map, whose lightness grows evenly: RGB."""
    levels = levels_of(error / np.float32(top))
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1])


def _address(picture: NDArray[np.uint8], limit: int) -> str:
    """A picture as a ``data:`` address of a file that fits ``limit`` bytes, if any does."""
    return "data:image/webp;base64," + b64encode(image_file(picture, limit, method=4)).decode()
