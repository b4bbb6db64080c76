"""A path that leads to a file already open, for libraries that open files themselves.

Between a look at a file and its opening by name another one can be put in its place. Here the file is opened once, and
whoever asks for a path gets one in a private folder: on Linux a link to the open file, elsewhere a copy of it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from thgeval.errors import OutputError
from thgeval.files import trouble

DESCRIPTORS = Path("/proc")
"""Where Linux shows what processes have open, under the process's number and ``fd``."""


@contextmanager
def named_path(handle: BinaryIO, name: str) -> Iterator[Path]:
    """A path of this name for an open file, as long as the body runs; OutputError if there is no room for one."""
    try:
        private = TemporaryDirectory(prefix="thgeval-")
    except OSError as error:
        raise OutputError(f"no temporary folder can be made ({trouble(error)}); TMPDIR names a place") from None
    with private as folder:
        place = Path(folder, name)
        try:
            _lead(place, handle)
        except OSError as error:
            raise OutputError(f"{place} can't be written: {trouble(error)}") from None
        yield place


def _lead(place: Path, handle: BinaryIO) -> None:
    shown = DESCRIPTORS / str(os.getpid()) / "fd" / str(handle.fileno())
    if shown.exists():
        place.symlink_to(shown)
        return
    handle.seek(0)
    with place.open("xb") as copy:
        shutil.copyfileobj(handle, copy, 1 << 20)
