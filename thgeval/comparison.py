"""Do systems really differ? Paired tests on the clips they share.

The first result is the baseline. A metric is compared only where the protocol parts of the signatures are equal, on
the clips that all results scored. Holm's correction runs over all pairs of systems under all metrics of one call, and
the table and the groups of systems rest on the same corrected p-values.

Scores that are better the closer they are to the reference's own, or to zero, are compared by their distance from it,
clip by clip; metrics of sets by their scores without groups of clips.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.metric import Better
from thgeval.results import Run
from thgeval.significance import (
    ALPHA,
    EXACT,
    JACKKNIFE,
    Difference,
    by_clips,
    by_groups,
    holm,
    least_by_clips,
    p_by_clips,
    significance_groups,
    within_reach,
)
from thgeval.statistics import Floats, Interval, Jackknifed, Resampling, quotients

SHOWN_CLIPS = 5
SCORE, TO_REFERENCE, TO_ZERO = "score", "distance to reference", "distance to zero"


@dataclass(frozen=True)
class Compared:
    """One system against the baseline under one metric, on ``clips`` shared clips of ``of_clips`` that either scored.

    ``difference`` and ``interval`` are of what ``compares`` says: ``score``, or ``distance to reference`` or
    ``distance to zero``, the mean over clips. p-values are two-sided, ``corrected_p`` after Holm. ``better`` is +1 if
    the system is better, -1 if worse, 0 if that can't be told; ``reachable`` is whether so few clips, under so many
    tests, could have been significant at all.
    """

    metric: str
    system: str
    direction: str
    compares: str
    baseline_score: float
    score: float
    difference: float
    interval: Interval | None
    test: str
    p: float
    corrected_p: float
    better: int
    reachable: bool
    clips: int
    of_clips: int

    @property
    def significant(self) -> bool:
        """Whether the difference stands after correction."""
        return self.corrected_p < ALPHA

    @property
    def verdict(self) -> str:
        """One word or two: ``better``, ``worse``, ``differs``, ``too few clips``, or nothing."""
        if self.significant:
            return {1: "better", -1: "worse", 0: "differs"}[self.better]
        return "" if self.reachable else "too few clips"


@dataclass(frozen=True)
class Comparison:
    """Every system against the baseline, groups of systems by metric, how many tests one correction runs over.

    ``p_values`` are those of every two systems after that correction, by metric. ``skipped`` says why metrics are not
    compared, ``notes`` what a reader must know of those that are.
    """

    baseline: str
    rows: tuple[Compared, ...]
    groups: dict[str, dict[str, int]]
    p_values: dict[str, dict[frozenset[str], float]]
    tests: int
    skipped: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Comparable:
    """One metric, ready to be tested: the systems' scores, what orders them, and the test of any two of them.

    ``names`` are the systems that have a score. ``scores`` and ``order`` are in their order, on ``clips`` shared clips
    of ``of_clips`` that any has; ``p_values`` are those of many tests at once, before any correction, ``least`` the
    smallest p there can be.
    """

    key: str
    names: tuple[str, ...]
    better: Better
    compares: str
    scores: Sequence[float]
    order: Sequence[float]
    test: Callable[[int, int], Difference]
    p_values: Callable[[Sequence[tuple[int, int]]], Sequence[float]]
    least: float
    clips: int
    of_clips: int

    @property
    def sign(self) -> int:
        """+1 if more of what is compared is better, -1 if less is, 0 if neither."""
        if self.compares != SCORE:
            return -1
        return {Better.HIGHER: 1, Better.LOWER: -1}.get(self.better, 0)


def compared(results: Sequence[Path], resampling: Resampling) -> Comparison:
    """Compare two or more result files; ProtocolError if nothing in them can be compared."""
    runs = dict(zip(names_of(results), map(Run.read, results), strict=True))
    found = compared_runs(runs, resampling)
    notes = (*found.notes, *_lacking(runs))
    if not found.rows:
        reasons = [f"{key}: {why}" for key, why in found.skipped.items()]
        raise ProtocolError("; ".join(["nothing can be compared", *reasons, *notes]))
    return replace(found, notes=notes)


def compared_runs(runs: Mapping[str, Run], resampling: Resampling, keys: Sequence[str] = ()) -> Comparison:
    """Compare two or more runs by the names of their systems, of which the first is the baseline.

    ``keys`` are the metrics to test, each among the systems that have a score; by default all of the first run. What
    can't be tested is among ``skipped``.
    """
    if len(runs) < 2:
        raise ProtocolError("comparing needs two result files or more")
    notes = list(_unlike(runs))
    skipped: dict[str, str] = {}
    asked: list[Comparable] = []
    for key in keys or next(iter(runs.values())).scores:
        able = {name: run for name, run in runs.items() if _scored(run, key)}
        try:
            asked.append(comparable(key, able, resampling, notes))
        except ProtocolError as error:
            skipped[key] = str(error)
    return _tested(asked, list(runs), skipped, notes)


def _tested(
    asked: Sequence[Comparable], names: Sequence[str], skipped: dict[str, str], notes: Sequence[str]
) -> Comparison:
    """Every pair of systems under every metric, corrected as one family."""
    pairs = [(item, pair) for item in asked for pair in combinations(range(len(item.names)), 2)]
    found = [item.test(*pair) for item, pair in pairs]
    corrected = holm([each.p for each in found])
    reachable = within_reach([each.p for each in found], [each.least for each in found])
    rows = [
        _row(item, pair[1], each, p, possible)
        for (item, pair), each, p, possible in zip(pairs, found, corrected, reachable, strict=True)
        if item.names[pair[0]] == names[0]
    ]
    p_values: dict[str, dict[frozenset[str], float]] = {}
    for (item, (i, j)), p in zip(pairs, corrected, strict=True):
        p_values.setdefault(item.key, {})[frozenset((item.names[i], item.names[j]))] = p
    groups = {item.key: _groups(item, p_values[item.key]) for item in asked}
    notes = (*notes, *_out_of_reach(rows, found))
    return Comparison(names[0], tuple(rows), groups, p_values, len(found), skipped, notes)


def _row(item: Comparable, system: int, found: Difference, corrected: float, possible: bool) -> Compared:
    return Compared(
        metric=item.key,
        system=item.names[system],
        direction=item.better.value,
        compares=item.compares,
        baseline_score=item.scores[0],
        score=item.scores[system],
        difference=found.difference,
        interval=found.interval,
        test=found.test,
        p=found.p,
        corrected_p=corrected,
        better=item.sign * int(np.sign(found.difference)),
        reachable=possible,
        clips=item.clips,
        of_clips=item.of_clips,
    )


def _groups(item: Comparable, corrected: Mapping[frozenset[str], float]) -> dict[str, int]:
    """Group of each system; none where no system can be called better."""
    if not item.sign:
        return {}
    differs = [[corrected.get(frozenset((one, other)), 1.0) < ALPHA for other in item.names] for one in item.names]
    found = significance_groups(item.order, differs, descending=item.sign > 0)
    return dict(zip(item.names, found, strict=True))


def _out_of_reach(rows: Sequence[Compared], found: Sequence[Difference]) -> Iterator[str]:
    """Where no difference, however large, could be significant: for want of clips, or of draws."""
    tests = len(found)
    for clips in sorted({row.clips for row in rows if not row.reachable and row.test == EXACT}):
        yield (
            f"too few clips: with {clips} clips and {tests} test{'s' * (tests > 1)} no p after Holm below "
            f"{min(1.0, tests * 2 / 2**clips):.2g} is possible"
        )
    drawn = [each.least for each in found if each.test not in (EXACT, JACKKNIFE)]
    if drawn and tests * min(drawn) > ALPHA:
        yield (
            f"too few draws: with {tests} tests no p after Holm below {tests * min(drawn):.2g} is sure to be possible; "
            f"{round(tests / ALPHA)} draws are enough"
        )


def names_of(results: Sequence[Path]) -> list[str]:
    """What systems are called: their files' names, or their paths where two files share one."""
    stems = [path.stem for path in results]
    return stems if len(set(stems)) == len(stems) else [f"{path}#{at}" for at, path in enumerate(results, 1)]


