"""Which files of a folder are clips, by name: video files, array files, and folders of numbered images."""

import os
from collections.abc import Iterator
from pathlib import Path

from thgeval.clip import COMPANIONS
from thgeval.errors import ProtocolError
from thgeval.media.folder import is_image
from thgeval.pairing.naming import named
from thgeval.results import STATES

VIDEOS = frozenset(
    [
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".mpg",
        ".mpeg",
        ".m2v",
        ".ts",
        ".mts",
        ".ogv",
        ".flv",
        ".wmv",
        ".3gp",
        ".gif",
        ".y4m",
        ".mxf",
    ]
)
ARRAYS = frozenset((".npy", ".npz"))
LOOKED_AT = 10_000
"""Files of subfolders that are looked at before the search for clips nobody asked for is given up."""
MOST = 1_000_000
"""Files of subfolders that are looked at where they are asked for."""
NOT_CLIPS = tuple(suffix for suffixes in COMPANIONS.values() for suffix in suffixes)


def stems(folder: Path) -> dict[str, list[Path]]:
    """The clips of a folder by stem: video files, array files, and folders of images; anything else is not a clip."""
    found: dict[str, list[Path]] = {}
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ProtocolError(f"the folder {folder} can't be read: {error.strerror}") from None
    for entry in entries:
        path = folder / entry.name
        is_file = path.suffix.lower() in VIDEOS | ARRAYS and not entry.name.lower().endswith(NOT_CLIPS)
        if not entry.name.startswith(".") and (is_file or _holds_images(path)):
            found.setdefault(named(path.stem if is_file else path.name), []).append(path)
    return found


def deeper(folder: Path) -> dict[str, Path]:
    """Clips in the subfolders of a folder by their path below it without suffix, as far as ``LOOKED_AT`` files go."""
    found: dict[str, Path] = {}
    for clips, seen in _below(folder, follow=False):
        found |= {name: path for name, paths in clips.items() for path in paths}
        if seen > LOOKED_AT:
            break
    return found


def everywhere(folder: Path) -> dict[str, list[Path]]:
    """The clips of a folder and of all its subfolders by their path below it without suffix.

    Links to folders are followed, but for those that lead to a folder above them. ProtocolError for more than ``MOST``
    files, or a subfolder that can't be read.
    """
    found = stems(folder)
    for clips, seen in _below(folder, follow=True):
        found |= clips
        if seen > MOST:
            raise ProtocolError(f"{folder} and its subfolders hold more than {MOST} files; score them folder by folder")
    return found


def is_clip(path: Path) -> bool:
    """Whether a path is one clip rather than a folder of clips."""
    return not path.is_dir() or path.suffix.lower() in VIDEOS or (_holds_images(path) and not stems(path))


def _below(folder: Path, *, follow: bool) -> Iterator[tuple[dict[str, list[Path]], int]]:
    """The clips of each subfolder by path below the folder, and how many files were seen so far."""
    seen = 0
    above = {folder: frozenset(_identity(parent) for parent in (folder, *folder.resolve().parents))}
    for place, inner, files in os.walk(folder, onerror=_refuse if follow else None, followlinks=follow):
        here = Path(place)
        inner[:] = sorted(name for name in inner if _may_hold_clips(here / name))
        if follow:
            known = {name: _identity(here / name) for name in inner}
            inner[:] = [name for name in inner if known[name] not in above[here]]
            above |= {here / name: above[here] | {known[name]} for name in inner}
        seen += len(files) + len(inner) + 1
        below = named(here.relative_to(folder).as_posix())
        clips = {} if here == folder else {f"{below}/{stem}": paths for stem, paths in stems(here).items()}
        yield clips, seen


def _may_hold_clips(folder: Path) -> bool:
    is_clip = folder.suffix.lower() in VIDEOS | ARRAYS or _holds_images(folder)
    return not folder.name.startswith(".") and not folder.name.endswith(STATES) and not is_clip


def _identity(folder: Path) -> tuple[int, int]:
    """What a folder is known by, whichever link leads to it."""
    try:
        found = folder.stat()
    except OSError as error:
        raise ProtocolError(f"the folder {folder} can't be read: {error.strerror}") from None
    return found.st_dev, found.st_ino


def _refuse(error: OSError) -> None:
    raise ProtocolError(f"the folder {error.filename} can't be read: {error.strerror}")


def _holds_images(path: Path) -> bool:
    try:
        with os.scandir(path) as entries:
            return any(is_image(Path(entry.name)) for entry in entries)
    except OSError:
        return False
