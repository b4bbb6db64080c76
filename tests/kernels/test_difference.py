import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from oracles import difference as oracle

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.difference import errors, frame_change, wrapped_absolute, wrapped_squared

SHAPES = [(1, 1), (2, 1, 1, 3), (3, 31, 37), (2, 17, 19, 3), (2, 211, 223, 3)]


def pair(shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 256, (2, *shape))
    return (a.astype(np.uint8), b.astype(np.uint8)) if dtype == np.uint8 else ((a / 255).astype(dtype), b.astype(dtype))


def psnr(sums, peak):
    return 10 * np.log10(peak**2 / (sums.squared / sums.count))


@pytest.mark.parametrize("shape", SHAPES)
def test_bytes_are_summed_exactly(shape):
    generated, reference = pair(shape)
    sums = errors(generated=generated, reference=reference)
    absolute, squared = oracle.errors(generated, reference)
    np.testing.assert_array_equal(sums.absolute, absolute)
    np.testing.assert_array_equal(sums.squared, squared)
    assert sums.count == generated[0].size
    assert sums.absolute.dtype == sums.squared.dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_floats_are_summed_to_nine_digits(shape, dtype):
    generated, reference = pair(shape, dtype)
    sums = errors(generated=generated, reference=reference)
    absolute, squared = oracle.errors(generated, reference)
    np.testing.assert_allclose(sums.absolute, absolute, rtol=1e-12)
    np.testing.assert_allclose(sums.squared, squared, rtol=1e-12)


def test_one_large_error_does_not_swallow_small_ones():
    generated = np.full((1, 1 << 20), 1e-4)
    generated[0, 5] = 1e3
    reference = np.zeros_like(generated)
    sums = errors(generated=generated, reference=reference)
    absolute, squared = oracle.errors(generated, reference)
    np.testing.assert_allclose(sums.absolute, absolute, rtol=1e-12)
    np.testing.assert_allclose(sums.squared, squared, rtol=1e-12)


def test_black_against_white_fills_no_counter():
    generated = np.zeros((1, 1080, 1920, 3), np.uint8)
    sums = errors(generated=generated, reference=~generated)
    assert sums.absolute[0] == 255 * generated.size
    assert sums.squared[0] == 255**2 * generated.size


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_bytes_and_floats_give_the_same_psnr(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=9))
    generated = data.draw(hnp.arrays(np.uint8, shape))
    reference = data.draw(hnp.arrays(np.uint8, shape))
    narrow = errors(generated=generated, reference=reference)
    wide = errors(generated=generated.astype(np.float64), reference=reference.astype(np.float64))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(psnr(narrow, 255), psnr(wide, 255))
    np.testing.assert_array_equal(narrow.absolute, wide.absolute)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_mean_error_never_exceeds_the_root_mean_square(data):
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=9))
    sums = errors(generated=data.draw(hnp.arrays(np.uint8, shape)), reference=data.draw(hnp.arrays(np.uint8, shape)))
    assert np.all(sums.absolute / sums.count <= np.sqrt(sums.squared / sums.count) + 1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_wrapped_sums_are_what_byte_arithmetic_gives(shape):
    generated, reference = pair(shape)
    absolute, squared = oracle.wrapped(generated, reference)
    np.testing.assert_array_equal(wrapped_absolute(generated=generated, reference=reference), absolute)
    np.testing.assert_array_equal(wrapped_squared(generated=generated, reference=reference), squared)
    axes = tuple(range(1, generated.ndim))
    np.testing.assert_array_equal(squared, ((generated - reference) ** 2).sum(axes, dtype=np.float64))


def test_wrapping_hides_errors():
    generated = np.full((1, 8, 8, 3), 16, np.uint8)
    reference = np.zeros_like(generated)
    assert wrapped_squared(generated=generated, reference=reference)[0] == 0
    assert wrapped_absolute(generated=reference, reference=generated)[0] == 240 * generated.size
    assert errors(generated=generated, reference=reference).squared[0] == 256 * generated.size


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_a_frame_does_not_depend_on_its_batch(dtype):
    generated, reference = pair((5, 61, 67, 3), dtype)
    whole = errors(generated=generated, reference=reference)
    for start, stop in ((0, 1), (1, 4), (4, 5)):
        part = errors(generated=generated[start:stop], reference=reference[start:stop])
        np.testing.assert_array_equal(part.squared, whole.squared[start:stop])
        np.testing.assert_array_equal(part.absolute, whole.absolute[start:stop])


def test_views_and_read_only_arrays():
    whole, other = pair((4, 21, 24, 3))
    whole.flags.writeable = False
    views = whole[::2, ::-1, 3:, :2], other[1::2, :, :-3, 1:]
    sums = errors(generated=views[0], reference=views[1])
    np.testing.assert_array_equal(sums.squared, oracle.errors(*views)[1])


def test_change_between_frames():
    clip, _ = pair((4, 5, 7, 3))
    change = frame_change(previous=clip[:-1], current=clip[1:])
    np.testing.assert_array_equal(change.squared, (np.diff(clip.astype(np.int64), axis=0) ** 2).sum((1, 2, 3)))
    still = frame_change(previous=clip, current=clip)
    assert not still.squared.any()
    assert not still.absolute.any()


def test_no_frames_give_no_sums():
    nothing = np.empty((0, 4, 5, 3), np.uint8)
    sums = errors(generated=nothing, reference=nothing)
    assert sums.squared.shape == (0,)
    assert sums.count == 60


def test_sides_that_do_not_fit_are_refused():
    a, b = pair((2, 4, 5, 3))
    with pytest.raises(InputError, match=re.escape("(2, 4, 5, 3)")) as caught:
        errors(generated=a, reference=b[:1])
    assert caught.value.reason == "shape mismatch"
    with pytest.raises(ProtocolError, match="not uint8 and float32"):
        errors(generated=a, reference=b.astype(np.float32))
    with pytest.raises(ProtocolError, match="not int16"):
        errors(generated=a.astype(np.int16), reference=b.astype(np.int16))
    for wrapped in (wrapped_absolute, wrapped_squared):
        with pytest.raises(ProtocolError, match="modulo 256 needs uint8 frames, not float64"):
            wrapped(generated=a.astype(np.float64), reference=b.astype(np.float64))
