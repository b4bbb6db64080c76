"""The states of one pair on disk: what resuming, merging, caching and reports read.

A checkpoint is an ``.npz`` of plain arrays and one JSON header; nothing in it is ever unpickled. It names the content
of the clips (their fingerprints), the decoder, and for every metric the protocol part of its signature, so that a
state is used again only where it would have come out the same. A damaged or foreign file counts as absent.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from thgeval import states
from thgeval.files import write_atomically
from thgeval.states import Part, State

FORMAT = "thgeval.checkpoint/1"
KINDS: dict[str, type[State]] = {
    kind.__name__: kind for kind in (states.ClipMean, states.PooledMean, states.Counts, states.Rows, states.TwoRows)
}


@dataclass(frozen=True)
class Kept:
    """The state of one metric on one pair, and of the reference's own value where there is one."""

    protocol: str
    state: State
    reference: State | None = None


@dataclass(frozen=True)
class Checkpoint:
    """What is kept of one pair: the content it was measured on, its states, and the clip record of the result file."""

    pair: str
    content: Mapping[str, str]
    decoder: str
    kept: Mapping[str, Kept]
    record: Mapping[str, Any] = field(default_factory=dict)


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
                "state": _described(kept.state, arrays),
                "reference": None if kept.reference is None else _described(kept.reference, arrays),
            }
            for key, kept in checkpoint.kept.items()
        },
    }
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def load(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none that can be trusted."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            header = json.loads(stored["header"].tobytes())
            if header["format"] != FORMAT:
                return None
            kept = {key: _restored(header["pair"], item, stored) for key, item in header["metrics"].items()}
        return Checkpoint(header["pair"], header["content"], header["decoder"], kept, header["record"])
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _described(state: State, arrays: dict[str, Any]) -> dict[str, Any]:
    """A state as plain data; its arrays go to ``arrays`` under names of their own."""
    (parts,) = state.parts.values()
    described = []
    for part in parts:
        name = f"array{len(arrays)}"
        arrays[name] = part.values
        described.append({"array": name, "start": part.start, "left_out": dict(part.left_out), "under": part.under})
    return {"kind": type(state).__name__, "parts": described}


def _restored(pair: str, item: dict[str, Any], stored: Mapping[str, Any]) -> Kept:
    def state(described: dict[str, Any]) -> State:
        parts = tuple(
            Part(
                part["start"],
                stored[part["array"]],
                {reason: tuple(frames) for reason, frames in part["left_out"].items()},
                part["under"],
            )
            for part in described["parts"]
        )
        return KINDS[described["kind"]]({pair: parts})

    reference = item["reference"]
    return Kept(item["protocol"], state(item["state"]), None if reference is None else state(reference))
