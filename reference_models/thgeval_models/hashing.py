r"""Is this file the published one? Hashes of weight files, and the check against the manifest.

A file is recognised by its sha256, by its git blob id (what ``git hash-object FILE`` prints: sha1 over
``blob <size>\0`` and the content) or by the first digits of its sha256, which some authors put into the file name.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from thgeval_models.errors import HashMismatchError, UnreadableFileError
from thgeval_models.manifest import Weights

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Verification:
    """Whether a file is known, and the first eight digits of its sha256, which signatures quote."""

    state: Literal["verified", "unverified"]
    sha8: str


def sha256(path: Path) -> str:
    """The sha256 of a file's content, 64 hex digits."""
    return _digests(path, hashlib.sha256())[0]


def git_blob(path: Path) -> str:
    """The id git gives to a file of this content, 40 hex digits."""
    return _digests(path, _blob(_size(path)))[0]


def verify(path: Path, entry: Weights, file: BinaryIO | None = None) -> Verification:
    """Compare a file with what the manifest says of it; ``file`` is it if it is open already, and is read to its end.

    "verified" if every hash the manifest has agrees, "unverified" if it has none; HashMismatchError if one differs.
    """
    if file is None:
        try:
            with path.open("rb") as opened:
                return verify(path, entry, opened)
        except OSError as error:
            raise _unreadable(path, error) from error
    states = [hashlib.sha256()]
    if entry.git_blob:
        states.append(_blob(os.fstat(file.fileno()).st_size))
    digest, *blob = _read(path, file, *states)
    known = {
        "sha256": (entry.sha256, digest),
        "git blob id": (entry.git_blob, "".join(blob)),
        "sha256 prefix": (entry.sha256_prefix, digest[: len(entry.sha256_prefix)]),
    }
    for kind, (expected, found) in known.items():
        if expected and expected != found:
            raise HashMismatchError(
                f"{path} is not the published {entry.file}: its {kind} is {found}, not {expected}; fetch it again.",
                sha8=digest[:8],
            )
    return Verification(state="verified" if entry.has_known_hash else "unverified", sha8=digest[:8])


def _blob(size: int) -> "hashlib._Hash":
    return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def _digests(path: Path, *states: "hashlib._Hash") -> list[str]:
    try:
        with path.open("rb") as file:
            return _read(path, file, *states)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path, file: BinaryIO, *states: "hashlib._Hash") -> list[str]:
    """Hashes of an open file's content, which is read once for all of them."""
    try:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            for state in states:
                state.update(chunk)
    except OSError as error:
        raise _unreadable(path, error) from error
    return [state.hexdigest() for state in states]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> UnreadableFileError:
    return UnreadableFileError(f"{path} can't be read ({error.strerror}); check the path.")
