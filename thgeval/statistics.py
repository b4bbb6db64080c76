"""How far a score can be trusted, and whether two systems really differ.

Framewise scores get a percentile bootstrap over clips (Efron 1979): clips, not frames, are the independent draws.
Set metrics get a delete-a-group jackknife over groups of clips (Kott 2001). Systems are compared on the clips they
share, by paired bootstrap (Koehn 2004) and paired approximate randomisation (Noreen 1989), with Holm's correction
(1979) over the systems tested.

Everything is drawn from one seed over clips in the order of their ids, so that merged shards give the same interval.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from thgeval.metric import Metric
from thgeval.states import ClipMean, Counts, PooledMean, State, TwoSets

GROUPS = 20
Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Resampling:
    """How many draws, and from which seed."""

    draws: int = 1000
    seed: int = 12345

    def clips(self, count: int) -> NDArray[np.intp]:
        """(draws, count) indices of clips drawn with replacement."""
        return np.random.Generator(np.random.PCG64(self.seed)).integers(0, count, size=(self.draws, count))

    def swaps(self, count: int) -> NDArray[np.bool_]:
        """(draws, count) fair coins."""
        return np.random.Generator(np.random.PCG64(self.seed)).random((self.draws, count)) < 0.5


def interval(metric: Metric[Any], state: State, resampling: Resampling) -> Interval | None:
    """95 % interval of a score over clips; None for a single clip, which says nothing about others."""
    if isinstance(state, TwoSets):
        return jackknife_of_sides(metric, state)
    if len(state.scored) < 2:
        return None
    return jackknife(metric, state) if state.spread == "jackknife" else bootstrap(metric, state, resampling)


def bootstrap(metric: Metric[Any], state: State, resampling: Resampling) -> Interval | None:
    """Percentile interval of the score over clips drawn with replacement; None if the score is not finite."""
    rows = contributions(metric, state)
    rows = rows[rows[:, 1] > 0]
    if len(rows) < 2:
        return None
    scores = quotients(rows[resampling.clips(len(rows))])
    if not np.isfinite(scores).all():
        return None
    low, high = np.percentile(scores, [2.5, 97.5])
    return Interval(float(low), float(high))


def jackknife(metric: Metric[Any], state: State, groups: int = GROUPS) -> Interval | None:
    """Interval of a set metric from leaving out one group of clips at a time; groups are hashes of clip ids.

    The variance is (G-1)/G times the squared spread of the G leave-one-out scores, with Student's t on G-1 degrees of
    freedom; G is the number of groups that hold a clip.
    """
    members: dict[int, list[str]] = {}
    for clip in state.scored:
        members.setdefault(int.from_bytes(hashlib.sha256(clip.encode()).digest()[:8]) % groups, []).append(clip)
    if len(members) < 2:
        return None
    scores = metric.scores_without(state, [group for _, group in sorted(members.items())])
    count = len(scores)
    spread = math.sqrt((count - 1) / count * float(((scores - scores.mean()) ** 2).sum()))
    reach = spread * float(student_t.ppf(0.975, count - 1))
    score = metric.score(state)
    return Interval(score - reach, score + reach) if math.isfinite(reach + score) else None


def jackknife_of_sides(metric: Metric[Any], state: TwoSets, groups: int = GROUPS) -> Interval | None:
    """Interval of a distance of two sets that are drawn independently; None if either is a single clip.

    Each side's clips are dealt into groups of equal size, or one apart, by rank of the hashes of their ids. The
    variance is the sum of those of leaving out one group of the generated and one of the reference clips, (G-1)/G
    times the squared spread of G scores each; Student's t has Welch's and Satterthwaite's degrees of freedom. Where no
    group changes the score, nothing says how far it can be trusted, and there is no interval.
    """
    sides = [_dealt(clips, groups) for clips in (state.scored, state.scored_references)]
    if min(map(len, sides)) < 2:
        return None
    scores = metric.scores_without(state, sides[0] + sides[1])
    variances = [
        (len(found) - 1) / len(found) * float(((found - found.mean()) ** 2).sum())
        for found in (scores[: len(sides[0])], scores[len(sides[0]) :])
    ]
    score, variance = metric.score(state), sum(variances)
    if not 0 < variance < math.inf:
        return None
    freedom = variance**2 / sum(item**2 / (len(side) - 1) for item, side in zip(variances, sides, strict=True))
    reach = math.sqrt(variance) * float(student_t.ppf(0.975, freedom))
    low, high = metric.range
    return Interval(max(low, score - reach), min(high, score + reach))


def _dealt(clips: Sequence[str], groups: int) -> list[list[str]]:
    """Clips in groups, as many as there are clips at most, by rank of the hashes of their ids."""
    ranked = sorted(clips, key=lambda clip: hashlib.sha256(clip.encode("utf-8", "surrogateescape")).digest())
    return [ranked[first::groups] for first in range(min(groups, len(ranked)))]


def contributes(state: State) -> bool:
    """Whether the clips of a state have values of their own that are finite."""
    return state.spread == "bootstrap" and bool(state.scored)


def contributions(metric: Metric[Any], state: State) -> Floats:
    """What each scored clip adds above and below the fraction that is the score: (scored, 2).

    A clip whose own score is infinite adds nothing to either, as it adds nothing to the mean.
    """
    if isinstance(state, ClipMean):
        scores = clip_scores(metric, state)
        finite = np.isfinite(scores)
        return np.stack([np.where(finite, scores, 0.0), finite.astype(np.float64)], axis=1)
    if isinstance(state, PooledMean | Counts):
        return state.ratios
    raise TypeError(f"{metric.name} keeps {type(state).__name__}, which has no per-clip scores")


def clip_scores(metric: Metric[Any], state: State) -> Floats:
    """The score each scored clip would get alone: (scored,)."""
    return np.array([metric.score(state.only([clip])) for clip in state.scored], dtype=np.float64)


def quotients(rows: Floats) -> Floats:
    """(..., clips, 2) -> (...): sums above over sums below."""
    totals = rows.sum(axis=-2)
    return np.asarray(totals[..., 0] / totals[..., 1])


class Difference(NamedTuple):
    """System against baseline on shared clips: difference of scores, its interval, and two-sided p-values."""

    difference: float
    interval: Interval
    bootstrap_p: float
    randomisation_p: float


def paired_difference(baseline: Floats, system: Floats, resampling: Resampling) -> Difference:
    """Compare per-clip contributions (clips, 2) of two systems on the same clips.

    Bootstrap: how often a resampled difference, shifted to mean zero, is as large as the observed one. Randomisation:
    how often swapping the systems on random clips makes a difference as large. Both count the observed one in.
    """
    observed = float(quotients(system) - quotients(baseline))
    draws = resampling.clips(len(baseline))
    drawn = quotients(system[draws]) - quotients(baseline[draws])
    low, high = np.percentile(drawn, [2.5, 97.5])
    swaps = resampling.swaps(len(baseline))[..., None]
    shuffled = quotients(np.where(swaps, baseline, system)) - quotients(np.where(swaps, system, baseline))
    return Difference(
        observed,
        Interval(float(low), float(high)),
        _share(np.abs(drawn - drawn.mean()), abs(observed)),
        _share(np.abs(shuffled), abs(observed)),
    )


def _share(values: Floats, limit: float) -> float:
    tolerance = 1e-12 * max(limit, 1e-300)
    return float((np.count_nonzero(values >= limit - tolerance) + 1) / (len(values) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: adjusted p-values in the order given."""
    order = sorted(range(len(p_values)), key=lambda item: p_values[item])
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, item in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[item]))
        adjusted[item] = worst
    return adjusted


def significance_groups(scores: Sequence[float], differs: Sequence[Sequence[bool]], *, descending: bool) -> list[int]:
    """Group of each system, 1 the best: systems share a group unless they differ significantly from its leader."""
    order = sorted(range(len(scores)), key=lambda item: scores[item], reverse=descending)
    groups = [0] * len(scores)
    leader, group = order[0], 1
    for item in order:
        if item != leader and differs[leader][item]:
            leader, group = item, group + 1
        groups[item] = group
    return groups
