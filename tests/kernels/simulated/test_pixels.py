"""Difference and luma against their slow twins."""

import re

import numpy as np
import pytest
from oracles import difference as difference_oracle
from oracles import luma as luma_oracle

from thgeval.errors import ProtocolError
from thgeval.kernels.difference import errors, wrapped_absolute, wrapped_squared
from thgeval.kernels.luma import RULES, luma
from thgeval.kernels.places import DeviceArray

SHAPES = [(1, 1), (2, 1, 1, 3), (3, 13, 17), (2, 17, 19, 3)]


def pair(shape, dtype=np.uint8, seed=0):
    values = np.random.default_rng(seed).integers(0, 256, (2, *shape))
    return values.astype(np.uint8) if dtype == np.uint8 else (values / 255).astype(dtype)


@pytest.mark.parametrize("shape", SHAPES)
def test_bytes_are_summed_exactly(lent, shape):
    generated, reference = pair(shape)
    sums = errors(generated=lent(generated), reference=lent(reference))
    assert isinstance(sums.absolute, DeviceArray)
    absolute, squared = difference_oracle.errors(generated, reference)
    np.testing.assert_array_equal(sums.absolute, absolute)
    np.testing.assert_array_equal(sums.squared, squared)
    assert sums.count == generated[0].size
    absolute, squared = difference_oracle.wrapped(generated, reference)
    np.testing.assert_array_equal(wrapped_absolute(generated=lent(generated), reference=lent(reference)), absolute)
    np.testing.assert_array_equal(wrapped_squared(generated=lent(generated), reference=lent(reference)), squared)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_summed_to_nine_digits(lent, dtype):
    generated, reference = pair((2, 17, 19, 3), dtype)
    sums = errors(generated=lent(generated), reference=lent(reference))
    absolute, squared = difference_oracle.errors(generated, reference)
    np.testing.assert_allclose(sums.absolute, absolute, rtol=1e-12)
    np.testing.assert_allclose(sums.squared, squared, rtol=1e-12)


def test_a_frame_does_not_depend_on_its_batch(lent):
    generated, reference = pair((3, 23, 31), np.float32)
    whole = errors(generated=lent(generated), reference=lent(reference))
    part = errors(generated=lent(generated[1:2]), reference=lent(reference[1:2]))
    np.testing.assert_array_equal(part.squared, np.asarray(whole.squared)[1:2])


def test_no_frames_give_no_sums(lent):
    nothing = np.empty((0, 4, 5, 3), np.uint8)
    assert np.asarray(errors(generated=lent(nothing), reference=lent(nothing)).squared).shape == (0,)


def test_both_sides_lie_in_one_place(lent):
    generated, reference = pair((1, 2, 2))
    with pytest.raises(ProtocolError, match="one of the two sides is on a graphics card and the other in memory"):
        errors(generated=lent(generated), reference=reference)


@pytest.mark.parametrize("rule", list(RULES))
def test_luma_of_bytes(lent, rule):
    rgb = np.random.default_rng(1).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    found = luma(lent(rgb), rule=rule, peak=255)
    expected = luma_oracle.BYTES[rule](rgb)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(("dtype", "relative"), [(np.float32, 1e-7), (np.float64, 1e-14)])
def test_luma_of_floats(lent, dtype, relative):
    rgb = np.random.default_rng(1).random((2, 5, 7, 3)).astype(dtype)
    found = luma(lent(rgb), rule="bt601-float", peak=1.0)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, luma_oracle.FLOATS["bt601-float"](rgb, 1.0), rtol=relative)


def test_what_makes_no_sense_is_refused_on_a_card_too(lent):
    with pytest.raises(ProtocolError, match=re.escape("(frames, height, width, 3), not (1, 2, 3)")):
        luma(lent(np.zeros((1, 2, 3), np.uint8)), rule="pil-l", peak=255)
