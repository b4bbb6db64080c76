"""How far a metric agrees with people: rank and linear correlation, over clips, within methods and across them.

Scores are turned so that a metric's better end is up: a positive rank correlation is agreement. Three levels answer
three questions. ``pooled`` takes all clips together, and mixes how methods differ with how their clips do; ``within``
is the mean of the methods' own correlations: does the metric find the better clips of one method; ``across`` is that
of the methods' means: does it order methods as people do.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.metric import Better
from thgeval.results import ClipResult, Run, Score
from thgeval.statistics import Interval, Resampling
from thgeval_leaderboard.opinions import Opinion, Opinions
from thgeval_leaderboard.opinions.coefficients import COEFFICIENTS, LEAST_FITTED, coefficients, over_draws

LEAST_CLIPS = 10
LEAST_METHODS = 5
"""A correlation of fewer clips, or of the means of fewer methods, says nothing and is refused."""

LEVELS = ("pooled", "within", "across")
MOST_LOST = 0.05
"""Share of draws that may have no coefficient, as of values that happen to be equal, before an interval is refused."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A coefficient with its 95 % bootstrap interval; ``why`` where either is missing."""

    value: float | None
    interval: Interval | None = None
    why: str = ""


@dataclass(frozen=True)
class Agreement:
    """One metric with people at one level: estimates by coefficient, and what they rest on.

    ``left_out`` counts clips by reason; ``without`` names methods that are not in it, with the reason.
    """

    metric: str
    level: str
    estimates: Mapping[str, Estimate]
    clips: int
    methods: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    without: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Agreements:
    """Everything that could be said, why the rest could not (``refused``, by metric and level), and ``notes``."""

    found: tuple[Agreement, ...]
    refused: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Meeting:
    """A clip of a run that people rated: the run's name, the method that it counts for, and both records."""

    run: str
    method: str
    clip: ClipResult
    opinion: Opinion


def meetings(opinions: Opinions, runs: Mapping[str, Run]) -> list[Meeting]:
    """The clips of runs, by the names of their files, that have an opinion: the one of the same clip id.

    Where the run's file is named after a method that has opinions, only those of that method are met.
    Raises ProtocolError where it can't be told, where two runs hold one opinion's clip, and where none meet.
    """
    by_clip: dict[str, dict[str, Opinion]] = {}
    for opinion in opinions.clips:
        by_clip.setdefault(opinion.clip, {})[opinion.method] = opinion
    methods = {opinion.method for opinion in opinions.clips}
    met: list[Meeting] = []
    taken: dict[tuple[str, str], str] = {}
    for name, run in runs.items():
        for clip in run.clips:
            known = by_clip.get(clip.id)
            if clip.side == "reference" or known is None or (name in methods and name not in known):
                continue
            if len(known) > 1 and name not in known:
                raise ProtocolError(
                    f"opinions of {len(known)} methods have the clip {clip.id!r}; name the result file after its "
                    f"method, as {next(iter(known))}.json"
                )
            opinion = known.get(name) or next(iter(known.values()))
            first = taken.setdefault((opinion.method, opinion.clip), name)
            if first != name:
                raise ProtocolError(
                    f"{first} and {name} both score the clip {clip.id!r}, of which there is one opinion"
                )
            met.append(Meeting(name, opinion.method or name, clip, opinion))
    if not met:
        ours = next((clip.id for run in runs.values() for clip in run.clips), "none")
        theirs = opinions.clips[0].clip if opinions.clips else "none"
        raise ProtocolError(f"no clip of a result has an opinion: results name {ours!r}, opinions {theirs!r}")
    return met


def agreements(opinions: Opinions, runs: Mapping[str, Run], resampling: Resampling) -> Agreements:
    """Every metric of some runs with people's opinions, at every level at which it can be said."""
    met = meetings(opinions, runs)
    found: list[Agreement] = []
    refused: dict[str, str] = {}
    for key in dict.fromkeys(key for run in runs.values() for key in run.scores):
        scores = [run.scores[key] for run in runs.values() if key in run.scores]
        if len({score.protocol_part for score in scores}) > 1:
            refused[key] = "its signatures differ between results, so that their values are not of one kind"
            continue
        for level in LEVELS:
            try:
                found.append(_agreement(scores[0], met, runs, level, resampling))
            except ProtocolError as error:
                refused[f"{key} {level}"] = str(error)
    clips = sum(clip.side != "reference" for run in runs.values() for clip in run.clips)
    notes = []
    if clips > len(met):
        notes.append(f"{clips - len(met)} of {clips} clips of the results have no opinion")
    if len(opinions.clips) > len(met):
        notes.append(f"{len(opinions.clips) - len(met)} of {len(opinions.clips)} opinions are of clips in no result")
    return Agreements(tuple(found), refused, tuple(notes))


def turned(score: Score, clip: ClipResult) -> float | None:
    """A clip's value with the better end up; as it is where neither end is better, and None where there is none."""
    value = clip.scores.get(score.key)
    if value is None:
        return None
    if score.better is Better.CLOSER_TO_REFERENCE:
        above, below = clip.reference_contributions.get(score.key, (0.0, 0.0))
        return -abs(value - above / below) if below else None
    return {Better.LOWER: -value, Better.CLOSER_TO_ZERO: -abs(value)}.get(score.better, value)


