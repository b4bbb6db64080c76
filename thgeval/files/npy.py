"""What the header of an .npy file says, and the arrays of numbers behind it.

numpy reads a header as a Python literal. CPython 3.11 counts once for all threads how deep it is in one, and may end
two that are read at the same time with a SystemError. So headers as numpy writes them are read here, and others by one
thread at a time. Nothing is ever unpickled: arrays of Python objects are refused.
"""

import io
import math
import re
from threading import Lock
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

PREFIX = npy.MAGIC_PREFIX
LENGTHS = {(1, 0): 2, (2, 0): 4}
"""In how many bytes files of each version say how long their header is."""

MOST = 10_000
"""Bytes of a header, numpy's own limit; those of plain arrays have 118."""

PLAIN = re.compile(
    rb"\{'descr': '([<>|][a-zA-Z]\d+)', 'fortran_order': (True|False), 'shape': \(((?:\d{1,18}, )*\d{1,18},?)?\), \}\s*"
)
_ONE_AT_A_TIME = Lock()


class ArrayHeader(NamedTuple):
    """The shape of an array, the order of its axes in the file, and the type of its numbers."""

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return self.dtype.itemsize * math.prod(self.shape)


def header(file: Any) -> ArrayHeader:
    """Read a header, to where the array begins; ValueError if it is none of an array of numbers."""
    before = _exactly(file, npy.MAGIC_LEN)
    version = npy.read_magic(io.BytesIO(before))
    if version not in LENGTHS:
        raise ValueError("not as numpy writes arrays of numbers")
    length = _exactly(file, LENGTHS[version])
    if (count := int.from_bytes(length, "little")) > MOST:
        raise ValueError(f"a header of {count} bytes")
    text = _exactly(file, count)
    found = _plain(text) or _any(length + text, version)
    if found.dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    if min(found.shape, default=0) < 0:
        raise ValueError("a negative length")
    return found


def array(file: Any, most: int) -> NDArray[Any]:
    """Read an array to the end of its file of ``most`` bytes at most; ValueError if it is not as long as it says."""
    found = header(file)
    if found.size > most:
        raise ValueError("larger than its file")
    content = bytearray(found.size)
    fill(file, content)
    return found_in(content, found)


def fill(file: Any, content: bytearray) -> None:
    """Read the rest of a file, which has exactly the bytes wanted; ValueError if it hasn't."""
    room, filled = memoryview(content), 0
    while filled < len(content) and (count := file.readinto(room[filled:])):
        filled += count
    if filled < len(content) or file.read(1):  # where the file is one in an archive, this read compares the checksum
        raise ValueError("not as long as its header says")


def found_in(content: bytearray, found: ArrayHeader) -> NDArray[Any]:
    """Bytes as the array that its header says."""
    if not found.size:
        return np.empty(found.shape, found.dtype)
    return np.frombuffer(content, found.dtype).reshape(found.shape, order="F" if found.by_columns else "C")


def _plain(text: bytes) -> ArrayHeader | None:
    if (seen := PLAIN.fullmatch(text)) is None:
        return None
    shape = tuple(int(length) for length in (seen[3] or b"").split(b",") if length)
    return ArrayHeader(shape, seen[2] == b"True", np.dtype(seen[1].decode()))


def _any(content: bytes, version: tuple[int, int]) -> ArrayHeader:
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    with _ONE_AT_A_TIME:
        return ArrayHeader(*read(io.BytesIO(content)))


def _exactly(file: BinaryIO, count: int) -> bytes:
    content = b""
    while len(content) < count and (block := file.read(count - len(content))):
        content += block
    if len(content) < count:
        raise ValueError("it ends in its header")
    return content
