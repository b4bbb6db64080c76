"""What a result file already holds when a run is to be written there: nothing measured is lost by running again.

A run adds to what is there. Metrics that the file has and this run doesn't ask for are carried over, if the states of
all clips are still theirs. A file of another protocol, or one that is no result at all, is refused and not replaced.
"""

from collections.abc import Sequence
from pathlib import Path

from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol
from thgeval.registry import Named, metric_class
from thgeval.results import Run
from thgeval.scoring import Contribution
from thgeval.signature import parse
from thgeval.store import Store

WAY_OUT = "give another name, or --fresh (in Python, fresh=True) to replace it"


def carried(out: Path, store: Store, protocol: Protocol, asked: Sequence[Named]) -> tuple[Named, ...]:
    """The metrics of an earlier result that this run doesn't ask for; ProtocolError if the two don't go together."""
    tokens = "|".join(protocol.tokens())
    kept = "|".join(store.tokens())
    if kept and not kept.endswith(f"|{tokens}"):
        raise ProtocolError(f"{store.folder} holds states made under another protocol than {protocol.label}; {WAY_OUT}")
    if not out.exists():
        return ()
    try:
        earlier = Run.read(out)
    except ProtocolError as error:
        raise ProtocolError(f"{error}; {WAY_OUT}") from None
    if list(earlier.protocol["fields"]) != list(protocol.tokens()):
        raise ProtocolError(
            f"{out} was made under {earlier.protocol['name']} and this run is under {protocol.label}, which prepares "
            f"clips otherwise; {WAY_OUT}"
        )
    keys = {named.key for named in asked}
    others = [(key, score) for key, score in earlier.scores.items() if key not in keys and score.value is not None]
    return tuple(named for key, score in others if (named := _named(key, score.signature)) is not None)


def _named(key: str, signature: str) -> Named | None:
    """A metric from its signature; None if this version of thgeval computes it otherwise, or not at all."""
    try:
        return Named(key, parse(signature, metric_class).metric)
    except ProtocolError:
        return None


def complete(named: Sequence[Named], contributions: Sequence[Contribution]) -> tuple[tuple[Named, ...], list[str]]:
    """Which carried metrics have states of all clips, or a reason why not; and the keys of the others."""

    def known(key: str, item: Contribution) -> bool:
        return key in item.kept or key in item.record["failed"] or item.record["failure"] is not None

    whole = tuple(item for item in named if all(known(item.key, each) for each in contributions))
    return whole, [item.key for item in named if item not in whole]
