r"""Is this file the published one? Hashes of weight files, and the check against the manifest.

A file is recognised by its sha256, by its git blob id (what ``git hash-object FILE`` prints: sha1 over
``blob <size>\0`` and the content) or by the first digits of its sha256, which some authors put into the file name.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
    return _digest(path, hashlib.sha256())


def git_blob(path: Path) -> str:
    """The id git gives to a file of this content, 40 hex digits."""
    header = b"blob %d\0" % _size(path)
    return _digest(path, hashlib.sha1(header, usedforsecurity=False))


def verify(path: Path, entry: Weights) -> Verification:
    """Compare a file with what the manifest says of it.

    "verified" if every hash the manifest has agrees, "unverified" if it has none; HashMismatchError if one differs.
    """
    digest = sha256(path)
    known = {
        "sha256": (entry.sha256, digest),
        "git blob id": (entry.git_blob, git_blob(path) if entry.git_blob else ""),
        "sha256 prefix": (entry.sha256_prefix, digest[: len(entry.sha256_prefix)]),
    }
    for kind, (expected, found) in known.items():
        if expected and expected != found:
            raise HashMismatchError(
                f"{path} is not the published {entry.file}: its {kind} is {found}, not {expected}; fetch it again.",
                sha8=digest[:8],
            )
    return Verification(state="verified" if entry.has_known_hash else "unverified", sha8=digest[:8])


def _digest(path: Path, state: "hashlib._Hash") -> str:
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                state.update(chunk)
    except OSError as error:
        raise UnreadableFileError(f"{path} can't be read ({error.strerror}); check the path.") from error
    return state.hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UnreadableFileError(f"{path} can't be read ({error.strerror}); check the path.") from error
