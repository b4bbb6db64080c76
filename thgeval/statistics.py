"""How far a score can be trusted: 95 % intervals over clips, which are the independent draws; frames are not.

A score that changes smoothly with its clips is taken apart into pseudo-values (Tukey 1958): for each clip, or group of
clips, what it adds, found by leaving it out; the score gets Student's interval from their spread.

* Means and ratios: a pseudo-value a clip, of a mean its score, and a correction for skewness (Willink 2005, after Hall
  1992).
* Metrics of sets: up to 20 groups of clips (delete-m_j jackknife; Busing, Meijer, van der Leeden 1999), whose
  pseudo-values are free of the bias that depends on how many clips are left.

* Rates of few events: the score interval of a Poisson count, wider where clips scatter more than such counts.
* Medians: percentile bootstrap over clips (Efron 1979).

``benchmarks/interval_coverage.py`` measures how often each of them covers. Nothing but a clip's id and state decides
its part, so that merged shards give the same interval.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit  # what scipy.stats calls, without the second that importing it takes

from thgeval.metric import Metric
from thgeval.states import ClipMean, Counts, PooledMean, State, TwoSets

GROUPS = 20
PAIRS = 40
"""As many pairs of groups tell what two clips add together as well as groups tell what one does."""
SKEWED_CLIPS = 5
"""Below, a sample's skewness says nothing of the population's."""
FEW_EVENTS = 4
FEW_CLIPS = 6
LEAST_FREEDOM = 0.5
LEAST_PAIRED = 4
"""Of fewer groups, hardly anything is left without two."""
ROUNDING = 1e-10
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


class Group(NamedTuple):
    """Clips left out together, and the score without them."""

    clips: tuple[str, ...]
    without: float


class TwoGroups(NamedTuple):
    """Two groups, by their numbers, and the score without either."""

    groups: tuple[int, int]
    without: float


class Jackknifed(NamedTuple):
    """A score, and what it is without groups of clips, one and two at a time."""

    score: float
    groups: tuple[Group, ...]
    pairs: tuple[TwoGroups, ...] = ()


@dataclass(frozen=True)
class Bounds:
    """An interval and how it was made, as signatures say it; ``note`` is why there is none, or what to know of it.

    ``groups`` and ``pairs`` of them are those of a jackknife, by which two systems can be compared.
    """

    interval: Interval | None = None
    how: str = ""
    note: str | None = None
    groups: tuple[Group, ...] = field(default=(), repr=False)
    pairs: tuple[TwoGroups, ...] = field(default=(), repr=False)


class PseudoValues(NamedTuple):
    """What each clip, or group of clips, adds to a score, (parts,), and the weight it has there, (parts,)."""

    values: Floats
    weights: Floats

    @property
    def freedom(self) -> float:
        """Degrees of freedom: how many parts of equal weight would weigh as these do (Kish 1965), less one."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum() - 1)


def bounds(metric: Metric[Any], state: State, resampling: Resampling) -> Bounds:
    """95 % interval of a score over clips, within the metric's range, or the reason why there is none."""
    score = metric.score(state)
    if not math.isfinite(score):
        return Bounds()
    count = min(len(state.scored), len(state.scored_references)) if isinstance(state, TwoSets) else len(state.scored)
    if count < 2:
        return Bounds(note="one clip gives no interval: it says nothing of others")
    if isinstance(state, TwoSets):
        found = jackknife_of_sides(metric, state, score)
    elif metric.stepwise:
        found = bootstrap(metric, state, resampling)
    elif state.additive:
        rows = contributions(metric, state)
        found = of_rows(rows[rows[:, 1] > 0], events=metric.counts_events)
    else:
        found = jackknife(metric, state, score)
    if found.interval is None:
        return found
    low, high = metric.range
    kept = Interval(max(found.interval.low, low), min(found.interval.high, high))
    said = [metric.interval_note]
    if count < FEW_CLIPS:
        said.append(f"the interval rests on {count} clips, and is right only if clips scatter normally")
    return Bounds(kept, found.how, "; ".join(filter(None, said)) or None, found.groups, found.pairs)


def of_rows(rows: Floats, *, events: bool = False) -> Bounds:
    """Interval of a sum over a sum, from what each clip adds to them: (clips, 2).

    With ``events``, what is counted above happens on its own, so that even none in some time bounds its rate.
    """
    if len(rows) < 2:
        return Bounds(note="one clip gives no interval: it says nothing of others")
    apart = of_clips(rows)
    if apart.freedom < LEAST_FREEDOM:
        return Bounds(note="no interval: one clip is nearly all there is")
    found = student(float(quotients(rows)), apart, skewed=len(rows) >= SKEWED_CLIPS)
    if events and (found is None or rows[:, 0].sum() < FEW_EVENTS):
        return Bounds(rate_of_few(rows, apart.freedom), "score")
    if found is None:
        return Bounds(note=f"no interval: all {len(rows)} clips have the same value")
    return Bounds(found, "t")


