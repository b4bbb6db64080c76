"""Several results as one: the states of all clips, reduced once more.

Only results whose metrics have equal protocol parts and that share no clip can be merged; then the merged scores and
intervals are those of one run over all clips, bit for bit. Results that are shards of one run must be all of its
shards; merged, they are that run, in whatever order they were given.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from thgeval import registry
from thgeval.engine.evidence import evidence
from thgeval.engine.options import SHARDED
from thgeval.engine.provenance import Stopwatch
from thgeval.engine.scoring import Contribution, Setting, scored_run, settled
from thgeval.errors import ProtocolError
from thgeval.protocol import Protocol, protocols
from thgeval.registry import Named
from thgeval.results import ClipResult, Run, states_folder
from thgeval.signature import Parsed, parse, pins_of
from thgeval.states.checkpoint import Checkpoint, digest, save_and_reopen
from thgeval.states.store import file_name, sole_writer
from thgeval.statistics import Resampling

MOST_NAMED = 10
"""Missing shards that a sentence names."""
OWN = ("n", "references", "device", "under", "ci", "bs")
"""Tokens of the run part that each score has of its own."""


def merged(results: Sequence[Path], out: Path) -> Run:
    """Merge result files; copies their states beside ``out``. ProtocolError says why results don't fit together."""
    runs = sorted(
        (Run.read(path) for path in results), key=lambda run: min((clip.id for clip in run.clips), default="")
    )
    for run in runs[1:]:
        _check_fit(runs[0], run)
    _check_shards(runs)
    streamed = any(run.options.get("shard", {}).get("clips", 0) is None for run in runs)
    runs = [
        replace(run, clips=clips, options={name: value for name, value in run.options.items() if name != "shard"})
        for run, clips in zip(runs, _distinct(runs), strict=True)
    ]
    with sole_writer(states_folder(out)):
        return _reduced(runs, states_folder(out), streamed=streamed)


def reduced(run: Run) -> Run:
    """A result made again from the states beside it; ProtocolError if these are not there, or not its own.

    What copies of the references scored is taken from the result: their states are not beside it.
    """
    again = _reduced([run], None)
    scores = {key: replace(item, controls=run.scores[key].controls) for key, item in again.scores.items()}
    return replace(again, scores=scores)


def _reduced(runs: Sequence[Run], folder: Path | None, *, streamed: bool = False) -> Run:
    """Results of distinct clips as one, from their states, which are copied to a folder if one is named.

    Of shards of tars, ``streamed``, none knows what the others' clips offer.
    """
    first = runs[0]
    signed = {key: parse(score.signature, registry.metric_class) for key, score in first.scores.items()}
    contributions = [item for run in runs for item in _contributions(run, folder)]
    bootstrap = first.options["bootstrap"]
    any_signature = next(iter(signed.values()))
    named = [Named(key, parsed.metric) for key, parsed in signed.items()]
    setting = Setting(
        protocol=_labelled(first, any_signature),
        resampling=Resampling(bootstrap["draws"], bootstrap["seed"]),
        expected=sum(run.expected for run in runs),
        run={name: value for name, value in any_signature.run.items() if name not in OWN},
        pins=pins_of(*(metric for _, metric in named)),
        devices={key: device(parsed) for key, parsed in signed.items()},
        flags=tuple(dict.fromkeys(flag for run in runs for flag in _flags(run))),
    )
    tried = {key for run in runs for clip in run.clips for key in clip.failed}
    tried |= {key for item in contributions for key in item.states}
    unscored = {
        key: reason
        for key, score in first.scores.items()
        if key not in tried and (reason := score.unscored) and all(run.scores[key].unscored for run in runs)
    }
    if streamed:
        contributions, unserved = settled(contributions, first.scores.keys() - unscored.keys())
        unscored |= unserved
    contributions = [item.sealed(first.scores.keys()) if item.kept else item for item in contributions]
    run = scored_run(named, unscored, contributions, setting, first.environment, first.options)
    return replace(run, record=Stopwatch().record(workers=1, device="cpu", measured={}), places=first.places)


def _distinct(runs: Sequence[Run]) -> list[tuple[ClipResult, ...]]:
    """The clips of each run, without reference clips that stand alone and that an earlier one has too."""
    seen: dict[str, Run] = {}
    found = []
    for run in runs:
        kept = []
        for clip in run.clips:
            first = seen.setdefault(clip.id, run)
            if first is run:
                kept.append(clip)
            elif clip.side != "reference" or not _same_reference(first, run, clip):
                raise ProtocolError(f"clip {clip.id} is in {first.path} and in {run.path}; merge distinct clips")
        found.append(tuple(kept))
    return found


