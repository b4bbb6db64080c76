"""One process at a time does something with a file.

Where the system has ``flock`` the lock ends with the process that holds it, whatever ends that process. Elsewhere, and
on network file systems that refuse ``flock``, the lock is a file that only one process can create; if its process dies
it stays, and the error says to delete it.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from thgeval.errors import OutputError
from thgeval.files import trouble

fcntl: ModuleType | None
try:
    fcntl = import_module("fcntl")
except ImportError:
    fcntl = None

POLL_S = 0.1


@contextmanager
def locked(
    path: Path, *, held: str, waits: Callable[[], None] = lambda: None, longest_wait_s: float = 0.0
) -> Iterator[None]:
    """Hold a lock named by a path, which may be any not used otherwise, while the body runs.

    Waits for whoever holds it up to ``longest_wait_s``, and calls ``waits`` once if it has to. OutputError with the
    sentence ``held`` after that, or if the folder can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        release = _taken(path, held, waits, time.monotonic() + longest_wait_s)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {trouble(error)}") from error
    try:
        yield
    finally:
        release()


def _taken(path: Path, held: str, waits: Callable[[], None], latest_s: float) -> Callable[[], None]:
    """Wait for the lock and take it; returns what lets it go."""
    take = _by_creation if fcntl is None else partial(_by_flock, fcntl)
    told = False
    while True:
        try:
            return take(path)
        except (BlockingIOError, FileExistsError):
            if time.monotonic() >= latest_s:
                stale = f"; if none is, delete {_created(path)}" if take is _by_creation else ""
                raise OutputError(held + stale) from None
        except OSError:
            if take is _by_creation:
                raise
            take = _by_creation
            continue
        if not told:
            waits()
            told = True
        time.sleep(POLL_S)


def _by_flock(fcntl: ModuleType, path: Path) -> Callable[[], None]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return lambda: os.close(handle)


def _by_creation(path: Path) -> Callable[[], None]:
    held = _created(path)
    os.close(os.open(held, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return lambda: held.unlink(missing_ok=True)


def _created(path: Path) -> Path:
    return path.with_name(path.name + ".held")
