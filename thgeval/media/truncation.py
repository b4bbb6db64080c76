"""Files that break off, told from their outermost structure, which says how long the file has to be.

Decoders notice a cut only where it tears a frame apart; a cut between two frames makes a shorter clip that decodes
without a word. MP4 and QuickTime, Matroska and WebM, AVI and WAV state the lengths of their outermost boxes, and GIF
has an end mark. Raw streams, MPEG-PS and MPEG-TS say nothing.

Source: ISO/IEC 14496-12 (boxes), RFC 8794 (EBML), Microsoft RIFF, GIF89a.
"""

from pathlib import Path
from typing import BinaryIO

ISO_FIRST = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
EBML_HEAD = bytes.fromhex("1A45DFA3")
EBML_SEGMENT = bytes.fromhex("18538067")
ISO_CONTENT = {b"moov", b"moof", b"mdat"}
UNSTATED_RIFF = 0x7FFF0000
"""Lengths from here on, and 0, are what programs write that don't know it: sox and espeak to pipes, for instance."""


def cut_off(path: Path) -> str | None:
    """How the file shows that it isn't whole, as the end of a sentence; None if it doesn't."""
    length = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[4:8] in ISO_FIRST:
            return _iso(file, length)
        if start[:4] == EBML_HEAD:
            return _ebml(file, length)
        if start[:4] == b"RIFF":
            stated = int.from_bytes(start[4:8], "little")
            # The last chunk's byte of padding is often counted and left out.
            return _short(stated + 7, length) if 0 < stated < UNSTATED_RIFF else None
        if start[:6] in {b"GIF87a", b"GIF89a"}:
            file.seek(max(length - 64, 0))
            return None if file.read().rstrip(b"\0").endswith(b";") else "has no end mark"
    return None


def _short(stated: int, length: int) -> str | None:
    return f"has {length} of {stated} bytes" if length < stated else None


def _iso(file: BinaryIO, length: int) -> str | None:
    """Walk the boxes of an MP4; one that was never finished has frames but no index to them."""
    at, indexed = 0, False
    while at + 8 <= length:
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        elif size == 0:
            size = length - at
        if head[4:8] in ISO_CONTENT and at + size > length:
            return _short(at + size, length)
        indexed = indexed or head[4:8] in {b"moov", b"moof"}
        if size < 8:  # padding, or no box at all: what went before counts
            break
        at += size
    return None if indexed else "has no index, as when its writing was interrupted"


def _ebml(file: BinaryIO, length: int) -> str | None:
    """Compare the length of a Matroska file's one segment, unless it was streamed and has none."""
    file.seek(4)
    head = _vint(file)
    if head is None:
        return None
    file.seek(head, 1)
    if file.read(4) != EBML_SEGMENT:
        return None
    segment = _vint(file)
    return None if segment is None else _short(file.tell() + segment, length)


def _vint(file: BinaryIO) -> int | None:
    """EBML's number of variable length; None if it says "unknown"."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    extra = 8 - first[0].bit_length()
    bits = 7 * (extra + 1)
    value = int.from_bytes(first + file.read(extra), "big") & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value
