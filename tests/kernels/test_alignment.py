"""Soft dynamic time warping beside a slow computation over the whole matrix."""

import numpy as np
import pytest
from oracles import alignment as oracle

from thgeval.kernels.alignment import soft_dtw
from thgeval.metrics.alignment import TimeAlignment


def banded(costs, band):
    """Costs of a matrix as the kernel reads them: against so many frames before, and of those against it."""
    count = len(costs)
    tables = np.full((2, count, band + 1), np.nan)
    for i in range(count):
        for back in range(min(band, i) + 1):
            tables[:, i, back] = costs[i, i - back], costs[i - back, i]
    return tables


@pytest.mark.parametrize("count", [1, 2, 7, 23])
@pytest.mark.parametrize("band", [0, 1, 4])
@pytest.mark.parametrize("softness", [0.0, 0.05, 2.0])
def test_it_equals_the_whole_matrix(count, band, softness):
    costs = np.random.default_rng(count + band).uniform(0, 1, (count, count))
    earlier, later = banded(costs, band)
    ours = soft_dtw(earlier=earlier, later=later, numbers=np.arange(count), softness=softness)
    assert ours == pytest.approx(oracle.soft_dtw(costs, band, softness), rel=1e-9, abs=1e-12)


def test_frames_that_take_no_part_are_stepped_over():
    costs = np.random.default_rng(3).uniform(0, 1, (6, 6))
    earlier, later = banded(costs, 2)
    ours = soft_dtw(earlier=earlier, later=later, numbers=np.array([0, 1, 3, 4]), softness=0.1)
    kept = costs[np.ix_([0, 1, 3, 4], [0, 1, 3, 4])]
    kept[np.abs(np.subtract.outer([0, 1, 3, 4], [0, 1, 3, 4])) > 2] = np.inf
    with np.errstate(invalid="ignore"):
        assert ours == pytest.approx(oracle.soft_dtw(kept, 4, 0.1), rel=1e-9)
    assert soft_dtw(earlier=earlier, later=later, numbers=np.array([], np.int64), softness=0.1) == 0


def distances(first, second):
    return np.abs(first - second).sum(axis=1)


def late(frames, by):
    return frames[np.maximum(np.arange(len(frames)) - by, 0)]


@pytest.mark.parametrize("softness", [0.0, 0.1])
def test_a_copy_costs_nothing_and_a_late_clip_little(softness):
    frames = np.random.default_rng(4).normal(size=(20, 3)).cumsum(axis=0)
    aligned, rigid = TimeAlignment(3, softness), TimeAlignment()
    assert aligned.divergence(aligned.costs(frames, frames, distances)) == 0
    held = late(frames, 2)
    one_by_one = distances(held, frames).mean()
    assert rigid.divergence(rigid.costs(held, frames, distances)) == pytest.approx(one_by_one, rel=1e-12)
    assert aligned.divergence(aligned.costs(held, frames, distances)) < one_by_one / 3


def test_the_divergence_is_that_of_whole_matrices():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 12, 2))
    how = TimeAlignment(2, 0.3)

    def apart(ours, theirs):
        return np.abs(ours[:, None] - theirs[None]).sum(axis=2)

    own, others = (oracle.soft_dtw(apart(side, side), 2, 0.3) for side in (first, second))
    expected = (oracle.soft_dtw(apart(first, second), 2, 0.3) - own / 2 - others / 2) / 12
    assert how.divergence(how.costs(first, second, distances)) == pytest.approx(expected, rel=1e-9)
