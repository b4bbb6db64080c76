"""Paired tests: known answers, evenly spread p, exactness for few clips, one correction, and what can't be reached."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from thgeval.significance import by_clips, by_groups, holm, significance_groups, within_reach
from thgeval.statistics import Group, Jackknifed, Resampling, TwoGroups, groups_of, rounds


def one_each(values):
    return np.stack([values, np.ones(len(values))], axis=1)


def test_a_small_difference_that_intervals_hide_is_seen():
    rng = np.random.default_rng(11)
    baseline = rng.normal(30, 5, size=60)
    system = baseline + 0.5 + rng.normal(0, 0.5, size=60)
    found = by_clips(one_each(baseline), one_each(system), Resampling(2000))
    theirs = stats.ttest_rel(system, baseline).confidence_interval(0.95)
    assert found.difference == pytest.approx((system - baseline).mean())
    np.testing.assert_allclose(found.interval, tuple(theirs), rtol=1e-9)
    assert (found.p, found.least) == (1 / 2001, 1 / 2001)
    assert found.test == "randomisation-2000-12345"


@pytest.mark.parametrize("count", [2, 5, 8])
def test_of_few_clips_every_exchange_is_tried(count):
    rng = np.random.default_rng(count)
    rows = np.stack([rng.normal(size=(2, count)), rng.integers(50, 250, size=(2, count))], axis=2)
    found = by_clips(*rows, Resampling(100))
    observed, hits = abs(found.difference), 0
    for swaps in itertools.product([False, True], repeat=count):
        first, second = np.where(np.array(swaps)[:, None], rows[::-1], rows).sum(axis=1)
        hits += abs(second[0] / second[1] - first[0] / first[1]) >= observed * (1 - 1e-12)
    assert found.p == hits / 2**count
    assert found.least == 2 / 2**count
    assert found.test == "randomisation-exact"


def test_p_of_no_difference_is_spread_evenly():
    rng = np.random.default_rng(13)
    small = sum(
        by_clips(one_each(rng.normal(size=30)), one_each(rng.normal(size=30)), Resampling(300)).p < 0.2
        for _ in range(60)
    )
    assert 4 <= small <= 22


@pytest.mark.parametrize("count", [6, 10, 20])
def test_intervals_of_no_difference_hold_0_as_often_as_they_say(count):
    """Percentile intervals held it in .85 of sets of 6 clips, and the bootstrap's p was below .05 in .145."""
    rng = np.random.default_rng(count)
    held = false = 0
    for _ in range(400):
        found = by_clips(one_each(rng.normal(size=count)), one_each(rng.normal(size=count)), Resampling(300))
        held += found.interval.low <= 0 <= found.interval.high
        false += found.p < 0.05
    assert 0.92 <= held / 400 <= 0.98
    assert 0.01 <= false / 400 <= 0.075


def test_equal_systems_have_p_one_and_no_interval():
    rows = one_each(np.arange(10.0))
    found = by_clips(rows, rows, Resampling(200))
    assert (found.difference, found.p, found.interval) == (0.0, 1.0, None)


def test_metrics_of_sets_are_compared_over_the_same_groups():
    """Of means, leaving groups out is the paired t-test of the groups' means."""
    names = [f"clip{at}" for at in range(40)]
    rng = np.random.default_rng(3)
    baseline = dict(zip(names, rng.normal(size=40), strict=True))
    system = {clip: value + 0.3 + 0.2 * rng.normal() for clip, value in baseline.items()}
    sides = []
    for values in (baseline, system):
        groups = [
            Group(tuple(group), float(np.mean([value for clip, value in values.items() if clip not in group])))
            for group in groups_of(names)
        ]
        sides.append(Jackknifed(float(np.mean(list(values.values()))), tuple(groups)))
    found = by_groups(*sides)
    means = [[np.mean([values[clip] for clip in group]) for group in groups_of(names)] for values in (baseline, system)]
    theirs = stats.ttest_rel(means[1], means[0])
    assert found.p == pytest.approx(theirs.pvalue)
    np.testing.assert_allclose(found.interval, tuple(theirs.confidence_interval(0.95)), rtol=1e-9)
    assert by_groups(sides[0], sides[0])[:3] == (0.0, None, 1.0)


