"""The states that a result rests on, from the folder beside it: used only if they are the ones.

A states folder may hold what another run left there: of another protocol, of clips that have changed since, of another
decoder, or edited. What a result says of itself, signatures, the content of its clips and the hash of their states, is
compared before anything is reduced, drawn or printed again.
"""

from thgeval.errors import ProtocolError
from thgeval.results import ClipResult, Run, states_folder
from thgeval.states.checkpoint import Checkpoint, digest, load
from thgeval.states.store import file_name


def evidence(run: Run, clip: ClipResult, *, rows_stay: bool = False) -> Checkpoint | None:
    """The states of one clip of a result; None if there are none, or none that can be read.

    Raises ProtocolError if the states belong to another run, or have been changed; the sentence names what differs.
    """
    place = None if run.path is None else states_folder(run.path) / file_name(clip.id)
    found = None if place is None else load(place, rows_stay=rows_stay)
    if found is not None and (odd := _differs(run, clip, found)):
        raise ProtocolError(f"{place} doesn't belong to {run.path}: {odd}; score the clips again")
    return found


def _differs(run: Run, clip: ClipResult, found: Checkpoint) -> str | None:
    """What tells the states from those that the result was made of."""
    if found.pair != clip.id:
        return f"it holds the states of {found.pair!r}"
    if clip.content and dict(clip.content) != dict(found.content):
        return f"the content of {clip.id} was another"
    if found.decoder != run.environment.get("decoder", found.decoder):
        return f"it was decoded by {found.decoder}, the result's clips by {run.environment['decoder']}"
    kept = {key: item for key, item in found.kept.items() if key in run.scores}
    for key, item in kept.items():
        score = run.scores[key]
        if item.protocol != score.protocol_part:
            return f"{key} was made as {item.protocol}, the score as {score.protocol_part}"
        devices = [token for token in score.run_tokens if token.startswith("device:")]
        if devices and f"device:{item.device}" not in devices:
            return f"{key} was computed on {item.device}, the score on another device"
    if clip.states and clip.states != digest(kept):
        return f"the states of {clip.id} are not those that were scored"
    return None
