"""Per-frame values of a result, from the states beside it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from thgeval.engine.evidence import evidence
from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval.results import ClipResult, Run
from thgeval.states import Framewise, Part


def curves(run: Run, clip: ClipResult) -> Iterator[tuple[str, Part]]:
    """The per-frame values of every framewise metric on one clip, by metric key.

    ProtocolError if the states beside the result are not its own.
    """
    checkpoint = evidence(run, clip)
    if checkpoint is not None:
        for key in run.scores:
            kept = checkpoint.kept.get(key)
            if kept is not None and isinstance(kept.state, Framewise):
                yield key, kept.state.record(clip.id)


def write_csv(result: Path) -> Path:
    """Write all per-frame values beside a result: clip, metric, frame, value; an empty value has a reason."""
    run = Run.read(result)
    lines = ["clip,metric,frame,value,left_out"]
    for clip in run.clips:
        for key, part in curves(run, clip):
            why = {frame: reason for reason, frames in part.left_out.items() for frame in frames}
            name = _quoted(clip.id)
            lines += [
                f"{name},{key},{part.start + frame},{'' if np.isnan(value) else repr(float(value))},{_quoted(reason)}"
                for frame, value in enumerate(part.column)
                for reason in [why.get(frame, "")]
            ]
    if len(lines) == 1:
        raise ProtocolError(f"there are no per-frame values beside {result}")
    path = result.with_suffix(".frames.csv")
    write_atomically(path, ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape"))
    return path


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\n\r') else text