def of_clips(rows: Floats) -> PseudoValues:
    """Pseudo-values of a sum over a sum, each clip left out once: (clips, 2), the second above 0."""
    count, score = len(rows), quotients(rows)
    left = (rows.sum(axis=0) - rows).T
    return PseudoValues(count * score - (count - 1) * left[0] / left[1], rows[:, 1])


def of_groups(score: float, groups: Sequence[Group]) -> PseudoValues:
    """Pseudo-values of groups, drawn together so that the spread of groups of unlike sizes is that of equal ones."""
    sizes = np.array([len(group.clips) for group in groups], dtype=np.float64)
    without = np.array([group.without for group in groups], dtype=np.float64)
    shares = sizes / sizes.sum()
    values = (score - (1 - shares) * without) / shares
    centre = (shares * values).sum()
    return PseudoValues(centre + (values - centre) * np.sqrt((len(groups) - 1) * shares / (1 - shares)), sizes)


def student(score: float, apart: PseudoValues, *, skewed: bool = False) -> Interval | None:
    """Student's interval around a score, where asked for with a correction for skewness; None if all parts are alike.

    The correction puts a bound where a mean of the sample's skewness has the quantile (Willink 2005, equation 11).
    """
    error = standard_error(apart)
    if not error:
        return None
    low, high = (quantile := float(stdtrit(apart.freedom, 0.975))), -quantile
    if skewed and abs(bend := _skewness(apart.values) / (6 * math.sqrt(len(apart.values)))) > 1e-6:
        low, high = (float(np.cbrt(1 + 6 * bend * (bound - bend)) - 1) / (2 * bend) for bound in (low, high))
    return Interval(score - error * low, score - error * high)


def student_p(difference: float, apart: PseudoValues) -> float:
    """Two-sided p of a difference: below .05 where its interval leaves 0 out."""
    error = standard_error(apart)
    if not error:
        return 1.0 if abs(difference) <= ROUNDING * float(np.abs(apart.values).max()) else 0.0
    return float(2 * stdtr(apart.freedom, -abs(difference) / error))


def standard_error(apart: PseudoValues) -> float:
    """Standard error of the score that was taken apart; 0 if all parts are alike but for rounding."""
    deviation = float(apart.values.std(ddof=1))
    return (
        0.0 if deviation <= ROUNDING * float(np.abs(apart.values).max()) else deviation / math.sqrt(len(apart.values))
    )


def _skewness(values: Floats) -> float:
    """Third central moment, estimated without bias, over the cube of the standard deviation."""
    count = len(values)
    third = count / ((count - 1) * (count - 2)) * float(((values - values.mean()) ** 3).sum())
    return third / float(values.std(ddof=1)) ** 3


def rate_of_few(rows: Floats, freedom: float) -> Interval:
    """Score interval of a rate from few events: all rates that a Poisson count would not contradict.

    Where the clips scatter more than such counts do, by their variance over their mean and with Student's quantile.
    """
    events, exposure = rows.sum(axis=0)
    excess = 0.0
    if events:
        residuals = rows[:, 0] - events / exposure * rows[:, 1]
        excess = len(rows) / (len(rows) - 1) * float((residuals**2).sum()) / events
    square = max(float(ndtri(0.975)) ** 2, float(stdtrit(freedom, 0.975)) ** 2 * excess)
    reach = math.sqrt(square * events + square**2 / 4)
    low, high = (events + square / 2 - reach) / exposure, (events + square / 2 + reach) / exposure
    return Interval(max(0.0, float(low)), float(high))


def jackknife(metric: Metric[Any], state: State, score: float) -> Bounds:
    """Interval of a metric of sets, from leaving out one group of clips at a time."""
    dealt = groups_of(state.scored)
    scores = metric.scores_without(state, dealt)
    if not np.isfinite(scores).all():
        return Bounds(note="no interval: without some of the clips too little is left for a score")
    groups = tuple(Group(tuple(clips), float(without)) for clips, without in zip(dealt, scores, strict=True))
    found = student(score, of_groups(score, groups))
    if found is None:
        return Bounds(note="no interval: the score is the same whichever clips are left out", groups=groups)
    return Bounds(found, f"jackknife-{len(groups)}", groups=groups, pairs=pairs_without(metric, state, dealt))


