"""What one file may cost, and the check that stands before every opening of one.

A file of a few bytes can claim any size, length or number of frames, and a path can be a pipe, a device or a file that
never ends. What is larger than the limit of its kind is refused before it is read, decoded or unpacked. Limits are one
table; ``THGEVAL_LIMITS`` changes single ones: ``THGEVAL_LIMITS=frame_pixels=5e7,frames=1e6``.
"""

import io
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from stat import S_ISREG
from types import MappingProxyType
from typing import NamedTuple

from thgeval.errors import InputError, ProtocolError

VARIABLE = "THGEVAL_LIMITS"


class Limit(NamedTuple):
    """The most of something, and of what."""

    most: int
    says: str


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "clip_bytes": Limit(64 << 30, "bytes of a video, sound or array file"),
        "image_bytes": Limit(256 << 20, "bytes of an image file"),
        "companion_bytes": Limit(512 << 20, "bytes of a file beside a clip"),
        "text_bytes": Limit(1_000_000, "bytes of a list, prompt, transcript or timing record"),
        "unpacked_bytes": Limit(512 << 20, "bytes that an array in an .npz may unpack to; an .npy is not unpacked"),
        "frame_pixels": Limit(1 << 24, "pixels of a frame of a video or of a folder of images: 4096 x 4096"),
        "image_pixels": Limit(1 << 26, "pixels of a single image, such as the portrait that was animated"),
        "frames": Limit(250_000, "frames of a clip as they are scored, after resampling: 2 h 46 min at 25 per second"),
        "still_s": Limit(60, "seconds for which one frame may be repeated by resampling"),
        "sound_s": Limit(10_800, "seconds of sound, gaps in its clock included"),
        "silent_s": Limit(30, "seconds for which a place elsewhere may be silent before it is given up"),
        "fetched_bytes": Limit(20 << 30, "bytes of what was fetched from elsewhere that are kept on this machine"),
    }
)


def limit(name: str) -> int:
    """The most of what ``LIMITS`` calls so, as the environment may have changed it; ProtocolError if it makes none."""
    return _changed(os.environ.get(VARIABLE, "")).get(name, LIMITS[name].most)


@cache
def _changed(text: str) -> dict[str, int]:
    changed = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = part.partition("=")
        try:
            most = int(float(value))
        except (ValueError, OverflowError):
            most = 0
        if name.strip() not in LIMITS or most < 1:
            raise ProtocolError(
                f"{VARIABLE} must be NAME=NUMBER,... with the names {', '.join(LIMITS)} and numbers from 1 on, "
                f"not {part!r}"
            )
        changed[name.strip()] = most
    return changed


def beyond(name: str, what: str, *, reason: str = "too large") -> InputError:
    """The refusal of a file that is beyond the limit called ``name``; ``what`` is the file and what it has."""
    return InputError(
        f"{what}, beyond the limit of {limit(name)} {LIMITS[name].says.partition(':')[0]}; if that is right, set "
        f"{VARIABLE}={name}=NUMBER",
        reason=reason,
    )


def check_file(path: Path, name: str) -> int:
    """The size in bytes of a regular file that may be opened.

    Raises InputError: "missing", "unreadable" for a pipe, a device, a socket or a folder, "too large" beyond the limit
    called ``name``.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file", reason="missing") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: that is not a valid path ({error})", reason="missing") from error
    except OSError as error:
        reason = "missing" if error.strerror and "symbolic links" in error.strerror else "unreadable"
        raise InputError(f"{path}: it can't be read ({error.strerror or error})", reason=reason) from error
    if not S_ISREG(status.st_mode):
        raise InputError(f"{path}: it is not a regular file", reason="unreadable")
    if status.st_size > limit(name):
        raise beyond(name, f"{path}: it has {status.st_size} bytes")
    return status.st_size


def content(path: Path, name: str) -> bytes:
    """What a regular file within the limit called ``name`` holds, as far as its size says; InputError or OSError.

    A file that says it has no bytes is not opened: some of the system's (``/proc/kmsg``) never end, or never answer.
    """
    if not (size := check_file(path, name)):
        return b""
    with path.open("rb") as file:
        return file.read(size)


def text(path: Path, name: str, encoding: str = "utf-8") -> str:
    """The same as text, with ends of lines of any system; also UnicodeDecodeError."""
    with io.TextIOWrapper(io.BytesIO(content(path, name)), encoding) as file:
        return file.read()
