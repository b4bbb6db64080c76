"""Precision, recall, density and coverage against one row at a time, at ties most of all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import prdc as oracle

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.prdc import PRDCScores, cpu, empty, jackknife, scores
from thgeval.states.stacked import RowMatrix


def rows(count: int, dimensions: int, *, seed: int, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimensions)) * scale


@pytest.mark.parametrize("shape", [(2, 2, 1), (7, 3, 4), (90, 130, 2), (150, 80, 33), (60, 60, 200)])
@pytest.mark.parametrize("nearest", [1, 2, 5])
def test_equals_one_row_at_a_time(shape, nearest):
    count, others, dimensions = shape
    nearest = min(nearest, count - 1, others - 1)
    generated, reference = rows(count, dimensions, seed=1, scale=0.8), rows(others, dimensions, seed=2)
    found = scores(generated, reference, nearest=nearest)
    assert found == pytest.approx(oracle.scores(generated, reference, nearest), rel=1e-14)
    assert found == pytest.approx(oracle.published(generated, reference, nearest), rel=1e-14)


def test_known_answer():
    """On a line with balls to the nearest row: reference 0, 2, 5 reach 2, 2, 3; generated 1, 6, 9 reach 5, 3, 3."""
    generated, reference = np.array([[1.0], [6.0], [9.0]]), np.array([[0.0], [2.0], [5.0]])
    found = scores(generated, reference, nearest=1)
    # 1 lies in the balls of 0 and 2, 6 in that of 5, 9 in none; 0, 2 and 5 lie in the ball of 1 or 6.
    assert found == PRDCScores(precision=2 / 3, recall=1.0, density=1.0, coverage=1.0)
    # Moved by 1, the generated 2 and the reference 0 are exactly as far apart as the ball of 0 reaches: not inside.
    found = scores(generated + 1, reference, nearest=1)
    assert found == PRDCScores(precision=2 / 3, recall=1.0, density=2 / 3, coverage=2 / 3)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(6, 40),
    st.integers(6, 40),
    st.integers(1, 6),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(0, 2**32),
)
def test_ties_compare_exactly(count, others, dimensions, nearest, levels, seed):
    """Rows of few whole numbers, where most distances are shared and many rows repeated; sums of them are exact."""
    rng = np.random.default_rng(seed)
    generated = rng.integers(0, levels + 1, (count, dimensions)).astype(np.float32)
    reference = rng.integers(0, levels + 1, (others, dimensions)).astype(np.float64)
    found = scores(generated, reference, nearest=nearest)
    assert found == pytest.approx(oracle.scores(generated, reference, nearest), rel=1e-14, nan_ok=True)
    if not empty(generated, nearest=nearest) and not empty(reference, nearest=nearest):
        assert found == pytest.approx(oracle.published(generated, reference, nearest), rel=1e-14)
    far = scores(generated.astype(np.float64) + 2.0**20, reference + 2.0**20, nearest=nearest)
    assert far == pytest.approx(found, rel=0, abs=0, nan_ok=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(6, 50), st.integers(1, 70), st.integers(1, 5), st.floats(-1e4, 1e4), st.integers(0, 2**32))
def test_a_set_of_distinct_rows_is_perfect_against_itself(count, dimensions, nearest, offset, seed):
    """Each row's copy is at distance 0, and its nearest-th neighbour exactly on the rim of its ball."""
    generated = rows(count, dimensions, seed=seed) + offset
    shuffled = np.random.default_rng(seed).permutation(generated)
    assert scores(generated, shuffled, nearest=nearest) == PRDCScores(1.0, 1.0, pytest.approx(1.0, rel=1e-14), 1.0)


def test_sets_of_held_rows_have_no_score():
    """Balls of rows that are there six times have radius 0 for five nearest: nothing can be measured by them."""
    generated = np.repeat(rows(10, 3, seed=1), 6, axis=0)
    assert np.isnan(scores(generated, generated.copy(), nearest=5)).all()
    assert oracle.published(generated, generated.copy(), 5) == (0, 0, 0, 0)
    assert empty(generated, nearest=5) == 60
    assert scores(generated, generated.copy(), nearest=6) == PRDCScores(1, 1, 1, 1)
    assert empty(generated, nearest=6) == 0


def test_held_rows_are_left_out_and_the_others_measured():
    """45 of 100 rows are five rows nine times each: a set against its copy is perfect, and not 0.55 of it."""
    held = np.concatenate([rows(55, 64, seed=1), np.repeat(rows(5, 64, seed=2), 9, axis=0)])
    found = scores(held, held.copy())
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    assert found.density == pytest.approx(1, abs=0.2)
    assert oracle.published(held, held.copy(), 5)[0] == pytest.approx(0.55)
    assert empty(held, nearest=5) == 45
    assert scores(rows(100, 64, seed=3) + 100, held) == PRDCScores(0, 0, 0, 0)


