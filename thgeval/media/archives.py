"""Arrays in ``.npz`` files, of which nothing is unpacked before its header says how large it is.

Nothing is ever unpickled: arrays of Python objects are refused.
"""

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from thgeval.files import npy
from thgeval.limits import beyond, check_file, limit

Array = NDArray[Any]
SUFFIX = ".npy"


def names_in(path: Path, most: str) -> tuple[str, ...]:
    """The names of the arrays in a file of no more bytes than the limit called ``most``."""
    if not check_file(path, most):
        raise ValueError("it is empty")
    with path.open("rb") as file:
        if file.read(len(npy.PREFIX)) == npy.PREFIX:
            raise ValueError("it holds one array without a name; write it with numpy.savez")
        archive = zipfile.ZipFile(file)
        return tuple(name.removesuffix(SUFFIX) for name in archive.namelist() if name.endswith(SUFFIX))


def arrays_in(path: Path, names: Collection[str]) -> Mapping[str, Array]:
    """The arrays of those names, once their headers say that they don't unpack to more than the limit.

    Raises InputError beyond the limit, and whatever zipfile and numpy raise for a file that is damaged.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        headers = {}
        for name in names:
            with archive.open(name + SUFFIX) as member:
                headers[name] = npy.header(member)
        if (size := sum(header.size for header in headers.values())) > limit("unpacked_bytes"):
            raise beyond("unpacked_bytes", f"{path}: it unpacks to {size} bytes")
        return {name: _unpacked(archive, name, header) for name, header in headers.items()}


def _unpacked(archive: zipfile.ZipFile, name: str, header: npy.ArrayHeader) -> Array:
    content = bytearray(header.size)
    with archive.open(name + SUFFIX) as member:
        npy.header(member)
        npy.fill(member, content)
    return npy.found_in(content, header)
