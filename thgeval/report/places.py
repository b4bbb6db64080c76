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


def clip_at(written: str | Path, folders: Sequence[Path]) -> Path:
    """The file or folder of frames that a result calls a clip, links followed.

    Raises InputError: "outside" of all ``folders``, "missing", "unreadable".
    """
    try:
        return _clip_at(str(written), folders)
    except OSError as error:
        raise InputError(f"The clip can't be read ({trouble(error)})", reason="unreadable") from None


def _clip_at(written: str, roots: Sequence[Path]) -> Path:
    found = _inside(written, roots)
    if found is None:
        raise InputError(OUTSIDE, reason="outside")
    if not found.exists():
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
