"""Records of clips as plain values, for checkpoints and other processes: nothing but numbers, texts and tensors."""

from io import BytesIO
from typing import Any

import numpy as np
import torch
from torch import Tensor

from thgeval import states as kinds
from thgeval.meter.tally import Records, Tally
from thgeval.states import Part, State


def plain(tally: Tally) -> dict[str, Any]:
    """The records of a tally."""
    return {
        "unnamed": tally.unnamed,
        "nameless": tally.nameless,
        "frames": dict(tally.records.frames),
        "states": [item for state in tally.records.states for item in _parts(state)],
        "references": [item for state in tally.records.references for item in _parts(state)],
    }


def restored(held: dict[str, Any], like: Tally) -> Tally:
    """The inverse, of the same metric as another tally."""
    states, references = ([_state(item) for item in held[which]] for which in ("states", "references"))
    records = Records(states, references, dict(held["frames"]))
    return Tally(like.named, like.cap, records=records, unnamed=held["unnamed"], nameless=held["nameless"])


def packed(tally: Tally) -> Tensor:
    """The records as bytes: a uint8 tensor, never empty."""
    file = BytesIO()
    torch.save(plain(tally), file)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)


def unpacked(content: Tensor, like: Tally) -> Tally:
    """The inverse of ``packed``."""
    return restored(torch.load(BytesIO(content.numpy().tobytes()), weights_only=True), like)


def _parts(state: State) -> list[dict[str, Any]]:
    return [
        {
            "kind": type(state).__name__,
            "clip": clip,
            "start": part.start,
            "values": torch.from_numpy(np.ascontiguousarray(part.array)),
            "left_out": {reason: list(frames) for reason, frames in part.left_out.items()},
            "under": part.under,
        }
        for clip, parts in state.parts.items()
        for part in parts
    ]


def _state(item: dict[str, Any]) -> State:
    left_out = {reason: tuple(frames) for reason, frames in item["left_out"].items()}
    part = Part(item["start"], item["values"].numpy(), left_out, item["under"])
    kind: type[State] = getattr(kinds, item["kind"])
    return kind({item["clip"]: (part,)})