def turned_whole(score: Score) -> float | None:
    """A run's own score with the better end up, for metrics of sets, of which clips have no values."""
    if score.value is None or not math.isfinite(score.value):
        return None
    if score.better is Better.CLOSER_TO_REFERENCE:
        return None if score.reference is None else -abs(score.value - score.reference.value)
    return {Better.LOWER: -score.value, Better.CLOSER_TO_ZERO: -abs(score.value)}.get(score.better, score.value)


def _agreement(
    score: Score, met: Sequence[Meeting], runs: Mapping[str, Run], level: str, resampling: Resampling
) -> Agreement:
    left_out: Counter[str] = Counter()
    by_method: dict[str, list[tuple[float, float]]] = {}
    of_sets = level == "across" and all(each.clip.scores.get(score.key) is None for each in met)
    for each in met:
        value = turned_whole(runs[each.run].scores[score.key]) if of_sets else turned(score, each.clip)
        if value is None or not math.isfinite(value):
            left_out["no value" if value is None else "not finite"] += 1
        else:
            by_method.setdefault(each.method, []).append((value, each.opinion.score))
    pairs = {name: np.array(own, np.float64).T for name, own in sorted(by_method.items())}
    without: dict[str, str] = {}
    if level == "pooled":
        estimates = _pooled(list(pairs.values()), resampling)
    elif level == "across":
        estimates = _across(list(pairs.values()), resampling)
    else:
        without = {name: why for name, own in pairs.items() if (why := _unfit(own))}
        pairs = {name: own for name, own in pairs.items() if name not in without}
        if len(pairs) < 2:
            raise ProtocolError(f"fewer than 2 methods have {LEAST_CLIPS} clips with values that differ")
        estimates = _within(list(pairs.values()), resampling)
    clips = sum(own.shape[1] for own in pairs.values())
    return Agreement(score.key, level, estimates, clips, len(pairs), dict(left_out), without)


def _unfit(own: Floats) -> str:
    """Why values and opinions (2, clips) have no correlation; empty if they have one."""
    if own.shape[1] < LEAST_CLIPS:
        return f"{own.shape[1]} clips have both a value and an opinion, and {LEAST_CLIPS} are needed"
    if np.ptp(own[0]) == 0:
        return f"all {own.shape[1]} clips have the same value"
    return f"all {own.shape[1]} clips have the same opinion" if np.ptp(own[1]) == 0 else ""


def _pooled(methods: Sequence[Floats], resampling: Resampling) -> dict[str, Estimate]:
    """All clips together; clips are drawn within their methods, which stay."""
    own = np.concatenate(methods, axis=1) if methods else np.empty((2, 0))
    if why := _unfit(own):
        raise ProtocolError(why)
    starts = np.cumsum([0, *(each.shape[1] for each in methods)])
    drawn = np.concatenate(
        [start + draws for start, draws in zip(starts, _draws(methods, resampling), strict=False)], axis=1
    )
    return _estimates(coefficients(*own), over_draws(own[0], own[1], drawn))


def _within(methods: Sequence[Floats], resampling: Resampling) -> dict[str, Estimate]:
    """The mean of the methods' own coefficients; clips are drawn within their methods, which stay."""
    values = np.mean([coefficients(*own) for own in methods], axis=0)
    drawn = [over_draws(own[0], own[1], draws) for own, draws in zip(methods, _draws(methods, resampling), strict=True)]
    return _estimates(values, np.mean(drawn, axis=0))


def _across(methods: Sequence[Floats], resampling: Resampling) -> dict[str, Estimate]:
    """The methods' means; methods are drawn, so that the interval is about others like them."""
    if len(methods) < LEAST_METHODS:
        raise ProtocolError(f"{len(methods)} methods have values and opinions, and {LEAST_METHODS} are needed")
    means = np.array([own.mean(axis=1) for own in methods]).T
    for said, each in zip(("value", "opinion"), means, strict=True):
        if np.ptp(each) == 0:
            raise ProtocolError(f"all {len(methods)} methods have the same mean {said}")
    return _estimates(coefficients(*means), over_draws(means[0], means[1], resampling.clips(len(methods))))


def _draws(methods: Sequence[Floats], resampling: Resampling) -> list[NDArray[np.intp]]:
    """(draws, clips) numbers of clips for each method, of one stream."""
    stream = np.random.Generator(np.random.PCG64(resampling.seed))
    return [stream.integers(0, own.shape[1], size=(resampling.draws, own.shape[1])) for own in methods]


def _estimates(values: Floats, drawn: Floats) -> dict[str, Estimate]:
    """Estimates from coefficients (3,) and their draws (3, draws)."""
    found: dict[str, Estimate] = {}
    for name, value, over in zip(COEFFICIENTS, values, drawn, strict=True):
        kept = over[np.isfinite(over)]
        if not math.isfinite(value):
            found[name] = Estimate(None, why=f"a curve of four parameters needs {LEAST_FITTED} points")
        elif len(kept) < (1 - MOST_LOST) * len(over):
            found[name] = Estimate(float(value), why="in too many draws all values are equal")
        else:
            low, high = np.quantile(kept, [0.025, 0.975])
            found[name] = Estimate(float(value), Interval(float(low), float(high)))
    return found
