"""FSIM and FSIMc against their slow twins, and how the median of a plane is found."""

import numpy as np
import pytest
from oracles import fsim as oracle
from support.tolerances import CEILINGS

from thgeval.kernels.cuda_target import launch
from thgeval.kernels.fsim import similarity
from thgeval.kernels.fsim.cuda import _medians
from thgeval.kernels.places import readable


def picture(height, width, seed):
    rng = np.random.default_rng(seed)
    y, x, c = np.ogrid[:height, :width, :3]
    waves = np.sin(x / 3 + c) + np.cos(y / 2 - seed)
    return (128 + 45 * waves + rng.normal(0, 5, (height, width, 3))).clip(0, 255).astype(np.uint8)


def test_equals_the_slow_twin(lent):
    generated, reference = picture(7, 8, 1), picture(7, 8, 2)
    flat = np.full_like(generated, 7)
    sides = np.stack([generated, flat]), np.stack([reference, flat])
    found = similarity(generated=lent(sides[0]), reference=lent(sides[1]), peak=255)
    expected = oracle.similarity(generated, reference)
    for ours, theirs in zip((found.fsim, found.fsimc), expected, strict=True):
        values = np.asarray(ours)
        assert values[0] == pytest.approx(theirs, rel=CEILINGS["fsim"].ceiling)
        assert np.isnan(values[1])


def test_equal_frames_score_exactly_one(lent):
    frame = (picture(5, 4, 3) / 255)[None]
    found = similarity(generated=lent(frame), reference=lent(frame), peak=1.0)
    assert np.asarray(found.fsim)[0] == np.asarray(found.fsimc)[0] == 1


@pytest.mark.parametrize("size", [1, 2, 9, 10])
def test_medians(lent, size):
    rows = np.random.default_rng(size).gamma(1, 50, (3, size)).astype(np.float32)
    rows[1] = rows[1, 0]
    rows[2, : size // 2] = 0
    held, found = readable(lent(rows)), readable(lent(np.zeros(3)))
    launch(_medians, (3,), held, held.bits(), found)
    middle = np.sort(rows.astype(np.float64))[:, [(size - 1) // 2, size // 2]].mean(axis=1)
    np.testing.assert_array_equal(found, middle)