def _unlike(runs: Mapping[str, Run]) -> Iterator[str]:
    """Clips that one of the results has and another hasn't, and limits."""
    for name, run in runs.items():
        if run.part is not None:
            yield f"{name} holds {run.part}"
    ids = {name: {clip.id for clip in run.clips} for name, run in runs.items()}
    everywhere = set.intersection(*ids.values())
    for name, own in ids.items():
        if alone := sorted(own - everywhere):
            yield f"{len(alone)} of {len(own)} clips of {name} are not in every result: {_listed(alone)}"


def _lacking(runs: Mapping[str, Run]) -> Iterator[str]:
    """Scores that one of the results has and another hasn't."""
    every = dict.fromkeys(key for run in runs.values() for key in run.scores if _scored(run, key))
    for name, run in runs.items():
        if lacking := [key for key in every if not _scored(run, key)]:
            yield f"not compared, as {name} doesn't have them: {', '.join(lacking)}"


def _scored(run: Run, key: str) -> bool:
    return key in run.scores and run.scores[key].value is not None


def _listed(clips: Sequence[str]) -> str:
    more = len(clips) - SHOWN_CLIPS
    return ", ".join(clips[:SHOWN_CLIPS]) + (f" and {more} more" if more > 0 else "")


def comparable(key: str, runs: Mapping[str, Run], resampling: Resampling, notes: list[str]) -> Comparable:
    """A metric of all runs, ready to be tested; ProtocolError if it can't be compared.

    What can't be told of it is added to ``notes``.
    """
    if len(runs) < 2:
        raise ProtocolError(f"{next(iter(runs))} alone has a score" if runs else "none of the results has a score")
    _check_alike(key, runs)
    held = [_finite(key, {clip.id: clip.contributions for clip in run.clips}) for run in runs.values()]
    if not any(held):
        return _of_sets(key, runs)
    better = next(iter(runs.values())).scores[key].better
    shared = sorted(set.intersection(*map(set, held)))
    compares, clips = SCORE, shared
    if better is Better.CLOSER_TO_ZERO:
        compares, marks = TO_ZERO, [dict.fromkeys(shared, 0.0)] * len(held)
    elif better is Better.CLOSER_TO_REFERENCE:
        own = [_finite(key, {clip.id: clip.reference_contributions for clip in run.clips}) for run in runs.values()]
        known = sorted(set(shared).intersection(*own))
        if len(known) >= 2:
            compares, clips = TO_REFERENCE, known
            marks = [{clip: row[0] / row[1] for clip, row in side.items()} for side in own]
        else:
            lacking = [name for name, side in zip(runs, own, strict=True) if not side] or list(runs)
            notes.append(
                f"which is better by {key} can't be told: no reference values per clip in {', '.join(lacking)}"
            )
    if len(clips) < 2:
        raise ProtocolError(f"{len(clips)} shared clips with a value; a test needs two or more")
    rows = [np.array([side[clip] for clip in clips], dtype=np.float64) for side in held]
    scores = [float(quotients(item)) for item in rows]
    if compares != SCORE:
        rows = [
            _distances(item, np.array([mark[clip] for clip in clips])) for item, mark in zip(rows, marks, strict=True)
        ]
    return Comparable(
        key=key,
        names=tuple(runs),
        better=better,
        compares=compares,
        scores=scores,
        order=[float(quotients(item)) for item in rows],
        test=lambda i, j: by_clips(rows[i], rows[j], resampling),
        p_values=lambda pairs: _p_values(np.stack(rows), pairs, resampling),
        least=least_by_clips(len(clips), resampling),
        clips=len(clips),
        of_clips=len(set.union(*map(set, held))),
    )


