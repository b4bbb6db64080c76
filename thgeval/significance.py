"""Whether two systems really differ: paired tests on the clips they share, and Holm's correction over all of them.

Metrics whose clips have parts of their own are tested by randomisation (Fisher 1935; Noreen 1989): were the systems
alike, each clip's two parts could as well be exchanged. All exchanges of few clips are tried, so that p is exact; of
more, some are drawn from a seed. Metrics of sets are tested by Student's t of the difference of their pseudo-values
over the same groups of clips, less what the jackknife overrates where scores are mostly bias (Efron and Stein 1981).
Intervals of a difference are Student's in either case.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from thgeval.statistics import (
    LEAST_FREEDOM,
    Floats,
    Group,
    Interval,
    Jackknifed,
    PseudoValues,
    Resampling,
    TwoGroups,
    of_clips,
    of_groups,
    quotients,
    standard_error,
    student,
    student_p,
)

ALPHA = 0.05
EXACT_CLIPS = 13
EXACT, JACKKNIFE = "randomisation-exact", "jackknife"
BLOCK = 1 << 22


class Difference(NamedTuple):
    """System less baseline, its 95 % interval (None if every clip differs alike), two-sided p, and how that was found.

    ``least`` is the smallest p that so many clips and draws can give.
    """

    difference: float
    interval: Interval | None
    p: float
    test: str
    least: float


def by_clips(baseline: Floats, system: Floats, resampling: Resampling) -> Difference:
    """Compare what each clip adds above and below the two scores: (clips, 2) of the same clips."""
    observed = float(quotients(system) - quotients(baseline))
    count = len(baseline)
    exact = count <= EXACT_CLIPS
    swaps = _every_swap(count) if exact else resampling.swaps(count)
    found = _at_least(baseline, system, swaps, abs(observed))
    p = found / len(swaps) if exact else (found + 1) / (len(swaps) + 1)
    least = least_by_clips(count, resampling)
    test = EXACT if exact else f"randomisation-{resampling.draws}-{resampling.seed}"
    return Difference(observed, _interval(observed, _less(of_clips(system), of_clips(baseline))), p, test, least)


def least_by_clips(clips: int, resampling: Resampling) -> float:
    """The smallest p that a test by so many clips can give."""
    return 1 / 2 ** (clips - 1) if clips <= EXACT_CLIPS else 1 / (resampling.draws + 1)


def p_by_clips(baselines: Floats, systems: Floats, resampling: Resampling) -> Floats:
    """The p-values of ``by_clips`` for many pairs of systems on the same clips: (pairs, clips, 2) each -> (pairs,)."""
    observed = np.abs(quotients(systems) - quotients(baselines))
    count = baselines.shape[1]
    exact = count <= EXACT_CLIPS
    swaps = _every_swap(count) if exact else resampling.swaps(count)
    found = np.array(
        [
            _at_least(baseline, system, swaps, limit)
            for baseline, system, limit in zip(baselines, systems, observed, strict=True)
        ]
    )
    return found / len(swaps) if exact else (found + 1) / (len(swaps) + 1)


class Spread(NamedTuple):
    """Variance of a score, estimated, and the degrees of freedom of the estimate."""

    variance: float
    freedom: float

    @property
    def reach(self) -> float:
        """Half the width of a 95 % interval."""
        return math.sqrt(self.variance) * float(stdtrit(self.freedom, 0.975))


def by_groups(baseline: Jackknifed, system: Jackknifed) -> Difference:
    """Compare scores of sets, each with its scores without the same groups of clips."""
    apart = _between(baseline, system)
    observed, parts = apart.score, of_groups(apart.score, apart.groups)
    error = standard_error(parts)
    if not error or parts.freedom < LEAST_FREEDOM:
        return Difference(observed, None, student_p(observed, parts), JACKKNIFE, 0.0)
    jackknife = Spread(error**2, parts.freedom)
    found = min(jackknife, counted_once(apart, jackknife), key=lambda spread: spread.reach)
    p = float(2 * stdtr(found.freedom, -abs(observed) / math.sqrt(found.variance)))
    return Difference(observed, Interval(observed - found.reach, observed + found.reach), p, JACKKNIFE, 0.0)


def _between(baseline: Jackknifed, system: Jackknifed) -> Jackknifed:
    """The difference of two scores, itself a score of the same clips."""
    groups = tuple(
        Group(ours.clips, ours.without - theirs.without)
        for ours, theirs in zip(system.groups, baseline.groups, strict=True)
    )
    held = {pair.groups: pair.without for pair in baseline.pairs}
    pairs = tuple(TwoGroups(at, without - held[at]) for at, without in system.pairs if at in held)
    return Jackknifed(system.score - baseline.score, groups, pairs)


def counted_once(apart: Jackknifed, jackknife: Spread) -> Spread:
    """The variance of a score that a jackknife overrates; the jackknife's own without pairs of groups.

    To a smooth score, each group of clips adds a part, and every two add a part together. The jackknife counts the
    variance of the latter twice (Efron and Stein 1981). ``together`` is what leaving out two groups changes beyond what
    leaving out either does; ``seen`` and ``twice`` are exact for a score that is quadratic in groups of equal size.
    What groups add alone varies no less than nothing: then parts together are all there is. Degrees of freedom are
    Satterthwaite's, each pair counting as one.
    """
    if not apart.pairs:
        return jackknife
    count = len(apart.groups)
    sizes = np.array([len(group.clips) for group in apart.groups], dtype=np.float64)
    shares = sizes / sizes.sum()
    kept = (1 - shares) * np.array([group.without for group in apart.groups])
    first, second = np.array([pair.groups for pair in apart.pairs]).T
    both = np.array([pair.without for pair in apart.pairs])
    together = apart.score - kept[first] - kept[second] + (1 - shares[first] - shares[second]) * both
    seen = 1 + 2 * (count - 2) / (count - 1) ** 2 + 2 * (count - 3) / ((count - 1) ** 2 * (count - 2))
    twice = 2 * count**2 * (count - 2) / (count - 1) ** 3
    paired = float((together**2 / (shares[first] * shares[second])).mean() * (1 - (shares**2).sum()) / 2 / seen)
    variance = jackknife.variance - (twice - 1) * paired
    if variance <= paired:
        return Spread(paired, len(apart.pairs)) if paired else jackknife
    doubt = jackknife.variance**2 / jackknife.freedom + ((twice - 1) * paired) ** 2 / len(apart.pairs)
    return Spread(variance, variance**2 / doubt)


def _interval(observed: float, apart: PseudoValues) -> Interval | None:
    return None if apart.freedom < LEAST_FREEDOM else student(observed, apart)


def _less(system: PseudoValues, baseline: PseudoValues) -> PseudoValues:
    """Pseudo-values of the difference, with the fewer degrees of freedom of the two."""
    weights = min(system, baseline, key=lambda apart: apart.freedom).weights
    return PseudoValues(system.values - baseline.values, weights)


def _every_swap(count: int) -> NDArray[np.bool_]:
    """Every way to exchange the systems on some clips but the last, which would give the same differences again."""
    return np.asarray(np.arange(2 ** (count - 1))[:, None] >> np.arange(count) & 1, dtype=np.bool_)


def _at_least(baseline: Floats, system: Floats, swaps: NDArray[np.bool_], limit: float) -> int:
    """How many of the exchanges, (draws, clips), make a difference as large, in blocks that fit into memory."""
    bar = limit - 1e-12 * max(limit, 1e-300)
    step = max(1, BLOCK // len(baseline))
    found = 0
    for first in range(0, len(swaps), step):
        moved = swaps[first : first + step].astype(np.float64) @ (baseline - system)
        ours, theirs = system.sum(axis=0) + moved, baseline.sum(axis=0) - moved
        found += int(np.count_nonzero(np.abs(ours[:, 0] / ours[:, 1] - theirs[:, 0] / theirs[:, 1]) >= bar))
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): adjusted p-values in the order given."""
    order = sorted(range(len(p_values)), key=lambda item: p_values[item])
    adjusted = [0.0] * len(p_values)
    worst = 0.0
    for rank, item in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - rank) * p_values[item]))
        adjusted[item] = worst
    return adjusted


def within_reach(p_values: Sequence[float], least: Sequence[float]) -> list[bool]:
    """Whether each test could be significant after Holm's correction, had it the least p it can have."""
    return [holm([*p_values[:at], smallest, *p_values[at + 1 :]])[at] < ALPHA for at, smallest in enumerate(least)]


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