def left_out(score, names):
    """What a score of a list of clips is without groups of them, one and two at a time."""
    dealt = groups_of(names)

    def without(*gone):
        return score([name for at, clips in enumerate(dealt) if at not in gone for name in clips])

    pairs = [pair for drawn in rounds(len(dealt)) for pair in drawn]
    return Jackknifed(
        score(names),
        tuple(Group(tuple(clips), without(at)) for at, clips in enumerate(dealt)),
        tuple(TwoGroups(pair, without(*pair)) for pair in pairs),
    )


def false_positives(count, shift, turned=1, sets=400):
    """How often two systems as far from their reference differ: squared distances of means of 30 numbers."""
    rng = np.random.default_rng(count)
    names = [f"clip{at}" for at in range(count)]
    found = 0
    for _ in range(sets):
        sides = []
        for way in (1, turned):
            rows = dict(zip(names, rng.normal(size=(count, 30)) + way * shift, strict=True))
            sides.append(left_out(lambda kept, rows=rows: sum(np.mean([rows[n] for n in kept], axis=0) ** 2), names))
        found += by_groups(*sides).p < 0.05
    return found / sets


@pytest.mark.parametrize("count", [8, 20])
def test_scores_that_are_mostly_bias_are_told_apart_as_often_as_they_say(count):
    """The jackknife counts twice what clips add two by two: p was below .05 in .0025 to .01 of equal systems."""
    assert 0.015 <= false_positives(count, 0.0) <= 0.06


@pytest.mark.parametrize("turned", [1, -1])
def test_scores_that_are_hardly_bias_are_told_apart_as_before(turned):
    """Also where equal scores are of unlike systems, which no exchange of clips could tell."""
    assert 0.02 <= false_positives(20, 1.0, turned) <= 0.08


def test_a_mean_has_the_jackknifes_interval_and_p_with_pairs_or_without():
    rng = np.random.default_rng(6)
    names = [f"clip{at}" for at in range(25)]
    values = [dict(zip(names, rng.normal(size=25), strict=True)) for _ in range(2)]
    sides = [left_out(lambda kept, own=own: float(np.mean([own[n] for n in kept])), names) for own in values]
    lone = [side._replace(pairs=()) for side in sides]
    np.testing.assert_allclose(by_groups(*sides)[1], by_groups(*lone)[1], rtol=1e-9)
    assert by_groups(*sides).p == pytest.approx(by_groups(*lone).p)


@pytest.mark.parametrize("count", range(21))
def test_pairs_of_groups_come_in_rounds(count):
    drawn = rounds(count)
    pairs = [pair for one in drawn for pair in one]
    assert len(set(pairs)) == len(pairs) <= 40
    assert all(0 <= first < second < count for first, second in pairs)
    assert all(len({group for pair in one for group in pair}) == 2 * len(one) for one in drawn)
    assert bool(pairs) == (count >= 4)


def test_holm_steps_down():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_what_so_few_clips_can_not_reach_is_told():
    least = 2 / 2**8
    assert within_reach([least] * 12, [least] * 12) == [False] * 12
    assert within_reach([least] * 6, [least] * 6) == [True] * 6
    assert within_reach([1e-6] * 11 + [least], [1e-6] * 11 + [least])[-1]
    assert math.isclose(holm([least] * 12)[0], 12 * least)


def test_groups_share_a_rank_unless_they_differ_from_the_leader():
    differs = [[False, False, True], [False, False, True], [True, True, False]]
    assert significance_groups([0.9, 0.8, 0.5], differs, descending=True) == [1, 1, 2]