def pairs_without(metric: Metric[Any], state: State, dealt: Sequence[Sequence[str]]) -> tuple[TwoGroups, ...]:
    """Scores without two groups at once, up to ``PAIRS`` of them; none where too little is left for a score."""
    found: list[TwoGroups] = []
    for drawn in rounds(len(dealt)):
        idle = set(range(len(dealt))).difference(*drawn)
        together = [[*dealt[first], *dealt[second]] for first, second in drawn]
        scores = metric.scores_without(state, [*together, *(dealt[group] for group in idle)])
        found += [TwoGroups(pair, float(score)) for pair, score in zip(drawn, scores, strict=False)]
    return tuple(found) if all(math.isfinite(pair.without) for pair in found) else ()


def rounds(count: int) -> list[list[tuple[int, int]]]:
    """Disjoint pairs of groups, round by round as in a tournament, none twice and at most ``PAIRS`` of them."""
    if count < LEAST_PAIRED:
        return []
    seats = [*range(count), *([-1] if count % 2 else [])]
    made = []
    for _ in range(min(len(seats) - 1, PAIRS // (count // 2))):
        facing = zip(seats[: len(seats) // 2], reversed(seats), strict=False)
        made.append([(min(pair), max(pair)) for pair in facing if -1 not in pair])
        seats = [seats[0], seats[-1], *seats[1:-1]]
    return made


def groups_of(clips: Sequence[str], count: int = GROUPS) -> list[list[str]]:
    """Clips in groups of equal size, to within one, dealt by the rank of their ids' hashes."""
    ranked = sorted(clips, key=lambda clip: hashlib.sha256(clip.encode("utf-8", "surrogateescape")).digest())
    return [sorted(ranked[first :: min(count, len(clips))]) for first in range(min(count, len(clips)))]


def bootstrap(metric: Metric[Any], state: State, resampling: Resampling) -> Bounds:
    """Percentile interval of the score over clips drawn with replacement.

    Where it is a single number, as of values in whole frames, it reaches to the nearest others that were drawn.
    """
    parts = [state.parts[clip] for clip in state.scored]
    sets = (
        type(state)({str(at): parts[clip] for at, clip in enumerate(drawn)}) for drawn in resampling.clips(len(parts))
    )
    values, drawn = np.unique([metric.score(drawn) for drawn in sets], return_inverse=True)
    if not np.isfinite(values).all():
        return Bounds(note="no interval: without some of the clips there is no score")
    low, high = (int(at) for at in np.quantile(drawn, [0.025, 0.975], method="nearest"))
    if low == high:
        low, high = max(low - 1, 0), min(high + 1, len(values) - 1)
    if low == high:
        return Bounds(note="no interval: the score is the same whichever clips are drawn")
    return Bounds(Interval(float(values[low]), float(values[high])), f"bootstrap-{resampling.draws}-{resampling.seed}")


def jackknife_of_sides(metric: Metric[Any], state: TwoSets, score: float) -> Bounds:
    """Interval of a distance of two sets that are drawn independently.

    Each side's clips are dealt into groups. The variance is the sum of those of leaving out one group of the generated
    and one of the reference clips, (G-1)/G times the squared spread of G scores each; Student's t has Welch's and
    Satterthwaite's degrees of freedom. Where no group changes the score, nothing says how far it can be trusted.
    """
    sides = [groups_of(clips) for clips in (state.scored, state.scored_references)]
    scores = metric.scores_without(state, sides[0] + sides[1])
    variances = [
        (len(found) - 1) / len(found) * float(((found - found.mean()) ** 2).sum())
        for found in (scores[: len(sides[0])], scores[len(sides[0]) :])
    ]
    variance = sum(variances)
    if not variance < math.inf:
        return Bounds(note="no interval: without some of the clips too little is left for a score")
    if not variance:
        return Bounds(note="no interval: the score is the same whichever clips are left out")
    freedom = variance**2 / sum(item**2 / (len(side) - 1) for item, side in zip(variances, sides, strict=True))
    reach = math.sqrt(variance) * float(stdtrit(freedom, 0.975))
    return Bounds(Interval(score - reach, score + reach), f"jackknife-{len(sides[0])}+{len(sides[1])}")


def contributions(metric: Metric[Any], state: State) -> Floats:
    """What each scored clip adds above and below the fraction that is the score: (scored, 2).

    A clip whose own score is infinite adds nothing to either, as it adds nothing to the mean; nor does any where the
    score is no such fraction.
    """
    if not state.additive:
        return np.zeros((len(state.scored), 2))
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
