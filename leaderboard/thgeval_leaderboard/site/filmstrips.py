"""Filmstrips of worst clips: a few frames side by side, of media that a site's keeper has beside the entries.

Media of an entry are a folder of clips, as they were scored, or of pictures; they may lie in a folder ``clips`` of it,
as runs of generators are laid out. A clip is only shown if its content has the hash that the entry says; a picture
can't be held against anything, and is shown as sent. Both are drawn again, small: nothing of a stranger's file, its
name included, comes into the site as it was.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError, ProtocolError
from thgeval.media import fingerprint
from thgeval.media.folder import is_image
from thgeval.media.stills import image_file, shrunk, spread
from thgeval.pairing.folders import stems
from thgeval.pairing.naming import named
from thgeval.report.places import clip_at
from thgeval.results import ClipResult

MOMENTS = 6
HEIGHT_PX = 128
BROADEST = 16
"""How many times as wide as high a strip may be."""

MOST_BYTES = 30_000
SETTINGS = ((HEIGHT_PX, 80), (HEIGHT_PX, 60), (HEIGHT_PX, 40), (96, 40), (64, 30), (48, 20))
"""Height in px and quality of a strip, tried in this order until it has no more than ``MOST_BYTES``."""


@dataclass(frozen=True)
class Filmstrip:
    """One clip as a WebP picture; ``says`` is why there is none, or what must be known of the one there is."""

    clip: str
    picture: bytes = b""
    width: int = 0
    height: int = 0
    says: str = ""


def folders(media: Path) -> dict[str, Path]:
    """The folder of each entry below a folder of media, by its id; links are left alone, as they may lead anywhere."""
    return {path.name: path for path in sorted(media.iterdir()) if path.is_dir() and not path.is_symlink()}


def filmstrips(clips: Sequence[ClipResult], folder: Path) -> Iterator[Filmstrip]:
    """A strip of each clip from the media in a folder; what is missing, broken or another clip is said in its place."""
    try:
        called = _by_name(folder)
    except (ProtocolError, OSError) as error:
        yield from (Filmstrip(clip.id, says=_without(error, folder)) for clip in clips)
        return
    for clip in clips:
        found = called.get(clip.id) or called.get(PurePath(clip.generated or "").stem, [])
        try:
            yield _filmstrip(clip, found, folder)
        except InputError as error:
            yield Filmstrip(clip.id, says=_without(error, folder))


def _by_name(folder: Path) -> Mapping[str, Sequence[Path]]:
    """What may be a clip of each name: clips of the folder and of its folder ``clips``, and pictures after them."""
    found: dict[str, list[Path]] = {}
    places = [place for place in (folder, folder / "clips") if place.is_dir()]
    for place in places:
        for name, paths in stems(place).items():
            found.setdefault(name, []).extend(paths)
    for path in (path for place in places for path in sorted(place.iterdir()) if is_image(path)):
        found.setdefault(named(path.stem), []).append(path)
    return found


def _without(error: Exception, folder: Path) -> str:
    """What is wrong, without the folders of this machine."""
    said = str(error)
    for place in (folder.absolute(), folder.resolve(), folder):
        said = said.replace(f"{place}{os.sep}", "").replace(str(place), folder.name)
    return f"{said}."


def _filmstrip(clip: ClipResult, candidates: Sequence[Path], folder: Path) -> Filmstrip:
    """The strip of the clip that was scored, else of a picture called so; InputError if there is neither."""
    if not candidates:
        raise InputError("no clip or picture of it is among the media", reason="missing")
    wanted = clip.content.get("generated")
    problem: InputError | None = None
    for path in candidates:
        try:
            source = Clip(clip.id, clip_at(path.absolute(), [folder]))
            if is_image(path):
                return _drawn(clip.id, spread(source, 1), "A picture as sent, not held against the scored clip.")
            if fingerprint(source) == wanted:
                return _drawn(clip.id, spread(source, min(MOMENTS, clip.frames or MOMENTS)), "")
            problem = problem or InputError(f"{path.name} is not the clip that was scored", reason="changed")
        except InputError as error:
            outside = InputError(f"{path.name} is a link that leads out of the folder", reason="outside")
            problem = outside if error.reason == "outside" else error
    raise problem or InputError("it can't be drawn", reason="unable")


def _drawn(id: str, frames: Sequence[NDArray[np.uint8]], says: str) -> Filmstrip:
    strip = np.hstack([shrunk(frame, HEIGHT_PX) for frame in frames])
    height, width = strip.shape[:2]
    if width > BROADEST * height:
        raise InputError(f"it is {width} x {height} px, too broad for a strip", reason="too broad")
    return Filmstrip(id, image_file(strip, MOST_BYTES, settings=SETTINGS, method=4), width, height, says)
