"""Is a result what its clips, its states and its values per clip say it is?

Every score is computed again from what each clip adds to it, where a score is made of that; everything is reduced again
from the states beside the result, where they are there; and clips are hashed, where their folders are named. What
differs is named. Nothing is measured.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from thgeval.clip import Clip, Pair
from thgeval.engine.evidence import evidence
from thgeval.engine.merging import reduced
from thgeval.errors import InputError, ProtocolError
from thgeval.media import fingerprint
from thgeval.pairing import apart, paired
from thgeval.pairing.naming import Naming
from thgeval.protocol import protocols
from thgeval.results import Run, Score, states_folder
from thgeval.states.checkpoint import digest
from thgeval.statistics import of_rows, quotients

CLOSE = 1e-9
"""Relative difference that other versions of numpy and scipy may make in the last digits."""
BEYOND = 1e90
"""More than any number of frames, none of which is beyond ``LARGEST``, can add up to."""


@dataclass(frozen=True)
class Verdict:
    """What was compared, and everything that differs; a result is as it says if nothing does."""

    checked: tuple[str, ...]
    differs: tuple[str, ...]


def verified(path: str | Path, generated: Path | None = None, reference: Path | None = None) -> Verdict:
    """Check a result file; ProtocolError if it can't be read, or the folders hold no clips."""
    run = Run.read(path)
    means = from_clips(run)
    checked, differs = list(means.checked), list(means.differs)
    if states_folder(Path(path)).is_dir():
        checked.append(f"everything from the states of {len(run.clips)} clips")
        differs.extend(_from_states(run))
    if generated is not None:
        checked.append("the content of the clips")
        differs.extend(_content(run, generated, reference))
    return Verdict(tuple(checked), tuple(differs))


def from_clips(run: Run) -> Verdict:
    """Check every score that is made of values per clip against them; the run alone is needed."""
    values = [score for score in run.scores.values() if score.value is not None]
    means = [score for score in values if _is_a_mean(run, score)]
    differs = (said for score in means for said in _from_clips(run, score))
    return Verdict((f"{len(means)} of {len(values)} scores from their values per clip",), tuple(differs))


def _is_a_mean(run: Run, score: Score) -> bool:
    """Whether a score is a sum over clips by another, so that what clips add suffices."""
    return not score.groups and any(clip.contributions.get(score.key, (0, 0))[1] > 0 for clip in run.clips)


def _from_clips(run: Run, score: Score) -> Iterator[str]:
    """Where a mean, or its interval if that is Student's or of a rate, is not what its values per clip make."""
    rows = np.array([row for clip in run.clips if (row := clip.contributions.get(score.key))], dtype=np.float64)
    rows = rows[rows[:, 1] > 0]
    if not len(rows):
        return
    if (np.abs(rows) > BEYOND).any():
        yield f"{score.key} has values per clip beyond {BEYOND:g}, which no clip can have"
        return
    value = float(quotients(rows))
    if score.value is None or not _alike(value, score.value):
        yield f"{score.key} is {score.value!r}, and {value!r} by its values per clip"
    how = score.signature.rpartition("|ci:")[2]
    if score.interval is None or how not in ("t", "score"):
        return
    with np.errstate(all="ignore"):  # whoever wrote the numbers may have chosen them to overflow
        found = of_rows(rows, events=how == "score").interval
    low, high = score.range
    bounds = None if found is None else (max(found.low, low), min(found.high, high))
    if bounds is None or not all(_alike(*pair) for pair in zip(bounds, score.interval, strict=True)):
        found_too = "none" if bounds is None else str(list(bounds))
        yield f"{score.key} has the interval {list(score.interval)}, and {found_too} by its values per clip"


