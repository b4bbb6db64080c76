"""What a result file already holds when a run is to be written there: nothing measured is lost by running again.

A run adds to what is there. Metrics that the file has and this run doesn't ask for are carried over, if the states of
all clips are still theirs. A file of another protocol, or one that is no result at all, is refused and not replaced;
one that has no score, of clips without states, is.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from thgeval.engine.scoring import Contribution
from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol
from thgeval.registry import Named, metric_class
from thgeval.results import Run
from thgeval.signature import parse
from thgeval.states.checkpoint import Checkpoint, digest
from thgeval.states.store import Store

WAY_OUT = "give another name, or --fresh (in Python, fresh=True) to replace it"


def found(out: Path, store: Store, protocol: Protocol) -> Run | None:
    """The result that is there, if there is one; ProtocolError if a run under this protocol can't add to it."""
    tokens = "|".join(protocol.tokens())
    kept = "|".join(store.tokens())
    if kept and not kept.endswith(f"|{tokens}"):
        raise ProtocolError(f"{store.folder} holds states made under another protocol than {protocol.label}; {WAY_OUT}")
    if not out.exists():
        return None
    try:
        run = Run.read(out)
    except ProtocolError as error:
        raise ProtocolError(f"{error}; {WAY_OUT}") from None
    if not kept and all(score.value is None for score in run.scores.values()):
        return None  # nothing is lost by replacing it, and what made it fail may be mended now
    if list(run.protocol["fields"]) != list(protocol.tokens()):
        raise ProtocolError(
            f"{out} was made under {run.protocol['name']} and this run is under {protocol.label}, which prepares "
            f"clips otherwise; {WAY_OUT}"
        )
    return run


def carried(run: Run, asked: Sequence[Named]) -> tuple[Named, ...]:
    """The metrics of an earlier result that this run doesn't ask for, as far as this version computes them alike."""
    keys = {named.key for named in asked}
    others = [(key, score) for key, score in run.scores.items() if key not in keys and score.value is not None]
    return tuple(named for key, score in others if (named := _named(key, score.signature)) is not None)


def _named(key: str, signature: str) -> Named | None:
    try:
        return Named(key, parse(signature, metric_class).metric)
    except ProtocolError:
        return None


def proof(run: Run) -> Callable[[Checkpoint], bool]:
    """Whether states of a clip are those that the result was made of, as far as it says anything of them."""
    sealed = {clip.id: clip for clip in run.clips if clip.states}

    def genuine(held: Checkpoint) -> bool:
        clip = sealed.get(held.pair)
        if clip is None or dict(clip.content) != dict(held.content):
            return True
        return digest({key: kept for key, kept in held.kept.items() if key in run.scores}) == clip.states

    return genuine


def with_its_controls(run: Run, before: Run) -> Run:
    """A run of the same clips with the scores that copies of their references had in an earlier result."""
    if [clip.content for clip in run.clips] != [clip.content for clip in before.clips]:
        return run
    alike = {
        key
        for key, score in run.scores.items()
        if key in before.scores and before.scores[key].protocol_part == score.protocol_part
    }
    scores = {
        key: replace(score, controls=before.scores[key].controls) if key in alike else score
        for key, score in run.scores.items()
    }
    return replace(run, scores=scores)


def complete(named: Sequence[Named], contributions: Sequence[Contribution]) -> tuple[tuple[Named, ...], list[str]]:
    """Which carried metrics have states of all clips, or a reason why not; and the keys of the others."""

    def known(key: str, item: Contribution) -> bool:
        return key in item.kept or key in item.clip.failed or item.clip.failure is not None

    whole = tuple(item for item in named if all(known(item.key, each) for each in contributions))
    return whole, [item.key for item in named if item not in whole]
