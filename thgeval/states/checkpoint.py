"""The states of one pair on disk: what resuming, merging, caching and reports read.

A checkpoint is an ``.npz`` of plain arrays and one JSON header; nothing in it is ever unpickled. It names the content
of the clips (their fingerprints), the decoder, and for every metric the protocol part of its signature, so that a
state is used again only where it would have come out the same. A damaged or foreign file counts as absent.
"""

import hashlib
import io
import json
import operator
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from thgeval import states
from thgeval.errors import Failure, OutputError
from thgeval.files import npy, opened, write_atomically
from thgeval.states import Part, State
from thgeval.states.stacked import FileRows, blocks, stamp

FORMAT = "thgeval.states.checkpoint/1"
UNREADABLE = (
    *(ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, MemoryError, EOFError),
    *(RuntimeError, NotImplementedError),  # zipfile's, for members that are encrypted or compressed in unknown ways
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError, SyntaxError),  # the last two are numpy's, for broken headers
)
BLOCK_BYTES = 1 << 20
LOCAL_HEADER_BYTES = 30  # before the name of a member of a zip file
KINDS: dict[str, type[State]] = {
    kind.__name__: kind
    for kind in (
        states.ClipMean,
        states.ClipError,
        states.PooledMean,
        states.PooledRoot,
        states.TrackMean,
        states.PooledTracks,
        states.Correlated,
        states.Counts,
        states.Rows,
        states.TwoRows,
        states.TimedValues,
    )
}
DIMENSIONS = {**dict.fromkeys(KINDS, (1, 2)), "Correlated": (2,), "Counts": (2,), "Rows": (2,), "TwoRows": (3,)}
"""How many dimensions the values of each kind have: (frames,) or (frames, columns) unless they are others."""


@dataclass(frozen=True)
class Kept:
    """The state of one metric on one pair, and of the reference's own value where there is one.

    ``device`` is what the metric's networks ran on, as signatures name it.
    """

    protocol: str
    state: State
    reference: State | None = None
    device: str = "cpu"

    @cached_property
    def content(self) -> bytes:
        """The sha256 of either state, one after the other."""
        return b"".join(b"none\n" if state is None else _content(state) for state in (self.state, self.reference))


@dataclass(frozen=True)
class Refused:
    """Why one metric has no state of a pair; ``whole`` if none of the clip has one.

    ``asked`` is what the refusal depends on beside the content, so that it is believed only where it would be said
    again word for word.
    """

    asked: str
    failure: Failure
    whole: bool


@dataclass(frozen=True)
class Checkpoint:
    """What is kept of one pair: the content it was measured on, its states, and the clip record of the result file.

    ``refused`` are metrics that have no state, for a reason that lies in the content.
    """

    pair: str
    content: Mapping[str, str]
    decoder: str
    kept: Mapping[str, Kept]
    record: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, Refused] = field(default_factory=dict)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically; OutputError if it can't be written."""
    arrays: dict[str, Any] = {}
    header = {
        "format": FORMAT,
        "pair": checkpoint.pair,
        "content": dict(checkpoint.content),
        "decoder": checkpoint.decoder,
        "record": checkpoint.record,
        "metrics": {
            key: {
                "protocol": kept.protocol,
                "device": kept.device,
                "state": _described(kept.state, arrays),
                "reference": None if kept.reference is None else _described(kept.reference, arrays),
            }
            for key, kept in checkpoint.kept.items()
        },
        "refused": {
            key: {"asked": refused.asked, **vars(refused.failure), "whole": refused.whole}
            for key, refused in checkpoint.refused.items()
        },
    }
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def save_and_reopen(path: Path, checkpoint: Checkpoint) -> Checkpoint:
    """Write a checkpoint and give it back with its feature rows left in the file; OutputError if that can't be."""
    save(path, checkpoint)
    settled = load(path, rows_stay=True)
    if settled is None:
        raise OutputError(f"{path} can't be read again: it was changed right after it was written")
    return settled


def load(path: Path, *, rows_stay: bool = False) -> Checkpoint | None:
    """Read a checkpoint; None if there is none that can be trusted.

    Feature rows may stay in the file, ``FileRows``, to be read when they are needed; their checksums are compared now.
    """
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                return None  # nothing thgeval wrote; what is packed may be of any size
            header = json.loads(_array(archive, "header").tobytes())
            if header["format"] != FORMAT:
                return None

            def values(kind: str, name: str) -> Any:
                if rows_stay and KINDS[kind].large:
                    return _stored(path, file, archive, name)
                return _array(archive, name)

            kept = {key: _restored(header["pair"], item, values) for key, item in header["metrics"].items()}
        content = {_text(side): _text(value) for side, value in header["content"].items()}
        refused = {_text(key): _refused(item) for key, item in header.get("refused", {}).items()}
        return Checkpoint(
            _text(header["pair"]), content, _text(header["decoder"]), kept, dict(header["record"]), refused
        )
    except (OSError, *UNREADABLE):
        return None


