"""Writing files so that a reader finds the old content or the new, never half of either; and opening nothing else.

A file is written under another name beside its own, forced to the disk and renamed, and its folder is forced to the
disk too, so that a loss of power changes nothing. Links are followed: what they point to is replaced, they stay.
What is there and no regular file (a device, a pipe, a folder) is refused.
"""

import errno
import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from thgeval.errors import OutputError

NO_ROOM = {errno.ENOSPC: "the disk is full"}
if hasattr(errno, "EDQUOT"):  # Windows has no such number
    NO_ROOM[errno.EDQUOT] = "the quota of this user is used up"
UNFINISHED = "."
"""How names of files begin that are still being written."""


def write_atomically(path: Path, content: bytes) -> None:
    """Put content under a name in one step.

    Raises OutputError if that is impossible, and leaves what was there.
    """
    with replacing(path) as file:
        file.write(content)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which is put under a name in one step when the body ends.

    Raises OutputError if that is impossible, and leaves what was there, as it does where the body raises.
    """
    temporary: str | None = None
    try:
        target = replaceable(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f"{UNFINISHED}{target.name[:100]}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
        temporary = None
        _settle(target.parent)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {trouble(error)}") from error
    finally:
        if temporary is not None:  # whatever ended the writing, Ctrl-C among it
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


def replaceable(path: Path) -> Path:
    """The regular file, there or not yet, that a name stands for; OutputError if it is anything else."""
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    except OSError as error:  # links in a circle, names that are too long
        raise OutputError(f"{path} can't be written: {trouble(error)}") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or the like"
        raise OutputError(f"{path} can't be written: it is {kind}, not a file")
    return target


def opened(path: Path) -> BinaryIO:
    """A regular file, open for reading; OSError for anything else, which might never answer or never end."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if not status.st_size:  # some of the system's say so and never end
        os.close(handle)
        return io.BytesIO()
    return os.fdopen(handle, "rb")


def trouble(error: OSError) -> str:
    """What an error of the system says, with words of our own for a disk without room."""
    return NO_ROOM.get(error.errno or 0) or error.strerror or str(error)


def without_room(error: BaseException) -> bool:
    """Whether an error says that a disk is full."""
    return isinstance(error, OSError) and error.errno in NO_ROOM


def _settle(folder: Path) -> None:
    """Force the entries of a folder to the disk, where the system and the file system know how."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
