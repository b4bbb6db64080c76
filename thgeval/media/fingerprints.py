"""What a clip's content is, as a hash: the key under which its features and scores are kept.

Files are hashed as they are (``sha256sum`` gives the same); folders by the names and content of their frames, in order;
arrays by shape, type, layout, peak and values.
"""

import hashlib
from pathlib import Path

import numpy as np

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.limits import check_file
from thgeval.media.arrays import FramesInMemory
from thgeval.media.folder import frame_files


def fingerprint(clip: Clip) -> str:
    """The sha256 of a clip's content in hexadecimal; its name, place and ``Clip.fps`` don't matter.

    Raises ``InputError`` for a clip that can't be read.
    """
    digest = hashlib.sha256()
    if isinstance(clip.source, Memory):
        _add_memory(digest, clip.source, clip.name)
        return digest.hexdigest()
    try:
        if not clip.source.is_dir():
            return file_fingerprint(clip.source, "clip_bytes")
        for path in frame_files(clip.source):
            size = check_file(path, "image_bytes")
            digest.update(f"frame {path.name} {size}\n".encode(errors="surrogateescape"))
            _add_file(digest, path, size)
    except (OSError, ValueError) as error:
        raise InputError(f"{clip.name}: it can't be read ({error})", reason="unreadable") from error
    return digest.hexdigest()


def file_fingerprint(path: Path, most: str) -> str:
    """The sha256 of one regular file, of no more bytes than the limit called ``most``; ``InputError`` for others."""
    digest = hashlib.sha256()
    size = check_file(path, most)
    try:
        _add_file(digest, path, size)
    except OSError as error:
        raise InputError(f"{path}: it can't be read ({error.strerror or error})", reason="unreadable") from error
    return digest.hexdigest()


def _add_file(digest: "hashlib._Hash", path: Path, size: int) -> None:
    """Add a file as long as it was when it was looked at, so that one that grows without end is not followed."""
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, 1 << 20))):
            digest.update(block)
            size -= len(block)


def _add_memory(digest: "hashlib._Hash", memory: Memory, name: str) -> None:
    frames = FramesInMemory(memory, name=name, fps=None)
    read = f"{memory.peak}" + (f" {memory.black} {memory.clip}" if memory.black or memory.clip else "")
    digest.update(f"{frames.info.pixel_format} {tuple(memory.frames.shape)} {memory.layout} {read}\n".encode())
    for frame in frames.stored():
        digest.update(np.ascontiguousarray(frame).data)
