"""Intervals and tests: known answers, coverage of the truth, and independence of shards."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from thgeval.metric import Better, Metric, Needs
from thgeval.states import ClipMean, PooledMean, Rows
from thgeval.statistics import (
    Resampling,
    bootstrap,
    contributions,
    holm,
    interval,
    jackknife,
    paired_difference,
    significance_groups,
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


def clips(values, kind=ClipMean):
    total = kind({})
    for index, value in enumerate(values):
        total = total + kind.of(f"clip{index:03}", np.atleast_1d(value))
    return total


def test_bootstrap_agrees_with_scipy():
    values = np.random.default_rng(1).normal(10, 2, size=40)
    ours = bootstrap(MeanOf(), clips(values), Resampling(4000))
    theirs = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2))
    np.testing.assert_allclose(ours, tuple(theirs.confidence_interval), atol=0.08)


def test_merged_shards_give_the_same_interval():
    values = np.random.default_rng(1).normal(size=30)
    whole = clips(values)
    shards = [whole.only(whole.clips[20:]), whole.only(whole.clips[:20])]
    assert interval(MeanOf(), shards[0] + shards[1], Resampling()) == interval(MeanOf(), whole, Resampling())


def test_one_clip_gives_no_interval():
    assert interval(MeanOf(), clips([1.0]), Resampling()) is None
    assert interval(MeanOfRows(), clips([np.ones((3, 2))], Rows), Resampling()) is None


def test_pooled_means_weigh_long_clips_when_resampled():
    state = PooledMean.of("a", [1.0] * 9) + PooledMean.of("b", [2.0])
    assert contributions(MeanOf(), state).tolist() == [[9.0, 9.0], [2.0, 1.0]]


def test_jackknife_of_a_mean_is_near_its_standard_error():
    rng = np.random.default_rng(5)
    values = rng.normal(size=400)
    low, high = jackknife(MeanOfRows(), clips([[[value]] for value in values], Rows))
    standard_error = values.std(ddof=1) / math.sqrt(len(values))
    assert (high - low) / 2 == pytest.approx(standard_error * stats.t.ppf(0.975, 19), rel=0.35)
    assert low < values.mean() < high


def test_jackknife_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(100):
        low, high = jackknife(MeanOfRows(), clips([[[value]] for value in rng.normal(size=60)], Rows))
        covered += low < 0 < high
    assert 88 <= covered <= 100


def test_paired_tests_see_a_small_difference_that_intervals_hide():
    rng = np.random.default_rng(11)
    baseline = rng.normal(30, 5, size=60)
    system = baseline + 0.5 + rng.normal(0, 0.5, size=60)
    found = paired_difference(one_each(baseline), one_each(system), Resampling(2000))
    assert found.difference == pytest.approx((system - baseline).mean())
    assert found.interval.low > 0
    assert found.bootstrap_p < 0.01
    assert found.randomisation_p < 0.01


def test_p_values_of_no_difference_are_spread_evenly():
    rng = np.random.default_rng(13)
    small = 0
    for _ in range(60):
        baseline, system = one_each(rng.normal(size=30)), one_each(rng.normal(size=30))
        small += paired_difference(baseline, system, Resampling(300)).randomisation_p < 0.2
    assert 4 <= small <= 22


def test_equal_systems_have_p_one():
    rows = one_each(np.arange(10.0))
    found = paired_difference(rows, rows, Resampling(200))
    assert (found.difference, found.bootstrap_p, found.randomisation_p) == (0.0, 1.0, 1.0)


def test_holm_steps_down():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_groups_share_a_rank_unless_they_differ_from_the_leader():
    differs = [[False, False, True], [False, False, True], [True, True, False]]
    assert significance_groups([0.9, 0.8, 0.5], differs, descending=True) == [1, 1, 2]


def one_each(values):
    return np.stack([values, np.ones(len(values))], axis=1)