def _check_shards(runs: Sequence[Run]) -> None:
    """ProtocolError unless results are no shards at all, or all shards of one run, each once."""
    told = [(run, run.options["shard"]) for run in runs if run.options.get("shard") is not None]
    if not told:
        return
    if others := [run for run in runs if run.options.get("shard") is None]:
        raise ProtocolError(f"{told[0][0].path} holds {told[0][0].part}, and {others[0].path} is no shard")
    (first, shard), seen = told[0], dict[int, Run]()
    for run, other in told:
        if other["of"] != shard["of"]:
            raise ProtocolError(f"{first.path} is one of {shard['of']} shards, and {run.path} one of {other['of']}")
        if (twice := seen.setdefault(other["number"], run)) is not run:
            raise ProtocolError(f"{twice.path} and {run.path} are both shard {other['number']}/{other['of']}")
        if other["clips"] != shard["clips"]:
            raise ProtocolError(
                f"{first.path} is a shard of {shard['clips']} clips, and {run.path} one of {other['clips']}: clips "
                "came or went between the two; score each shard again, which measures only what is new"
            )
    if missing := [str(number) for number in range(1, shard["of"] + 1) if number not in seen]:
        shown = ", ".join(missing[:MOST_NAMED]) + (", ..." if len(missing) > MOST_NAMED else "")
        raise ProtocolError(f"{len(missing)} of {shard['of']} shards are missing: {shown}")
    if shard["clips"] is not None and (held := sum(len(run.clips) for run in runs)) != shard["clips"]:
        raise ProtocolError(
            f"these are all shards of {shard['clips']} clips, and hold {held}: clips were added and removed between "
            "them; score each shard again, which measures only what is new"
        )


def _same_reference(first: Run, second: Run, clip: ClipResult) -> bool:
    """Whether two runs saw the same content in a clip, or failed to in the same way."""
    if clip.failure is not None:
        return any((clip.id, clip.failure) == (other.id, other.failure) for other in first.clips)
    ours, theirs = (_states(run, clip.id) for run in (first, second))
    return ours is not None and theirs is not None and bool(ours.content) and ours.content == theirs.content


def _states(run: Run, id: str) -> Checkpoint | None:
    return evidence(run, next(clip for clip in run.clips if clip.id == id))


def _check_fit(first: Run, other: Run) -> None:
    versions = first.environment["thgeval"], other.environment["thgeval"]
    if versions[0] != versions[1]:
        raise ProtocolError(
            f"{first.path} was made by thgeval {versions[0]} and {other.path} by {versions[1]}; score one of them again"
        )
    if first.scores.keys() != other.scores.keys():
        odd = sorted(first.scores.keys() ^ other.scores.keys())
        raise ProtocolError(f"{first.path} and {other.path} hold different metrics: {', '.join(odd)} is in one alone")
    if first.options["bootstrap"] != other.options["bootstrap"]:
        raise ProtocolError(f"{first.path} and {other.path} were resampled differently")
    for key, score in first.scores.items():
        ours, theirs = score.protocol_part, other.scores[key].protocol_part
        if ours != theirs:
            raise ProtocolError(f"{key} was made differently in {first.path} and {other.path}: {ours} and {theirs}")
        mine, another = (device(parse(text.signature, registry.metric_class)) for text in (score, other.scores[key]))
        if mine != another:
            raise ProtocolError(f"{key} was computed on {mine} in {first.path} and on {another} in {other.path}")
    if first.environment["decoder"] != other.environment["decoder"]:
        raise ProtocolError(
            f"{first.path} and {other.path} were decoded by different versions: "
            f"{first.environment['decoder']} and {other.environment['decoder']}"
        )
    labels = first.protocol["name"], other.protocol["name"]
    if labels[0] != labels[1]:
        raise ProtocolError(f"{first.path} was made under {labels[0]} and {other.path} under {labels[1]}")


def _contributions(run: Run, folder: Path | None) -> list[Contribution]:
    """The pairs of a run with their states, which are also copied to a new folder if one is named."""
    found = []
    for clip in run.clips:
        checkpoint = evidence(run, clip, rows_stay=True)
        if lacking := _measured(run, clip) - (set() if checkpoint is None else checkpoint.kept.keys()):
            raise ProtocolError(f"the states of clip {clip.id} are missing beside {run.path}: {min(lacking)}")
        if checkpoint is None and clip.states not in ("", digest({})):
            raise ProtocolError(f"the states of clip {clip.id} are missing beside {run.path}")
        if checkpoint is None:
            found.append(Contribution(clip))
            continue
        if folder is not None:
            checkpoint = save_and_reopen(folder / file_name(clip.id), checkpoint)
        kept = {key: item for key, item in checkpoint.kept.items() if key in run.scores}
        found.append(Contribution.of_kept(clip, kept))
    return found


def _measured(run: Run, clip: ClipResult) -> set[str]:
    """The metrics that must have states of a clip: those that have a value, and didn't fail on it."""
    if clip.generated is None:  # it had no partner, or came from memory
        return {key for key, value in clip.scores.items() if value is not None}
    return {key for key, score in run.scores.items() if score.value is not None and key not in clip.failed}


def device(parsed: Parsed) -> str:
    """What the networks of a score ran on."""
    return parsed.run.get("device", "cpu")


def _labelled(run: Run, parsed: Parsed) -> Protocol:
    """The protocol of the signatures, under the name the run gave it."""
    label = str(run.protocol["name"])
    shipped = protocols().get(label)
    if shipped is not None and shipped.tokens() == parsed.protocol.tokens():
        return shipped
    name, _, version = label.removesuffix("!").partition("@")
    name, _, hashed = name.partition("#")
    return replace(parsed.protocol, name=name, version=int(version), hash=hashed, changed=label.endswith("!"))


def _flags(run: Run) -> tuple[str, ...]:
    """The marks of a run's signatures, but for that of a shard where it is one no longer."""
    found = next((parse(score.signature, registry.metric_class).flags for score in run.scores.values()), ())
    return found if "shard" in run.options else tuple(flag for flag in found if not flag.startswith(SHARDED))
