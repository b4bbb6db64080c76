"""What was fetched from elsewhere, kept by its content: a file is there once, whatever it was called and wherever.

    THGEVAL_HOME/fetched/blobs/ab/abcd...     a file under its sha256
    THGEVAL_HOME/fetched/known/12/1234...     which content a version of an address has
    THGEVAL_HOME/fetched/size, size.lock      how many bytes there are, and the right to say so

Any number of processes may use it at once. Files appear in one step. All together they stay below a bound
(``fetched_bytes`` of ``thgeval.limits``): before one is added, those that were used longest ago are removed. Whoever
uses a file holds a link of his own to it, and keeps it although it is removed here.
"""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from thgeval.errors import OutputError
from thgeval.files import trouble
from thgeval.files.locking import locked
from thgeval.home import home
from thgeval.limits import limit

BUSY = "another process has been working in the cache of fetched files for too long"
LONGEST_WAIT_S = 600.0
UNFINISHED_S = 3600
LEFT = 0.9
"""Share of the bound that is left when room is made, so that it isn't made anew for every file."""


class CachedFile(NamedTuple):
    """A file of the cache."""

    used: float
    size: int
    path: Path


def folder() -> Path:
    """Where fetched files are kept; it need not exist."""
    return home() / "fetched"


def held(address: str, mark: str, link: Path) -> str | None:
    """Give the content that this version of an address has another name, ``link``; its sha256, or None if not here."""
    try:
        sha256 = str(json.loads(_known(address, mark).read_text(encoding="ascii"))["sha256"])
        blob = _blob(sha256)
        give(blob, link)
        os.utime(blob)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sha256


def kept(file: Path, sha256: str, address: str, mark: str) -> None:
    """Keep a file that was just fetched, if it fits at all; the file itself stays where it is.

    ``mark`` says which version of the address it is; an empty one may stand for others too, and is not remembered.
    """
    size = file.stat().st_size
    if size > limit("fetched_bytes"):
        return
    blob = _blob(sha256)
    try:
        blob.parent.mkdir(parents=True, exist_ok=True)
        with _counted() as count:
            if not blob.exists():
                count(size)
                give(file, blob)
                blob.chmod(0o444)
        if mark:
            _note(_known(address, mark), sha256)
    except OSError as error:
        raise OutputError(f"{folder()} can't be written: {trouble(error)}; THGEVAL_HOME names another place") from error


def give(file: Path, name: Path) -> None:
    """Give a file another name in one step, as a link where the file system has them, else as a copy."""
    handle, temporary = tempfile.mkstemp(prefix=".", dir=name.parent)
    os.close(handle)
    try:
        Path(temporary).unlink()
        try:
            os.link(file, temporary)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copyfile(file, temporary)
        Path(temporary).replace(name)
    finally:
        with suppress(OSError):
            Path(temporary).unlink(missing_ok=True)


def contents() -> list[CachedFile]:
    """All files of the cache, those used longest ago first."""
    found = []
    for path in (folder() / "blobs").glob("*/*"):
        with suppress(OSError):
            status = path.stat()
            found.append(CachedFile(status.st_mtime, status.st_size, path))
    return sorted(found)


@contextmanager
def _counted() -> Iterator[Callable[[int], None]]:
    """The right to add files, as the only process; what it gives makes room for so many bytes and counts them."""
    counter = folder() / "size"

    def count(size: int) -> None:
        try:
            total = int(counter.read_text(encoding="ascii"))
        except (OSError, ValueError):
            total = sum(item.size for item in contents())
        if total + size > limit("fetched_bytes"):
            total = _pruned(int(LEFT * limit("fetched_bytes")) - size)
        counter.write_text(str(total + size), encoding="ascii")

    with locked(folder() / "size.lock", held=BUSY, longest_wait_s=LONGEST_WAIT_S):
        yield count


def _pruned(most: int) -> int:
    """Remove what was used longest ago until no more than ``most`` bytes are left; how many are."""
    files = contents()
    total = sum(item.size for item in files)
    for item in files:
        left_behind = item.path.name.startswith(".") and time.time() - item.used > UNFINISHED_S
        if left_behind or total > most:
            item.path.unlink(missing_ok=True)
            total -= item.size
    _forget()
    return total


def _note(place: Path, sha256: str) -> None:
    """Write a small file in one step; if the power fails it may be empty, which is as if it weren't there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".", dir=place.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        json.dump({"sha256": sha256}, file)
    Path(temporary).replace(place)


def _forget() -> None:
    """Remove what is known of contents that are gone."""
    for path in (folder() / "known").glob("*/*"):
        with suppress(OSError, ValueError, KeyError):
            if not _blob(str(json.loads(path.read_text(encoding="ascii"))["sha256"])).exists():
                path.unlink(missing_ok=True)


def _blob(sha256: str) -> Path:
    return folder() / "blobs" / sha256[:2] / sha256


def _known(address: str, mark: str) -> Path:
    digest = hashlib.sha256(f"{address}\n{mark}".encode("utf-8", "surrogateescape")).hexdigest()
    return folder() / "known" / digest[:2] / digest
