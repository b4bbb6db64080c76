"""The conversion from YUV is the standard's, rounded to nearest, for every matrix, range, depth, layout and size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import colour as oracle

from thgeval.media import colour

SUBSAMPLINGS = [(0, 0), (1, 1), (1, 0), (0, 1), (2, 0), (2, 2)]


def converted(planes, out_shape, *, matrix, full_range, bits, halvings, padding=0, shift=0):
    """Run the kernel on planes whose rows are ``padding`` samples longer than they need to be."""
    padded = [np.pad(plane, ((0, 0), (0, padding)), constant_values=77) for plane in planes]
    weight = colour.weights(matrix, full_range=full_range, bits=bits, padding_bits=shift)
    out = np.full((*out_shape, 3), 99, np.uint8)
    strides = tuple(plane.shape[1] for plane in padded)
    colour.write_rgb(*(plane.ravel() for plane in padded), strides, halvings, weight, out)
    return out


def random_planes(seed, height, width, bits, halvings):
    generator = np.random.default_rng(seed)
    chroma = -(-height // 2 ** halvings[1]), -(-width // 2 ** halvings[0])
    dtype = np.uint8 if bits == 8 else np.uint16
    return [generator.integers(0, 2**bits, shape).astype(dtype) for shape in ((height, width), chroma, chroma)]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 19),
    width=st.integers(1, 70),
    matrix=st.sampled_from(sorted(oracle.LUMA_WEIGHTS)),
    full_range=st.booleans(),
    bits=st.sampled_from([8, 9, 10, 12, 14, 16]),
    halvings=st.sampled_from(SUBSAMPLINGS),
    padding=st.integers(0, 5),
)
def test_any_frame_is_right_to_half_a_level(seed, height, width, matrix, full_range, bits, halvings, padding):
    planes = random_planes(seed, height, width, bits, halvings)
    how = {"matrix": matrix, "full_range": full_range, "bits": bits, "halvings": halvings}
    exact = oracle.rgb(*planes, **how).clip(0, 255)
    got = converted(planes, (height, width), padding=padding, **how)
    # Three weights, each off by half of 2^-20 at most, and the offset.
    allowed = 0.5 + (1.5 * 2**bits + 1) / 2**20
    assert np.abs(got - exact).max() <= allowed


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", sorted(oracle.LUMA_WEIGHTS))
def test_all_greys_of_8_bits_are_exactly_rounded(matrix, full_range):
    y = np.arange(256, dtype=np.uint8)[None]
    grey = np.full_like(y, 128)
    how = {"matrix": matrix, "full_range": full_range, "bits": 8, "halvings": (0, 0)}
    got = converted([y, grey, grey], (1, 256), **how)
    expected = y[0] if full_range else np.rint(((y[0] - 16.0) * 255 / 219).clip(0, 255))
    assert (got[0] == expected[:, None]).all()


@pytest.mark.parametrize(
    ("matrix", "codes", "rgb"),
    [
        # 75 % and 100 % colour bars as ITU-R BT.801 and SMPTE RP 219 list them.
        ("bt601", (16, 128, 128), (0, 0, 0)),
        ("bt601", (235, 128, 128), (255, 255, 255)),
        ("bt601", (81, 90, 240), (254, 0, 0)),
        ("bt601", (145, 54, 34), (0, 255, 1)),
        ("bt601", (41, 240, 110), (0, 0, 255)),
        ("bt709", (63, 102, 240), (255, 1, 0)),
        ("bt709", (173, 42, 26), (0, 255, 1)),
        ("bt709", (32, 240, 118), (1, 0, 255)),
    ],
)
def test_colour_bars(matrix, codes, rgb):
    planes = [np.array([[code]], np.uint8) for code in codes]
    how = {"matrix": matrix, "full_range": False, "bits": 8, "halvings": (0, 0)}
    assert np.abs(converted(planes, (1, 1), **how)[0, 0].astype(int) - rgb).max() <= 1


@pytest.mark.parametrize("full_range", [False, True])
def test_zero_bits_below_the_samples_change_nothing(full_range):
    planes = random_planes(3, 9, 20, 10, (1, 1))
    how = {"matrix": "bt709", "full_range": full_range, "bits": 10, "halvings": (1, 1)}
    shifted = [(plane << 6).astype(np.uint16) for plane in planes]
    lower = converted(planes, (9, 20), **how)
    assert np.abs(converted(shifted, (9, 20), shift=6, **how).astype(int) - lower).max() <= 1


def test_nothing_beyond_the_frame_is_written():
    planes = random_planes(4, 5, 7, 8, (1, 1))
    out = np.full((7, 7, 3), 99, np.uint8)
    weight = colour.weights("bt601", full_range=False, bits=8)
    colour.write_rgb(*(plane.ravel() for plane in planes), (7, 4, 4), (1, 1), weight, out[1:6])
    assert (out[0] == 99).all()
    assert (out[6] == 99).all()
