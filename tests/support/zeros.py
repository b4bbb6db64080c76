"""Archives that unpack to very much: each mebibyte of their zeros is deflated once, and the piece repeated."""

import zipfile
import zlib
from functools import cache
from typing import IO

MEBIBYTE = bytes(1 << 20)


def write_zeros(member: IO[bytes], mebibytes: int) -> None:
    """Write so many zeros into an open file of an archive; whoever measures memory holds none of it."""
    for _ in range(mebibytes):
        member.write(MEBIBYTE)


def repeating(member: IO[bytes], method: int = zipfile.ZIP_DEFLATED) -> IO[bytes]:
    """A file of an archive just opened for writing: where it is deflated, making it takes no longer than reading it."""
    if method == zipfile.ZIP_DEFLATED:
        member._compressor = _Repeating()
    return member


class _Repeating:
    """Deflates as zlib does, each mebibyte of zeros as the first."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)

    def compress(self, data: bytes) -> bytes:
        return _deflated_zeros() if data is MEBIBYTE else _piece(self._stream, data)

    def flush(self) -> bytes:
        return self._stream.flush()


@cache
def _deflated_zeros() -> bytes:
    return _piece(zlib.compressobj(wbits=-zlib.MAX_WBITS), MEBIBYTE)


def _piece(stream: "zlib._Compress", data: bytes) -> bytes:
    """Data deflated so that nothing after it refers to it."""
    return stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)
