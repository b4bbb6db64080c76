"""Distances of sets of rows against their slow twins."""

import numpy as np
import pytest
from oracles import frechet as frechet_oracle
from oracles import kid as kid_oracle
from oracles import prdc as prdc_oracle

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels import frechet, kid, prdc


def rows(count, seed, dimensions=5, dtype=np.float32, middle=0.3):
    return np.random.default_rng(seed).normal(middle, 1, (count, dimensions)).astype(dtype)


def labels(count, groups=3):
    return np.arange(count) % groups


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_kernel_distance(lent, dtype):
    generated, reference = rows(4, 1, dtype=dtype), rows(5, 2, dtype=dtype)
    found = kid.distance(lent(generated), lent(reference))
    assert found.mean == pytest.approx(kid_oracle.discrepancy(generated, reference), rel=1e-9)
    subsets = kid.distance(lent(generated), lent(reference), subset_size=3, subsets=2, seed=3)
    expected = kid_oracle.over_subsets(generated, reference, size=3, count=2, seed=3)
    np.testing.assert_allclose(subsets, expected, rtol=1e-9)


def test_kernel_distances_without_a_group(lent):
    generated, reference = rows(6, 1, 3), rows(7, 2, 3)
    groups = {"generated_groups": labels(6), "reference_groups": labels(7)}
    found = kid.jackknife(lent(generated), lent(reference), **groups)
    expected = [
        kid_oracle.discrepancy(generated[labels(6) != group], reference[labels(7) != group]) for group in range(3)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("count", [4, 12])
def test_moments(lent, count):
    """Fewer rows than dimensions, which are fetched, and more."""
    generated, reference = rows(count, 1, middle=1.0), rows(count + 3, 2)
    found = frechet.distance(lent(generated), lent(reference))
    allowed = 1e-9 * frechet_oracle.spread(generated, reference)
    assert abs(found - frechet_oracle.distance(generated, reference)) <= allowed


def test_moments_without_a_group_and_of_subsets(lent):
    generated, reference = rows(12, 1, 3), rows(13, 2, 3, middle=0.0)
    groups = {"generated_groups": labels(12), "reference_groups": labels(13)}
    np.testing.assert_allclose(
        frechet.jackknife(lent(generated), lent(reference), **groups),
        [frechet_oracle.distance(generated[labels(12) != g], reference[labels(13) != g]) for g in range(3)],
        rtol=1e-8,
    )
    plan = {"seed": 5, "points": 3, "smallest": 5}
    found = frechet.infinity(lent(generated), lent(reference), **plan)
    assert found == pytest.approx(frechet_oracle.infinity(generated, reference, **plan), rel=1e-8)


def test_the_scatter_beyond_a_tile(lent):
    from thgeval.kernels.frechet.cuda import row_set
    from thgeval.kernels.places import readable

    held = rows(11, 3)
    side = row_set(readable(lent(held)))
    centred = held.astype(float) - held.mean(axis=0, dtype=float)
    np.testing.assert_allclose(side.scatter, centred.T @ centred, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(side.origin + side.drift, held.mean(axis=0, dtype=float), rtol=1e-12)


def test_balls(lent):
    generated, reference = rows(9, 1, 3), rows(8, 2, 3)
    generated[3] = generated[5] = generated[6] = reference[2]  # more copies than neighbours: an empty ball
    found = prdc.scores(lent(generated), lent(reference), nearest=2)
    np.testing.assert_allclose(found, prdc_oracle.scores(generated, reference, 2), rtol=1e-12)


def test_balls_without_a_group(lent):
    generated, reference = rows(9, 1, 3), rows(8, 2, 3)
    groups = {"generated_groups": labels(9), "reference_groups": labels(8)}
    found = prdc.jackknife(lent(generated), lent(reference), **groups, nearest=2)
    for group, scores in enumerate(found):
        kept = generated[labels(9) != group], reference[labels(8) != group]
        np.testing.assert_allclose(scores, prdc_oracle.scores(*kept, 2), rtol=1e-12)


def test_rows_that_cannot_be_compared_are_refused(lent):
    with pytest.raises(ProtocolError, match="not 5 \\(generated\\) with 4 \\(reference\\)"):
        kid.distance(lent(rows(4, 1)), lent(rows(4, 1, 4)))
    broken = rows(4, 1)
    broken[2, 3] = np.nan
    with pytest.raises(InputError, match="reference features hold NaN, infinity") as caught:
        prdc.scores(lent(rows(4, 2)), lent(broken), nearest=1)
    assert caught.value.reason == "not finite"
