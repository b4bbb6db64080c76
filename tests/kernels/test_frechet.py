"""Fréchet distances against a full decomposition, known answers and each other, over every way of computing them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import frechet as oracle

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.frechet import cpu, distance, infinity, jackknife

# Fewer rows than dimensions, more, about as many, unlike on both sides, and the least there is.
SHAPES = [(2, 2, 1), (2, 3, 7), (9, 2, 4), (40, 40, 100), (31, 90, 64), (300, 30, 64), (65, 66, 64), (400, 150, 60)]
# Standard deviations of the principal axes, of conditions from 1 to 1e10, in powers of ten from 0.
FALLS = [0.0, 1.5, 3.0, 4.5, 5.0]


def rows(count: int, dimensions: int, *, seed: int, fall: float = 1.0, turned: int = 0) -> np.ndarray:
    """Gaussian rows whose axes shrink by 10^-fall from the first to the last, in a basis of their own."""
    rng = np.random.default_rng(seed)
    deviations = 10 ** -(fall * np.arange(dimensions) / dimensions)
    axes = np.linalg.qr(np.random.default_rng(turned).standard_normal((dimensions, dimensions)))[0]
    return (rng.standard_normal((count, dimensions)) * deviations) @ axes + rng.standard_normal(dimensions)


@pytest.fixture(params=["singular values", "squares"])
def way(request, monkeypatch):
    """Sizes from which the quick ways are tried: never, always."""
    monkeypatch.setattr(cpu, "DIRECT", 10**9 if request.param == "singular values" else 0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fall", FALLS)
def test_equals_the_full_decomposition(shape, fall):
    count, others, dimensions = shape
    generated = rows(count, dimensions, seed=1, fall=fall)
    for turned in (0, 1):
        reference = rows(others, dimensions, seed=2, fall=fall, turned=turned)
        for ddof in (0, 1):
            scale = oracle.spread(generated, reference, ddof) + np.square(generated.mean(0) - reference.mean(0)).sum()
            error = distance(generated, reference, ddof=ddof) - oracle.distance(generated, reference, ddof)
            assert abs(error) < 1e-9 * scale


@pytest.mark.parametrize("shape", [(200, 200, 64), (40, 40, 100), (31, 90, 64)])
@pytest.mark.parametrize("fall", FALLS)
@pytest.mark.parametrize("first", [0.0, 2.0])
def test_squares_doubt_more_than_they_err(shape, fall, first):
    """The estimate decides whether an answer is kept, so it has to hold, also where one axis outweighs all others."""
    count, others, dimensions = shape
    for turned in (0, 1):
        sides = [
            rows(count, dimensions, seed=seed, fall=fall, turned=basis) * 10 ** (first * (np.arange(dimensions) == 0))
            for count, seed, basis in ((count, 1, 0), (others, 2, turned))
        ]
        small, large = (cpu.RowSet(side) for side in sides)
        if small.rank < dimensions:
            roots = cpu.by_rows(small, large)
        else:
            roots = cpu.by_covariances(small.scatter, large.scatter, small.size * large.size)
        exact = cpu.singular_sum(small.factor @ large.factor.T)
        assert abs(roots.total - exact) <= roots.doubt + 1e-14 * (small.trace + large.trace)


def test_ordinary_features_need_no_second_way(monkeypatch):
    monkeypatch.setattr(cpu, "DIRECT", 0)
    monkeypatch.setattr(cpu, "triangle", lambda blocks: np.concatenate(list(blocks)))
    monkeypatch.setattr(cpu, "singular_sum", lambda matrix: pytest.fail("singular values were taken"))
    for count, dead in ((40, 0), (300, 0), (300, 20)):
        generated, reference = rows(count, 100, seed=1, fall=3), rows(count, 100, seed=2, fall=3)
        generated[:, :dead] = 0.1
        assert distance(generated, reference) == pytest.approx(oracle.distance(generated, reference), rel=1e-9)


@pytest.mark.usefixtures("way")
def test_rank_deficient_sets():
    """Rows in a common subspace, in different ones, repeated, with dead columns, and with float32 noise on top."""
    rng = np.random.default_rng(3)
    narrow = rng.standard_normal((500, 20))
    plane = rng.standard_normal((20, 96))
    dead = rows(300, 96, seed=4)
    dead[:, ::3] = 0.1
    deficient = {
        "common subspace": (narrow[:250] @ plane, narrow[250:] @ plane * 1.1),
        "other subspaces": (narrow[:250] @ plane, narrow[250:] @ rng.standard_normal((20, 96))),
        "one side": (narrow[:250] @ plane, rows(400, 96, seed=5)),
        "repeated": (np.repeat(rows(30, 96, seed=6), 10, axis=0), rows(300, 96, seed=7)),
        "dead": (dead, rows(300, 96, seed=8)),
        "single precision": ((narrow[:250] @ plane).astype(np.float32), (narrow[250:] @ plane).astype(np.float32)),
    }
    for name, (generated, reference) in deficient.items():
        for few in (len(generated), 60):
            sides = generated[:few], reference[:few]
            error = distance(*sides) - oracle.distance(*sides)
            assert abs(error) < 1e-9 * (oracle.spread(*sides) + oracle.distance(*sides)), (name, few)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", [(2, 1), (50, 100), (101, 100), (300, 100)])
@pytest.mark.parametrize("fall", FALLS)
def test_identical_sets_are_at_no_distance(shape, fall):
    generated = rows(*shape, seed=1, fall=fall)
    assert 0 <= distance(generated, generated.copy()) < 1e-9 * oracle.spread(generated, generated)
    shuffled = np.random.default_rng(0).permutation(generated)
    assert 0 <= distance(generated, shuffled) < 1e-9 * oracle.spread(generated, generated)


def test_known_answers():
    column = np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]])
    assert distance(*column) == pytest.approx(4 + (8**0.5 - 2**0.5) ** 2, rel=1e-14)
    assert distance(*column, ddof=0) == pytest.approx(4 + (4**0.5 - 1) ** 2, rel=1e-14)
    constant = np.full((3, 5), 0.1), np.full((4, 5), 0.2)
    assert distance(*constant) == pytest.approx(0.05, rel=1e-14)


sizes = st.tuples(st.integers(2, 40), st.integers(2, 40), st.integers(1, 24))


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(0, 2**32 - 1), st.floats(0, 4))
def test_is_symmetric_and_never_negative(size, seed, fall):
    generated = rows(size[0], size[2], seed=seed, fall=fall)
    reference = rows(size[1], size[2], seed=seed + 1, fall=fall)
    there = distance(generated, reference)
    assert there >= 0
    assert there == pytest.approx(distance(reference, generated), rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(sizes, st.integers(0, 2**32 - 1), st.floats(-100, 100), st.floats(0.01, 100))
def test_follows_shifts_and_scales(size, seed, shift, factor):
    """Moving one side by s along with its mean adds |s|²; scaling both sides scales by the square."""
    generated = rows(size[0], size[2], seed=seed)
    reference = rows(size[1], size[2], seed=seed + 1)
    reference += generated.mean(axis=0) - reference.mean(axis=0)
    still = distance(generated, reference)
    moved = distance(generated + shift, reference)
    assert moved == pytest.approx(still + size[2] * shift**2, rel=1e-9, abs=1e-9)
    assert distance(factor * generated, factor * reference) == pytest.approx(factor**2 * still, rel=1e-9)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", [(40, 60, 100), (300, 250, 64)])
def test_order_and_repetition_of_rows_have_no_say(shape):
    generated, reference = rows(shape[0], shape[2], seed=1), rows(shape[1], shape[2], seed=2)
    rng = np.random.default_rng(0)
    once = distance(generated, reference, ddof=0)
    shuffled = distance(rng.permutation(generated), rng.permutation(reference), ddof=0)
    assert abs(shuffled - once) < 1e-12 * oracle.spread(generated, reference)
    repeated = distance(np.repeat(generated, 3, axis=0), np.tile(reference, (2, 1)), ddof=0)
    assert repeated == pytest.approx(once, rel=1e-10)
    assert distance(generated, reference, ddof=0) == once


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", [(90, 600, 20), (30, 400, 64), (500, 500, 16)])
def test_blocks_have_no_say(shape, monkeypatch):
    generated, reference = rows(shape[0], shape[2], seed=1), rows(shape[1], shape[2], seed=2)
    whole = distance(generated, reference)
    monkeypatch.setattr(cpu, "BLOCK_ROWS", 37)
    assert distance(generated, reference) == pytest.approx(whole, rel=1e-11)
    assert len(cpu.RowSet(reference).factor) == min(shape[1] - 1, shape[2])


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_narrow_floats_are_widened_before_anything_else(dtype):
    generated, reference = rows(60, 30, seed=1).astype(dtype), rows(80, 30, seed=2).astype(dtype)
    assert distance(generated, reference) == distance(generated.astype(np.float64), reference.astype(np.float64))
    assert distance(generated, reference.astype(np.float64)) == distance(generated, reference)


def test_a_far_origin_costs_no_more_than_its_digits():
    generated, reference = rows(200, 30, seed=1, fall=3), rows(300, 30, seed=2, fall=3)
    near = distance(generated, reference)
    assert distance(generated + 2.0**20, reference + 2.0**20) == pytest.approx(near, rel=1e-7)


def test_infinity_equals_its_slow_twin():
    generated, reference = rows(900, 24, seed=1), rows(500, 24, seed=2)
    found = infinity(generated, reference, seed=5, points=6, smallest=100)
    assert found == pytest.approx(oracle.infinity(generated, reference, seed=5, points=6, smallest=100), rel=1e-9)
    assert found == infinity(generated, reference, seed=5, points=6, smallest=100)
    assert found != infinity(generated, reference, seed=6, points=6, smallest=100)


def test_infinity_removes_most_of_the_bias_of_few_rows():
    """Of one Gaussian, so that the truth is about 0: the reference adds a little bias of its own, as it is finite."""
    generated, reference = rows(1600, 40, seed=1, fall=0), rows(20_000, 40, seed=2, fall=0)
    reference += generated.mean(axis=0) - reference.mean(axis=0)
    plain = distance(generated[:400], reference)
    found = np.mean([infinity(generated, reference, seed=seed, points=15, smallest=200) for seed in range(2)])
    assert plain > 1
    assert abs(found) < 0.1 * plain


@pytest.mark.parametrize("shape", [(300, 250, 40), (30, 25, 40), (46, 300, 40)])
@pytest.mark.parametrize("outlying", [1, 30, 300, 3e4, 3e6])
@pytest.mark.parametrize("scale", [1, 0])
def test_jackknife_equals_distances_of_what_is_left(shape, outlying, scale):
    """Groups of unlike sizes: one of a single row, one that only one side has, one that holds most of the spread."""
    generated, reference = rows(shape[0], shape[2], seed=1), scale * rows(shape[1], shape[2], seed=2)
    groups = np.arange(shape[0]) % 5, np.arange(shape[1]) % 4
    groups[0][0] = 7
    generated[groups[0] == 2] *= outlying
    found = jackknife(generated, reference, generated_groups=groups[0], reference_groups=groups[1])
    assert len(found) == 6
    for label, value in zip([0, 1, 2, 3, 4, 7], found, strict=True):
        left = generated[groups[0] != label], reference[groups[1] != label]
        assert abs(value - oracle.distance(*left)) < 1e-9 * (oracle.spread(*left) + oracle.distance(*left))


def test_jackknife_computes_scatters_once(monkeypatch):
    sides = rows(300, 40, seed=1), rows(250, 40, seed=2)
    expected = [distance(*(np.concatenate([side[:at], side[at + 50 :]]) for side in sides)) for at in range(0, 250, 50)]
    groups = [np.minimum(np.arange(len(side)) // 50, 5) for side in sides]
    monkeypatch.setattr(cpu, "distance", lambda *sides: pytest.fail("rows were gone through again"))
    found = jackknife(*sides, generated_groups=groups[0], reference_groups=groups[1])
    assert found[:5] == pytest.approx(expected, rel=1e-10)


def test_jackknife_needs_something_left():
    sides = rows(30, 6, seed=1), rows(20, 6, seed=2)
    some = np.arange(20) // 10
    with pytest.raises(InputError, match="nothing is left to compare") as caught:
        jackknife(*sides, generated_groups=np.arange(30) // 29, reference_groups=some)
    assert caught.value.reason == "too few rows"
    with pytest.raises(ProtocolError, match=r"30 generated rows, but labels of \(29,\)"):
        jackknife(*sides, generated_groups=np.arange(29), reference_groups=some)


def test_what_can_not_be_compared_is_refused():
    sides = rows(20, 6, seed=1), rows(30, 6, seed=2)
    with pytest.raises(InputError, match="at least 2 rows on either side, not 1 generated") as caught:
        distance(sides[0][:1], sides[1])
    assert caught.value.reason == "too few rows"
    for value in (np.nan, np.inf, -np.inf, 1e61):
        broken = sides[1].copy()
        broken[3, 4] = value
        with pytest.raises(InputError, match="reference features hold NaN") as caught:
            distance(sides[0], broken)
        assert caught.value.reason == "not finite"
    with pytest.raises(ProtocolError, match=r"not 5 \(generated\) with 6 \(reference\)"):
        distance(sides[0][:, :5], sides[1])
    with pytest.raises(ProtocolError, match=r"reference features .* int64 of shape \(30, 6\)"):
        distance(sides[0], sides[1].astype(np.int64))
    with pytest.raises(ProtocolError, match=r"of shape \(20,\)"):
        distance(sides[0][:, 0], sides[1])
    with pytest.raises(ProtocolError, match=r"of shape \(20, 0\)"):
        distance(sides[0][:, :0], sides[1][:, :0])
    with pytest.raises(ProtocolError, match="ddof of 0 or 1, not 2"):
        distance(*sides, ddof=2)
    with pytest.raises(ProtocolError, match="at least 2 points, not 1"):
        infinity(*sides, seed=0, points=1, smallest=7)
    with pytest.raises(ProtocolError, match="more rows than the 6 dimensions of the features, not 6"):
        infinity(*sides, seed=0, smallest=6)
    with pytest.raises(InputError, match="at least 10000 generated rows, not 20") as caught:
        infinity(*sides, seed=0)
    assert caught.value.reason == "too few rows"