def test_a_frozen_generator_covers_nothing_and_a_frozen_reference_tells_nothing():
    frozen, varied = np.repeat(rows(1, 64, seed=5), 60, axis=0), rows(60, 64, seed=4)
    assert scores(frozen, varied).recall == 0
    found = scores(varied, frozen)
    assert np.isnan([found.precision, found.density, found.coverage]).all()


def test_zero_and_its_negative_are_one_row():
    repeated = np.zeros((12, 3), np.float32)
    repeated[::2] *= -1
    assert empty(repeated, nearest=5) == 12
    assert np.isnan(scores(repeated, repeated.copy())).all()


def test_density_counts_every_ball():
    """Balls of 0, 2 and 5 reach 2, 2 and 3, so 1 and 1.5 lie in two each; their own reach 0.5, which is not to 2."""
    found = scores(np.array([[1.0], [1.5]]), np.array([[0.0], [2.0], [5.0]]), nearest=1)
    assert found == PRDCScores(precision=1.0, recall=0.0, density=2.0, coverage=2 / 3)


def test_far_sets_share_nothing():
    assert scores(rows(30, 5, seed=1) + 100, rows(40, 5, seed=2)) == PRDCScores(0, 0, 0, 0)


@pytest.mark.parametrize("block", [1, 7, 32])
def test_blocks_and_order_have_no_say(block, monkeypatch):
    rng = np.random.default_rng(0)
    generated, reference = rows(130, 8, seed=1).astype(np.float32), rows(90, 8, seed=2).astype(np.float32)
    whole = scores(generated, reference)
    assert scores(rng.permutation(generated), rng.permutation(reference)) == whole
    monkeypatch.setattr(cpu, "BLOCK_ROWS", block)
    assert scores(generated, reference) == whole


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 6), st.integers(1, 3), st.integers(1, 4), st.integers(2, 5), st.integers(0, 2**32))
def test_jackknife_equals_scores_of_what_is_left(dimensions, nearest, levels, count, seed):
    """Ties included: rows of few whole numbers, in groups of unlike sizes, one of which a side may lack."""
    rng = np.random.default_rng(seed)
    sides = [rng.integers(0, levels + 1, (size, dimensions)).astype(np.float32) for size in (35, 42)]
    groups = [rng.integers(0, count, len(side)) for side in sides]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cpu, "BLOCK_ROWS", 9)
        found = jackknife(*sides, generated_groups=groups[0], reference_groups=groups[1], nearest=nearest)
    for label, value in zip(np.union1d(*groups), found, strict=True):
        left = [side[own != label] for side, own in zip(sides, groups, strict=True)]
        assert value == pytest.approx(scores(*left, nearest=nearest), rel=0, abs=0, nan_ok=True)
        assert value == pytest.approx(oracle.scores(*left, nearest), rel=1e-14, nan_ok=True)


def test_jackknife_needs_something_left():
    with pytest.raises(InputError, match="leaves fewer than 6 rows on a side"):
        jackknife(
            rows(20, 3, seed=1), rows(20, 3, seed=2), generated_groups=np.arange(20) < 15, reference_groups=[0, 1] * 10
        )


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_and_strided_rows_are_taken(dtype):
    generated, reference = rows(60, 20, seed=1).astype(dtype), rows(50, 20, seed=2).astype(dtype)
    whole = scores(generated.astype(np.float64), reference.astype(np.float64))
    assert scores(generated, reference) == whole
    assert scores(np.asfortranarray(generated), np.repeat(reference, 2, axis=0)[::2]) == whole


def test_only_close_calls_are_made_anew(monkeypatch):
    """Bounds hold for all pairs, and leave hardly any open where rows are spread."""
    generated, reference = rows(200, 64, seed=1) + 50, rows(300, 64, seed=2) + 50
    monkeypatch.setattr(cpu, "BLOCK_ROWS", 40)
    for pairs in cpu._pairs(RowMatrix.of(generated), RowMatrix.of(reference)):
        exact = np.stack([oracle.squared(reference[pairs.right], row) for row in generated[pairs.left]])
        assert (pairs.low <= exact).all()
        assert (exact <= pairs.high).all()
        assert (pairs.high - pairs.low < 1e-9 * exact).all()


def test_what_can_not_be_compared_is_refused():
    sides = rows(20, 6, seed=1), rows(30, 6, seed=2)
    with pytest.raises(InputError, match="5 nearest rows needs at least 6 rows on either side, not 5") as caught:
        scores(sides[0][:5], sides[1])
    assert caught.value.reason == "too few rows"
    assert scores(sides[0][:6], sides[1]) == pytest.approx(oracle.scores(sides[0][:6], sides[1], 5), rel=1e-14)
    with pytest.raises(ProtocolError, match="not to number 0"):
        scores(*sides, nearest=0)
    with pytest.raises(InputError, match="generated features hold NaN"):
        scores(np.full((20, 6), np.nan), sides[1])
