"""What a clip's content is, as a hash: the key under which its features and scores are kept.

Files are hashed as they are (``sha256sum`` gives the same); folders by the names and content of their frames, in order;
arrays by shape, type, layout, peak and values.
"""

import hashlib
from pathlib import Path

import numpy as np

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
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
            _add_file(digest, clip.source)
            return digest.hexdigest()
        for path in frame_files(clip.source):
            digest.update(f"frame {path.name} {path.stat().st_size}\n".encode(errors="surrogateescape"))
            _add_file(digest, path)
    except FileNotFoundError as error:
        raise InputError(f"{clip.name}: there is no such file", reason="missing") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{clip.name}: it can't be read ({error})", reason="unreadable") from error
    return digest.hexdigest()


def _add_file(digest: "hashlib._Hash", path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)


def _add_memory(digest: "hashlib._Hash", memory: Memory, name: str) -> None:
    frames = FramesInMemory(memory, name=name, fps=None)
    digest.update(f"{frames.info.pixel_format} {tuple(memory.frames.shape)} {memory.layout} {memory.peak}\n".encode())
    for frame in frames.stored():
        digest.update(np.ascontiguousarray(frame).data)