def _from_states(run: Run) -> Iterator[str]:
    lost = False
    for clip in run.clips:
        try:
            found = evidence(run, clip)
        except ProtocolError as error:
            lost = True
            yield str(error)
            continue
        if found is None and clip.states not in ("", digest({})):
            lost = True
            yield f"{clip.id} has no states that can be read"
    if not lost:
        again = reduced(run)
        for name in ("scores", "clips", "expected", "protocol"):
            yield from _unlike(name, run.to_dict()[name], again.to_dict()[name])


def _unlike(name: str, said: Any, found: Any) -> Iterator[str]:
    """Where two pieces of data differ, down to the value, each by its place."""
    if isinstance(said, Mapping) and isinstance(found, Mapping):
        for key in sorted(said.keys() | found.keys()):
            yield from _unlike(f"{name}.{key}", said.get(key), found.get(key))
    elif isinstance(said, list) and isinstance(found, list) and len(said) == len(found):
        for at, (ours, theirs) in enumerate(zip(said, found, strict=True)):
            inner = ours.get("id", at) if isinstance(ours, Mapping) else at
            yield from _unlike(f"{name}.{inner}", ours, theirs)
    elif said != found and not _alike(said, found):
        yield f"{name} is {said!r}, and {found!r} by the states"


def _alike(said: Any, found: Any) -> bool:
    kinds = (int, float)
    if not isinstance(said, kinds) or not isinstance(found, kinds) or isinstance(said, bool) or isinstance(found, bool):
        return False
    return math.isclose(said, found, rel_tol=CLOSE, abs_tol=1e-300)


def _chooses(label: str) -> bool:
    """Whether a protocol may say which clips belong together, so that their names alone don't; a user's own may."""
    shipped = protocols().get(label)
    return "#" in label if shipped is None else shipped.benchmark.selects


def _recorded(run: Run, generated: Path, reference: Path | None) -> Iterator[tuple[str, Pair]]:
    """The clips of a result that lie where it says, below the folders, by id."""

    def place(folder: Path | None, name: str | None) -> Path | None:
        if folder is None or name is None or PurePath(name).is_absolute() or ".." in PurePath(name).parts:
            return None
        return folder / name if (folder / name).exists() else None

    for clip in run.clips:
        ours, theirs = place(generated, clip.generated), place(reference, clip.reference)
        if ours is not None:
            yield clip.id, Pair(clip.id, Clip(clip.id, ours), None if theirs is None else Clip(clip.id, theirs))


def _there(run: Run, generated: Path, reference: Path | None) -> dict[str, Pair]:
    """The clips in the folders by id: those that lie where the result says, and others as plain names pair them."""
    if "pairs:none" in run.protocol["fields"]:
        return {pair.id: pair for pair in apart(generated, reference).pairs}
    recorded = dict(_recorded(run, generated, reference))
    if _chooses(str(run.protocol["name"])):
        return recorded
    known = {pair.generated.source for pair in recorded.values()}
    nested = any(len(PurePath(clip.generated or "").parts) > 1 for clip in run.clips)
    found = paired(generated, reference, naming=Naming(recursive=nested)).pairs
    others = (pair for pair in found if pair.generated.source not in known)
    return {pair.id: pair for pair in others} | recorded


def _content(run: Run, generated: Path, reference: Path | None) -> Iterator[str]:
    """Which clips are not those that were scored, by the hash of their content."""
    there = _there(run, generated, reference)
    for clip in run.clips:
        pair = there.get(clip.id)
        if pair is None:
            if clip.content:
                yield f"{clip.id} is not there"
            continue
        sides: dict[str, Clip | None] = {"generated": pair.generated, "reference": pair.reference}
        for side in sides.keys() & clip.content.keys():
            expected = clip.content[side]
            if (source := sides[side]) is None:
                yield f"{clip.id}: the {side} clip is not there"
                continue
            try:
                found = fingerprint(source)
            except InputError as error:
                yield str(error)
                continue
            if found != expected:
                yield f"{clip.id}: the {side} clip is another than the one that was scored"
    for id in there.keys() - {clip.id for clip in run.clips}:
        yield f"{id} is there and not in the result"