def digest(kept: Mapping[str, Kept]) -> str:
    """The sha256 of the states of one clip: what a result names to say what it rests on.

    It depends on values, frames and reasons, not on the file they lie in or on the pieces they were measured in.
    """
    total = hashlib.sha256()
    for key, item in sorted(kept.items()):
        total.update(f"{key} {item.protocol} {item.device}\n".encode())
        total.update(item.content)
    return total.hexdigest()


def _content(state: State) -> bytes:
    """The sha256 of the only clip that a state holds."""
    ((clip, parts),) = state.parts.items()
    total = hashlib.sha256(type(state).__name__.encode())
    for part in parts if isinstance(state, states.ByTrack) else (state.record(clip),):
        shape = {"shape": list(part.values.shape), "type": part.values.dtype.str}
        total.update(json.dumps(_plain(part) | shape, sort_keys=True).encode())
        for _, block in blocks(part.values):
            total.update(np.ascontiguousarray(block).data)
    return total.digest()


def _array(archive: zipfile.ZipFile, name: str) -> Any:
    with archive.open(f"{name}.npy") as member:
        return npy.array(member, archive.getinfo(f"{name}.npy").file_size)


def _stored(path: Path, file: BinaryIO, archive: zipfile.ZipFile, name: str) -> FileRows:
    """Where in the file the rows of a member lie, which is neither compressed nor in another order."""
    entry = archive.getinfo(f"{name}.npy")
    with archive.open(entry) as member:
        header, before = npy.header(member), member.tell()
        while member.read(BLOCK_BYTES):  # to its end, where the checksum is compared
            pass
    if header.by_columns or entry.compress_type != zipfile.ZIP_STORED or before + header.size != entry.file_size:
        raise ValueError("not rows one after the other")
    file.seek(entry.header_offset)
    lengths = file.read(LOCAL_HEADER_BYTES)[-4:]
    names = int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return FileRows(
        path,
        entry.header_offset + LOCAL_HEADER_BYTES + names + before,
        header.shape,
        header.dtype,
        stamp(file.fileno()),
    )


def _described(state: State, arrays: dict[str, Any]) -> dict[str, Any]:
    """A state as plain data; its arrays go to ``arrays`` under names of their own."""
    ((clip, parts),) = state.parts.items()
    described = []
    for part in (state.record(clip),) if state.large else parts:
        name = f"array{len(arrays)}"
        arrays[name] = part.array
        described.append({"array": name, **_plain(part)})
    return {"kind": type(state).__name__, "parts": described}


def _plain(part: Part) -> dict[str, Any]:
    """All of a part but its values."""
    named = {"left_out": dict(part.left_out), "counted": dict(part.counted)}
    return {"start": part.start, "under": part.under, "detail": part.detail, **named}


def _restored(pair: str, item: dict[str, Any], values: Callable[[str, str], Any]) -> Kept:
    def state(described: dict[str, Any]) -> State:
        parts = tuple(
            Part(
                operator.index(part["start"]),
                _numbers(values(described["kind"], part["array"]), DIMENSIONS[described["kind"]]),
                {_text(reason): tuple(map(operator.index, frames)) for reason, frames in part["left_out"].items()},
                _text(part["under"]),
                _text(part["detail"]),
                {_text(what): operator.index(count) for what, count in part.get("counted", {}).items()},
            )
            for part in described["parts"]
        )
        if not parts:
            raise ValueError("a state without parts")
        return KINDS[described["kind"]]({pair: parts})

    reference = item["reference"]
    own = None if reference is None else state(reference)
    return Kept(_text(item["protocol"]), state(item["state"]), own, _text(item.get("device", "cpu")))


def _refused(item: Mapping[str, Any]) -> Refused:
    return Refused(_text(item["asked"]), Failure(_text(item["reason"]), _text(item["message"])), item["whole"] is True)


def _numbers(values: Any, dimensions: tuple[int, ...]) -> Any:
    """Values as states hold them; ValueError for anything but floats in so many dimensions."""
    if values.dtype.kind != "f" or len(values.shape) not in dimensions:
        raise ValueError("not what a state holds")
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value
