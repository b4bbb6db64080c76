"""What may be compared, and who is really ahead.

A column holds scores whose signatures have equal protocol parts; any difference splits it. In a column only systems
are ranked, controls and the ground truth stand beside them. A place is shared by all that paired tests can't part from
the best, and further down from the neighbour above; Holm's correction runs over the tests of one column.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from thgeval.comparison import Comparable, comparable
from thgeval.errors import ProtocolError
from thgeval.metric import Better
from thgeval.results import Run, Score
from thgeval.significance import ALPHA, holm
from thgeval.statistics import Resampling
from thgeval_leaderboard.entry import Entry

DRAWS, MOST_DRAWS, SEED = 2000, 20_000, 12345
"""Exchanges drawn for one test where there are too many to try all: more where more tests need smaller p-values."""


@dataclass(frozen=True, eq=False)
class Column:
    """Scores that may be compared: one metric under one protocol part, by entry.

    ``also`` are the tokens that this column has and the first of its metric lacks, and the other way round; empty for
    the first.
    """

    key: str
    part: str
    scores: Mapping[str, Score]
    also: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def better(self) -> Better:
        """Which way it improves."""
        return next(iter(self.scores.values())).better

    @property
    def unit(self) -> str:
        """What it is counted in."""
        return next(iter(self.scores.values())).unit


@dataclass(frozen=True)
class Place:
    """Where a system stands in a column: ``rank`` from 1, which ``tied`` others share; ``group`` numbers the ties."""

    rank: int
    group: int
    tied: int


def columns(entries: Sequence[Entry]) -> list[Column]:
    """Every column of some entries: metrics in the order in which runs name them, the most used signature first."""
    found: dict[str, dict[str, dict[str, Score]]] = {}
    for entry in entries:
        for key, score in entry.run.scores.items() if entry.run else ():
            found.setdefault(key, {}).setdefault(score.protocol_part, {})[entry.id] = score
    made: list[Column] = []
    for key, by_part in found.items():
        ordered = sorted(by_part.items(), key=lambda item: (-len(item[1]), item[0]))
        usual = ordered[0][0]
        made += [Column(key, part, scores, _unlike(part, usual)) for part, scores in ordered]
    return made


def _unlike(part: str, usual: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    ours, theirs = part.split("|"), usual.split("|")
    return tuple(token for token in ours if token not in theirs), tuple(token for token in theirs if token not in ours)


def places(column: Column, entries: Mapping[str, Entry]) -> dict[str, Place]:
    """Places of the systems of a column that are ranked, by entry; none where no value is better than another.

    Only systems that scored the same clips compete; those that lack some of the clips of the most complete are left
    out, as a mean over easier clips would win.
    """
    runs = {
        id: run
        for id, score in column.scores.items()
        if score.value is not None and math.isfinite(score.value) and (run := entries[id].run) and entries[id].ranked
    }
    most = max((column.scores[id].clips for id in runs), default=0)
    runs = {id: run for id, run in runs.items() if column.scores[id].clips == most}
    if len(runs) < 2:
        return dict.fromkeys(runs, Place(1, 1, 0)) if column.better is not Better.NONE else {}
    try:
        asked = _asked(column.key, runs)
    except ProtocolError:
        return {}
    if not asked.sign:
        return {}
    return _placed(list(runs), asked)


def _asked(key: str, runs: Mapping[str, Run]) -> Comparable:
    draws = min(max(DRAWS, math.ceil(2 * len(runs) / ALPHA)), MOST_DRAWS)
    return comparable(key, runs, Resampling(draws, SEED), [])


def _placed(ids: Sequence[str], asked: Comparable) -> dict[str, Place]:
    """Places from tests against the best and between neighbours."""
    order = sorted(range(len(ids)), key=lambda at: (-asked.sign * asked.order[at], ids[at]))
    best = order[0]
    against_best = [(best, at) for at in order[1:]]
    neighbours = [pair for pair in pairwise(order) if pair not in against_best]
    pairs = [*against_best, *neighbours]
    reachable = len(pairs) * asked.least < ALPHA  # else no p is small enough for so many tests: all share one place
    found_p = holm(asked.p_values(pairs)) if reachable else [1.0] * len(pairs)
    differs = dict(zip(pairs, (p < ALPHA for p in found_p), strict=True))
    groups = [[best]]
    for before, at in pairwise(order):
        leaves_best = differs[best, at] and (before == best or not differs[best, before])
        if leaves_best or (differs[best, at] and differs[before, at]):
            groups.append([at])
        else:
            groups[-1].append(at)
    found: dict[str, Place] = {}
    rank = 1
    for number, group in enumerate(groups, 1):
        found |= {ids[at]: Place(rank, number, len(group) - 1) for at in group}
        rank += len(group)
    return found


def normalised(column: Column, entries: Mapping[str, Entry]) -> dict[str, float]:
    """Scores between the worst control (0) and the ground truth (1), by entry; empty where either is not there."""
    finite = {id: score.value for id, score in column.scores.items() if score.value is not None}
    finite = {id: value for id, value in finite.items() if math.isfinite(value)}
    truth = next((value for id, value in finite.items() if entries[id].method.role == "ground-truth"), None)
    controls = [value for id, value in finite.items() if entries[id].method.role == "control"]
    if truth is None or not controls:
        return {}
    worst = max(controls, key=lambda value: abs(value - truth))
    return {id: (value - worst) / (truth - worst) for id, value in finite.items()} if worst != truth else {}
