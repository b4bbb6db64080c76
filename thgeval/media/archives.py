"""Arrays in ``.npz`` files, of which nothing is unpacked before its header says how large it is.

Nothing is ever unpickled: arrays of Python objects are refused.
"""

import math
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from thgeval.limits import beyond, check_file, limit

Array = NDArray[Any]
SUFFIX = ".npy"


class _Header(NamedTuple):
    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return self.dtype.itemsize * math.prod(self.shape)


def names_in(path: Path, most: str) -> tuple[str, ...]:
    """The names of the arrays in a file of no more bytes than the limit called ``most``."""
    check_file(path, most)
    with path.open("rb") as file:
        if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
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
                headers[name] = _header(member)
        if (size := sum(header.size for header in headers.values())) > limit("unpacked_bytes"):
            raise beyond("unpacked_bytes", f"{path}: it unpacks to {size} bytes")
        return {name: _unpacked(archive, name, header) for name, header in headers.items()}


def _header(member: Any) -> _Header:
    version = npy.read_magic(member)
    if version not in {(1, 0), (2, 0)}:
        raise ValueError("not as numpy writes arrays of numbers")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    header = _Header(*read(member))
    if header.dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    if min(header.shape, default=0) < 0:
        raise ValueError("a negative length")
    return header


def _unpacked(archive: zipfile.ZipFile, name: str, header: _Header) -> Array:
    content = bytearray(header.size)
    member: Any
    with archive.open(name + SUFFIX) as member:
        _header(member)
        room, filled = memoryview(content), 0
        while filled < header.size and (count := member.readinto(room[filled:])):
            filled += count
        if filled < header.size or member.read(1):  # the last read compares the checksum
            raise ValueError(f"{name} is not as long as its header says")
    if not header.size:
        return np.empty(header.shape, header.dtype)
    return np.frombuffer(content, header.dtype).reshape(header.shape, order="F" if header.by_columns else "C")
