"""Intervals: known answers, how often they cover, no width of 0 from discreteness, and independence of shards."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from thgeval.metric import Better, Metric, Needs
from thgeval.states import ClipMean, Counts, PooledMean, PooledRoot, Rows
from thgeval.statistics import (
    Group,
    Resampling,
    bounds,
    contributions,
    groups_of,
    of_clips,
    of_groups,
    of_rows,
    standard_error,
    student,
)


@dataclass(frozen=True)
class MeanOf(Metric[ClipMean]):
    name = "mean-of"
    version = 1
    range = (-math.inf, math.inf)
    better = Better.HIGHER
    cites = ()
    needs = Needs()

    def measure(self, view):
        raise LookupError

    def score(self, state):
        return state.value


@dataclass(frozen=True)
class MeanOfRows(MeanOf):
    def score(self, state):
        return float(np.asarray(state.stacked()).mean())


@dataclass(frozen=True)
class MedianOfRows(MeanOf):
    stepwise = True

    def score(self, state):
        return float(np.median(np.asarray(state.stacked())))


@dataclass(frozen=True)
class Rate(MeanOf):
    counts_events = True
    range = (0.0, math.inf)


@dataclass(frozen=True)
class Share(MeanOf):
    range = (0.0, 1.0)


def clips(values, kind=ClipMean):
    return kind.total([kind.of(f"clip{index:03}", np.atleast_1d(value)) for index, value in enumerate(values)])


def counted(events, seconds):
    return Counts.total([Counts.of(f"{at:03}", *row) for at, row in enumerate(zip(events, seconds, strict=True))])


def found(metric, state):
    return bounds(metric, state, Resampling())


# Means and ratios


def test_the_interval_of_a_few_means_is_students():
    values = np.random.default_rng(1).normal(10, 2, size=4)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    ours = found(MeanOf(), clips(values))
    np.testing.assert_allclose(ours.interval, tuple(theirs), rtol=1e-12)
    assert ours.how == "t"


def test_from_five_clips_on_the_interval_leans_as_the_values_do():
    values = np.array([1.0, 1.0, 2.0, 2.0, 3.0, 8.0])
    low, high = found(MeanOf(), clips(values)).interval
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert low > theirs.low
    assert high > theirs.high
    mirrored = found(MeanOf(), clips(-values)).interval
    np.testing.assert_allclose(mirrored, (-high, -low), rtol=1e-12)


def test_pseudo_values_of_a_ratio_are_those_of_leaving_each_clip_out():
    rows = np.array([[9.0, 3.0], [2.0, 1.0], [8.0, 5.0]])
    score = 19 / 9
    left = np.array([10 / 6, 17 / 8, 11 / 4])
    apart = of_clips(rows)
    np.testing.assert_allclose(apart.values, 3 * score - 2 * left)
    assert apart.freedom == pytest.approx(81 / 35 - 1)
    assert standard_error(apart) == pytest.approx(math.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum()))


def test_pooled_means_weigh_long_clips():
    state = PooledMean.of("a", [1.0] * 9) + PooledMean.of("b", [2.0])
    assert contributions(MeanOf(), state).tolist() == [[9.0, 9.0], [2.0, 1.0]]


SETS = 600
SIZES = (5, 10, 20)


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize(("spread", "truth", "least"), [(0.0, 0.0, 0.93), (0.6, math.exp(0.18), 0.89)])
def test_intervals_of_means_cover(count, spread, truth, least):
    """The percentile bootstrap covers .84 of normal and .80 of log-normal means at 5 clips, .90 and .86 at 10."""
    rng = np.random.default_rng(100 + count)
    drawn = rng.normal(size=(SETS, count))
    sets = np.exp(spread * drawn) if spread else drawn
    made = [of_rows(np.stack([values, np.ones(count)], axis=1)).interval for values in sets]
    assert least - 0.01 <= np.mean([low <= truth <= high for low, high in made]) <= 0.98


@pytest.mark.parametrize("count", SIZES)
def test_intervals_pooled_over_lengths_cover(count):
    rng = np.random.default_rng(200 + count)
    covered = 0
    for _ in range(SETS):
        frames = rng.integers(50, 251, size=count)
        low, high = of_rows(np.stack([frames * np.exp(0.6 * rng.normal(size=count)), frames], axis=1)).interval
        covered += low <= math.exp(0.18) <= high
    assert 0.89 <= covered / SETS <= 0.97


# Events


def test_no_event_in_200_s_is_not_an_interval_of_no_width():
    ours = found(Rate(), counted([0] * 10, [20.0] * 10))
    assert ours.interval.low == 0
    assert 3 / 200 < ours.interval.high < 4 / 200
    assert ours.how == "score"


def test_the_score_interval_of_few_events_holds_the_rates_that_do_not_contradict_them():
    low, high = found(Rate(), counted([1, 1] + [0] * 18, [1.5] * 20)).interval
    for rate in (low, high):
        assert 1.96 < abs(2 - 30 * rate) / math.sqrt(30 * rate) < 2.1  # clips scatter about as Poisson counts do


def test_events_that_come_in_bursts_say_less():
    even = found(Rate(), counted([1, 1, 1, 0, 0, 0], [10.0] * 6)).interval
    burst = found(Rate(), counted([3, 0, 0, 0, 0, 0], [10.0] * 6)).interval
    assert burst.high > 1.5 * even.high


def test_as_many_events_in_every_clip_still_leave_doubt():
    low, high = found(Rate(), counted([2] * 5, [5.0] * 5)).interval
    assert low < 0.4 < high


@pytest.mark.parametrize(("mean", "least", "most"), [(0.3, 0.92, 1.0), (2.0, 0.92, 0.985)])
@pytest.mark.parametrize("count", SIZES)
def test_intervals_of_counts_cover(mean, least, most, count):
    rng = np.random.default_rng(300 + count)
    rows = (np.stack([rng.poisson(mean, size=count), np.ones(count)], axis=1) for _ in range(SETS))
    covered = sum(low <= mean <= high for low, high in (of_rows(row, events=True).interval for row in rows))
    assert least <= covered / SETS <= most


def test_a_rate_of_errors_is_of_events_and_a_mean_of_rates_is_not():
    from thgeval.registry import metric

    assert metric("wer").metric.counts_events
    assert not metric("wer:average=clip-mean").metric.counts_events
    assert metric("blinks-per-s").metric.counts_events
    assert not metric("fps").metric.counts_events


# None, or not as wide as it looks


def test_one_clip_gives_no_interval_and_says_so():
    for metric, state in ((MeanOf(), clips([1.0])), (MeanOfRows(), clips([np.ones((3, 2))], Rows))):
        made = found(metric, state)
        assert made.interval is None
        assert made.note == "one clip gives no interval: it says nothing of others"


@pytest.mark.parametrize("kind", [ClipMean, PooledMean])
def test_copies_of_one_clip_say_nothing_of_others(kind):
    made = found(MeanOf(), clips([0.1 + 0.2] * 5, kind))
    assert made.interval is None
    assert made.note == "no interval: all 5 clips have the same value"


def test_copies_say_nothing_of_others_in_metrics_of_sets_either():
    rows = np.random.default_rng(0).normal(size=(7, 2))
    made = found(MeanOfRows(), clips([rows] * 5, Rows))
    assert made.interval is None
    assert made.note == "no interval: the score is the same whichever clips are left out"


def test_an_interval_of_two_clips_is_wider_than_they_are_apart_and_says_on_what_it_rests():
    made = found(MeanOf(), clips([0.1, 0.5]))
    assert made.interval.low < 0.1 < 0.5 < made.interval.high
    assert made.note == "the interval rests on 2 clips, and is right only if clips scatter normally"
    assert found(MeanOf(), clips(np.arange(6.0))).note is None


def test_intervals_stay_within_the_range_of_the_metric():
    assert found(Share(), clips([0.1, 0.99])).interval == (0.0, 1.0)


def test_one_clip_that_is_nearly_all_there_is_gives_no_interval():
    state = PooledMean.of("a", np.arange(1000.0)) + PooledMean.of("b", [2.0])
    for made in (found(MeanOf(), state), found(Rate(), counted([0, 1], [1000.0, 1.0]))):
        assert made.interval is None
        assert made.note == "no interval: one clip is nearly all there is"


# Medians


def test_medians_of_whole_frames_have_no_interval_of_no_width():
    values = [[[0.16]]] * 10 + [[[0.12]]] * 3 + [[[0.2]]] * 2
    made = found(MedianOfRows(), clips(values, Rows))
    assert made.interval.low <= 0.16 <= made.interval.high
    assert made.interval.high - made.interval.low >= 0.02
    assert made.how == "bootstrap-1000-12345"
    same = found(MedianOfRows(), clips([[[0.16]]] * 8, Rows))
    assert (same.interval, same.note) == (None, "no interval: the score is the same whichever clips are drawn")


def test_bootstrapped_medians_cover():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(60):
        lengths = np.round(np.exp(rng.normal(1.5, 0.3, size=(10, 1)) + rng.normal(0, 0.2, size=(10, 4))))
        state = clips([length[:, None] for length in lengths], Rows)
        low, high = bounds(MedianOfRows(), state, Resampling(200)).interval
        covered += low <= 4 <= high
    assert covered >= 51


# Metrics of sets


def test_groups_are_equal_to_within_one_and_depend_on_ids_alone():
    names = [f"clip{at}" for at in range(67)]
    dealt = groups_of(names)
    assert sorted({len(group) for group in dealt}) == [3, 4]
    assert sorted(clip for group in dealt for clip in group) == sorted(names)
    assert groups_of(names[::-1]) == dealt
    assert len(groups_of(names[:7])) == 7


def biased(values):
    """A score that is far above its limit in small sets, as Fréchet distances are."""
    return float(np.mean(values)) + 50 / len(values)


@pytest.mark.parametrize("count", [20, 30, 60, 67])
def test_groups_of_unlike_sizes_are_not_taken_for_noise(count):
    """Of clips dealt by hash % 20, in groups of 1 to 8, the interval was 4.5 times too wide."""
    rng = np.random.default_rng(count)
    values = dict(zip((f"clip{at}" for at in range(count)), rng.normal(size=count), strict=True))
    groups = [
        Group(tuple(names), biased([value for clip, value in values.items() if clip not in names]))
        for names in groups_of(list(values))
    ]
    score = biased(list(values.values()))
    low, high = student(score, of_groups(score, groups))
    usual = 2 * stats.t.ppf(0.975, 19) * np.std(list(values.values()), ddof=1) / math.sqrt(count)
    assert 0.5 * usual < high - low < 1.7 * usual
    assert (low + high) / 2 == pytest.approx(score)


def test_the_jackknife_of_a_mean_is_near_its_standard_error():
    values = np.random.default_rng(5).normal(size=400)
    made = found(MeanOfRows(), clips([[[value]] for value in values], Rows))
    standard = values.std(ddof=1) / math.sqrt(len(values))
    low, high = made.interval
    assert (high - low) / 2 == pytest.approx(standard * stats.t.ppf(0.975, 19), rel=0.35)
    assert low < values.mean() < high
    assert made.how == "jackknife-20"
    assert len(made.groups) == 20


def test_the_jackknife_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(100):
        low, high = found(MeanOfRows(), clips([[[value]] for value in rng.normal(size=25)], Rows)).interval
        covered += low < 0 < high
    assert 88 <= covered <= 100


def test_merged_shards_give_the_same_interval():
    values = np.random.default_rng(1).normal(size=30) ** 2
    for metric, kind in ((MeanOf(), ClipMean), (MeanOf(), PooledRoot), (MeanOfRows(), Rows), (MedianOfRows(), Rows)):
        whole = clips([[[value]] if kind is Rows else value for value in values], kind)
        shards = [whole.only(whole.clips[20:]), whole.only(whole.clips[:20])]
        assert found(metric, shards[0] + shards[1]) == found(metric, whole)
