"""Per-frame values of a result, from the states beside it."""

from collections.abc import Iterator

from thgeval.engine.evidence import evidence
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
