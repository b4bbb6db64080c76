"""Which clips a report may open: those below the folder of the result file, or below one that the user names.

A result file may come from anybody, and what it calls a clip may be any path. Paths are compared as they are written
before anything on the disk is touched, and links step by step, so that of what lies outside nothing is opened, looked
at or told: neither its content nor whether it is there.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from thgeval.errors import InputError
from thgeval.files import trouble
from thgeval.media.folder import frame_files

OUTSIDE = (
    "Pictures are not shown: the clips lie outside the folder of the result file; name their folder with --clips DIR"
)
MOST_LINKS = 40


def clip_at(written: str, folder: Path | None, clips: Sequence[Path] = ()) -> Path:
    """The file or folder of frames that a result calls a clip, links followed.

    ``folder`` is that of the result file, where relative paths begin; a path of a run elsewhere may begin here too.
    Raises InputError: "outside" of ``folder`` and all ``clips``, "missing", "unreadable".
    """
    try:
        return _clip_at(written, folder, clips)
    except OSError as error:
        raise InputError(f"The clip can't be read ({trouble(error)})", reason="unreadable") from None


def _clip_at(written: str, folder: Path | None, clips: Sequence[Path]) -> Path:
    roots = [place for place in (folder, *clips) if place is not None]
    starts = [place for place in (folder, Path()) if place is not None]
    allowed = [found for start in starts if (found := _inside(os.path.join(start, written), roots)) is not None]  # noqa: PTH118 - a path is not normal yet
    if not allowed:
        raise InputError(OUTSIDE, reason="outside")
    found = next((path for path in allowed if path.exists()), None)
    if found is None:
        raise InputError("The clip is no longer where the run found it", reason="missing")
    if found.is_dir() and any(_inside(str(frame), roots) is None for frame in frame_files(found)):
        raise InputError(OUTSIDE, reason="outside")
    return found


def _inside(written: str, roots: Sequence[Path]) -> Path | None:
    """The path without its links, if neither it nor any of them leads out of the roots."""
    if "\0" in written:
        return None
    path = _rebased(written, roots)
    for _ in range(MOST_LINKS):
        if path is None:
            return None
        link = next((part for part in _parts(path, roots) if part.is_symlink()), None)
        if link is None:
            return path
        beyond = path.relative_to(link)
        path = _rebased(os.path.join(link.parent, os.readlink(link), beyond), roots)  # noqa: PTH115, PTH118
    return None


def _rebased(written: str, roots: Sequence[Path]) -> Path | None:
    """A path, as it is written, below the true place of a root; None if it is below none."""
    path = Path(os.path.abspath(written))  # noqa: PTH100 - resolve() would look at every folder on the way
    for root in roots:
        for form in (Path(os.path.abspath(root)), root.resolve()):  # noqa: PTH100
            if path.is_relative_to(form):
                return root.resolve() / path.relative_to(form)
    return None


def _parts(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    """The folders between a root and the path, and the path, outermost first."""
    root = max((root.resolve() for root in roots if path.is_relative_to(root.resolve())), key=lambda root: root.parts)
    parts = path.relative_to(root).parts
    return (root.joinpath(*parts[: i + 1]) for i in range(len(parts)))
