"""Sets with held and frozen frames, and sets too small to tell: what prdc leaves out, and what it says of it."""

import math

import numpy as np
import pytest

from thgeval import registry
from thgeval.states import TwoRows

WHICH = ("coverage", "density", "precision", "recall")


def metric(which):
    return registry.metric(f"prdc-random:which={which}").metric


def state(*clips):
    """Pairs of (rows, 64) by the name of their clip."""
    parts = [TwoRows.of(name, generated=generated, reference=reference) for name, generated, reference in clips]
    return TwoRows.total(parts)


def rows(count, seed):
    return np.random.default_rng(seed).standard_normal((count, 64)).astype(np.float32)


@pytest.mark.parametrize("which", WHICH)
def test_a_frozen_clip_has_no_value_and_says_why(which):
    frozen = np.repeat(rows(1, 0), 60, axis=0)
    frames = state(("a", frozen, frozen.copy()))
    assert math.isnan(metric(which).score(frames))
    assert metric(which).remark(frames) == (
        "every ball has radius 0: the frames to measure by are each there more than 5 times, as in a frozen clip"
    )


@pytest.mark.parametrize("which", WHICH)
def test_held_frames_are_left_out_and_counted(which):
    held = np.concatenate([rows(55, 1), np.repeat(rows(5, 2), 9, axis=0)])
    frames = state(("a", held, held.copy()))
    assert metric(which).score(frames) == pytest.approx(1, abs=0.2 if which == "density" else 0)
    assert "45 of 100 reference frames are there more than 5 times" in metric(which).remark(frames)
    assert "45 of 100 generated frames are there more than 5 times" in metric(which).remark(frames)


@pytest.mark.parametrize("which", WHICH)
def test_shares_lie_in_0_to_1_and_density_has_no_bound(which):
    assert metric(which).range == (0, math.inf if which == "density" else 1)


def drifting(frames, seed):
    """A clip whose neighbouring frames are alike and whose ends are not."""
    return (np.cumsum(rows(frames, seed), axis=0)).astype(np.float32)


def test_zero_says_nothing_where_real_frames_score_little_too():
    """75 neighbouring frames of one clip, and a generator that is off by more than they are from each other."""
    reference = drifting(75, 3)
    frames = state(("a", reference + 30, reference))
    coverage = metric("coverage")
    assert coverage.score(frames) == 0
    assert coverage.comparison.real(frames) < 0.5
    assert "a low value says nothing here, nor does 0: the reference's own halves score" in coverage.remark(frames)


def test_halves_are_of_clips_and_sets_that_tell_are_not_warned_of():
    told = state(*((name, rows(100, seed), rows(100, 10 + seed)) for seed, name in enumerate("abc")))
    coverage = metric("coverage")
    parts = told.only(["a", "b"]).reference, told.only(["c"]).reference
    assert coverage.comparison.real(told) == coverage.comparison.compared(*parts)
    assert "halves" not in coverage.remark(told)
    few = state(("a", rows(11, 1), rows(11, 2)))
    assert math.isnan(coverage.comparison.real(few))
    assert "halves" not in coverage.remark(few)
