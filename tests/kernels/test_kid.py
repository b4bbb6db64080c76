"""Kernel distances against pairs taken one by one, in blocks and in subsets."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import kid as oracle

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.kid import cpu, distance, jackknife


def rows(count: int, dimensions: int, *, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimensions)) + shift


@pytest.mark.parametrize("shape", [(2, 2, 1), (2, 9, 3), (31, 20, 17), (40, 40, 5)])
@pytest.mark.parametrize("kernel", [{}, {"degree": 1}, {"degree": 4, "gamma": 0.3}, {"coef0": 0.0}, {"coef0": -2.5}])
def test_equals_pairs_one_by_one(shape, kernel):
    generated, reference = rows(shape[0], shape[2], seed=1), rows(shape[1], shape[2], seed=2, shift=0.5)
    found = distance(generated, reference, **kernel)
    assert found.mean == pytest.approx(oracle.discrepancy(generated, reference, **kernel), rel=1e-11, abs=1e-12)
    assert math.isnan(found.std)


def test_known_answer():
    """Kernel (ab + 1)³ of 1 and 2 is 27; of 3 and -1 it is -8; of the four pairs between 64, 0, 343 and -1."""
    generated, reference = np.array([[1.0], [2.0]]), np.array([[3.0], [-1.0]])
    assert distance(generated, reference).mean == 27 - 8 - 2 * (64 + 0 + 343 - 1) / 4


@pytest.mark.parametrize("block", [1, 7, 16, 100])
def test_blocks_have_no_say(block, monkeypatch):
    generated, reference = rows(45, 6, seed=1), rows(32, 6, seed=2)
    whole = distance(generated, reference).mean
    parts = distance(generated, reference, subset_size=20, subsets=9, seed=3)
    monkeypatch.setattr(cpu, "BLOCK_ROWS", block)
    assert distance(generated, reference).mean == pytest.approx(whole, rel=1e-11)
    assert distance(generated, reference, subset_size=20, subsets=9, seed=3) == pytest.approx(parts, rel=1e-11)


@pytest.mark.parametrize(("size", "count"), [(5, 2), (12, 6), (30, 40)])
def test_subsets_equal_their_slow_twin(size, count):
    """Few small subsets are taken one by one, many large ones from all kernels at once; both are in here."""
    generated, reference = rows(60, 4, seed=1), rows(30, 4, seed=2, shift=0.2)
    found = distance(generated, reference, subset_size=size, subsets=count, seed=7)
    expected = oracle.over_subsets(generated, reference, size=size, count=count, seed=7)
    assert found == pytest.approx(expected, rel=1e-10)
    assert found == distance(generated, reference, subset_size=size, subsets=count, seed=7)
    assert found != distance(generated, reference, subset_size=size, subsets=count, seed=8)


def test_both_ways_through_subsets_agree(monkeypatch):
    generated, reference = rows(60, 4, seed=1), rows(50, 4, seed=2)
    at_once = distance(generated, reference, subset_size=25, subsets=30, seed=0)
    monkeypatch.setattr(cpu, "pairs_within", lambda drawn: 0)
    assert distance(generated, reference, subset_size=25, subsets=30, seed=0) == pytest.approx(at_once, rel=1e-11)


@pytest.mark.parametrize("block", [7, 100])
def test_jackknife_equals_distances_of_what_is_left(block, monkeypatch):
    monkeypatch.setattr(cpu, "BLOCK_ROWS", block)
    sides = rows(45, 6, seed=1), rows(32, 6, seed=2)
    groups = np.arange(45) % 5, np.arange(32) % 4
    found = jackknife(*sides, generated_groups=groups[0], reference_groups=groups[1])
    for label, value in zip(range(5), found, strict=True):
        left = [side[own != label] for side, own in zip(sides, groups, strict=True)]
        assert value == pytest.approx(oracle.discrepancy(*left), rel=1e-11)


def test_subsets_of_everything_are_the_whole():
    generated, reference = rows(40, 6, seed=1), rows(40, 6, seed=2)
    found = distance(generated, reference, subset_size=40, subsets=3, seed=0)
    assert found.mean == pytest.approx(distance(generated, reference).mean, rel=1e-11)
    assert found.std == pytest.approx(0, abs=1e-12)


def test_either_subset_parameter_brings_the_usual_other():
    generated, reference = rows(1000, 2, seed=1), rows(1001, 2, seed=2)
    usual = distance(generated, reference, subset_size=1000, subsets=3, seed=0)
    assert distance(generated, reference, subsets=3, seed=0) == usual
    hundred = distance(generated, reference, subset_size=10, subsets=100, seed=0)
    assert distance(generated, reference, subset_size=10, seed=0) == hundred


def test_is_unbiased_and_sees_a_difference():
    """Means over fresh sets: zero within the error of the mean for one Gaussian, above it for a shifted one."""
    same = [distance(rows(40, 8, seed=seed), rows(60, 8, seed=seed + 1000)).mean for seed in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / math.sqrt(len(same))
    assert min(same) < 0
    apart = [distance(rows(40, 8, seed=seed, shift=0.3), rows(60, 8, seed=seed + 1000)).mean for seed in range(50)]
    assert np.mean(apart) > 10 * np.std(apart) / math.sqrt(len(apart))
    assert distance(rows(40, 8, seed=0), rows(40, 8, seed=0)).mean < 0


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_is_symmetric_and_has_no_order(count, others, dimensions, seed):
    generated, reference = rows(count, dimensions, seed=seed), rows(others, dimensions, seed=seed + 1)
    found = distance(generated, reference).mean
    assert distance(reference, generated).mean == pytest.approx(found, rel=1e-10, abs=1e-11)
    shuffled = distance(generated[::-1], np.roll(reference, 1, axis=0)).mean
    assert shuffled == pytest.approx(found, rel=1e-10, abs=1e-11)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_are_widened_before_anything_else(dtype):
    generated, reference = rows(30, 9, seed=1).astype(dtype), rows(20, 9, seed=2).astype(dtype)
    assert distance(generated, reference)[0] == distance(generated.astype(float), reference.astype(float))[0]


def test_what_can_not_be_compared_is_refused():
    sides = rows(20, 6, seed=1), rows(30, 6, seed=2)
    with pytest.raises(InputError, match="a kernel distance needs at least 2 rows on either side, not 1 generated"):
        distance(sides[0][:1], sides[1])
    with pytest.raises(
        InputError, match="subsets of 1000 rows needs at least 1000 rows on either side, not 20"
    ) as caught:
        distance(*sides, subsets=10, seed=0)
    assert caught.value.reason == "too few rows"
    with pytest.raises(InputError, match="sums overflow") as caught:
        distance(sides[0] * 1e55, sides[1])
    assert caught.value.reason == "not finite"
    with pytest.raises(ProtocolError, match="need a seed"):
        distance(*sides, subset_size=5)
    with pytest.raises(ProtocolError, match="not 0 of 5"):
        distance(*sides, subset_size=5, subsets=0, seed=0)
    with pytest.raises(ProtocolError, match="not 100 of 1"):
        distance(*sides, subset_size=1, seed=0)
    for kernel in ({"degree": 0}, {"gamma": 0.0}, {"gamma": math.inf}, {"gamma": math.nan}, {"coef0": math.nan}):
        with pytest.raises(ProtocolError, match="a polynomial kernel has a degree of 1 or more"):
            distance(*sides, **kernel)