def _p_values(rows: Floats, pairs: Sequence[tuple[int, int]], resampling: Resampling) -> Sequence[float]:
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T
    return [float(p) for p in p_by_clips(rows[first], rows[second], resampling)]


def _check_alike(key: str, runs: Mapping[str, Run]) -> None:
    """Raise ProtocolError with the tokens by which the protocol parts of a metric's signatures differ."""
    (first, ours), *others = ((name, run.scores[key].protocol_part.split("|")) for name, run in runs.items())
    for name, theirs in others:
        if ours != theirs:
            here, there = (
                [token for token in side if token not in other] for side, other in ((ours, theirs), (theirs, ours))
            )
            raise ProtocolError(
                f"made differently: {' '.join(here) or '-'} in {first} | {' '.join(there) or '-'} in {name}"
            )


def _finite(key: str, clips: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Sequence[float]]:
    """What clips add to a score, of those that have a finite value."""
    return {clip: rows[key] for clip, rows in clips.items() if key in rows and rows[key][1] > 0}


def _distances(rows: Floats, marks: Floats) -> Floats:
    """How far each clip's own score lies from its mark: (clips, 2), the second column 1."""
    return np.stack([np.abs(rows[:, 0] / rows[:, 1] - marks), np.ones(len(rows))], axis=1)


def _of_sets(key: str, runs: Mapping[str, Run]) -> Comparable:
    """A metric of sets, tested by its scores without groups of clips, which must be the same in all runs."""
    found = {name: run.scores[key] for name, run in runs.items()}
    if any(score.reference_clips is not None for score in found.values()):
        raise ProtocolError(
            "its clips don't come in pairs, so no group of one system's belongs to one of another's; compare intervals"
        )
    if lacking := [name for name, score in found.items() if not score.groups]:
        raise ProtocolError(
            f"it has no values per clip, and {', '.join(lacking)} no scores without groups of clips: single clips and "
            "medians have none, nor have results of earlier versions, which can be scored again"
        )
    sets = {name: {clip for group in score.groups for clip in group.clips} for name, score in found.items()}
    shared = set.intersection(*sets.values())
    if odd := {name: sorted(clips - shared) for name, clips in sets.items() if clips != shared}:
        said = "; ".join(f"{_listed(clips)} in {name} alone" for name, clips in odd.items())
        raise ProtocolError(
            f"a metric of sets is compared on equal sets of clips; these are not in every score: {said}"
        )
    scores = [float(score.value) for score in found.values() if score.value is not None]
    systems = [
        Jackknifed(value, score.groups, score.pairs) for value, score in zip(scores, found.values(), strict=True)
    ]
    return Comparable(
        key=key,
        names=tuple(runs),
        better=next(iter(found.values())).better,
        compares=SCORE,
        scores=scores,
        order=scores,
        test=lambda i, j: by_groups(systems[i], systems[j]),
        p_values=lambda pairs: [by_groups(systems[i], systems[j]).p for i, j in pairs],
        least=0.0,
        clips=len(shared),
        of_clips=len(shared),
    )
