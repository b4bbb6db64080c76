import re

import cv2
import numpy as np
import pytest
from oracles import luma as oracle
from PIL import Image

from thgeval.errors import ProtocolError
from thgeval.kernels.luma import RULES, luma

TO_BYTES = [rule for rule, how in RULES.items() if how.bits is not None]
ON_FLOATS = [rule for rule, how in RULES.items() if how.floats]


@pytest.fixture(scope="module")
def cube():
    """Every red, every green, every third blue: (256, 256, 86, 3)."""
    red, green, blue = np.meshgrid(np.arange(256), np.arange(256), np.arange(0, 256, 3), indexing="ij")
    return np.stack([red, green, blue], axis=-1).astype(np.uint8)


def random_frames(shape, dtype=np.uint8, peak=255.0, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == np.uint8:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return (rng.random(shape) * peak).astype(dtype)


@pytest.mark.parametrize("rule", TO_BYTES)
def test_every_colour_is_rounded_as_exact_arithmetic_does(cube, rule):
    grey = luma(cube, rule=rule, peak=255)
    assert grey.dtype == np.uint8
    np.testing.assert_array_equal(grey, oracle.BYTES[rule](cube))


def test_halves_go_up():
    # (65.481 R + 128.553 G + 24.966 B) / 255 ends in exactly .5 here; float64 sums fall just below in some orders
    total = 65481 * np.arange(256)[:, None, None] + 128553 * np.arange(256)[:, None] + 24966 * np.arange(256)
    ties = np.argwhere(total % 255000 == 127500)
    assert len(ties) > 20
    rgb = ties.astype(np.uint8)[None, None]
    expected = 16 + total[tuple(ties.T)] // 255000 + 1
    np.testing.assert_array_equal(luma(rgb, rule="studio-y", peak=255)[0, 0], expected)


def test_unrounded_luma_of_bytes_is_float64(cube):
    grey = luma(cube[:20], rule="bt601-float", peak=255)
    assert grey.dtype == np.float64
    np.testing.assert_allclose(grey, oracle.bt601_float(cube[:20]), rtol=1e-14, atol=1e-13)


def test_pillow_agrees_on_every_bit(cube):
    expected = np.asarray(Image.fromarray(cube.reshape(256, -1, 3)).convert("L")).reshape(cube.shape[:3])
    np.testing.assert_array_equal(luma(cube, rule="pil-l", peak=255), expected)


def test_opencv_agrees_on_every_bit(cube):
    expected = cv2.cvtColor(cube.reshape(256, -1, 3), cv2.COLOR_RGB2GRAY).reshape(cube.shape[:3])
    np.testing.assert_array_equal(luma(cube, rule="cv2-grey", peak=255), expected)


@pytest.mark.parametrize("rule", ON_FLOATS)
@pytest.mark.parametrize(("dtype", "relative"), [(np.float32, 1e-7), (np.float64, 1e-14)])
@pytest.mark.parametrize("peak", [1.0, 255.0])
def test_floats_keep_their_type_and_are_not_rounded(rule, dtype, relative, peak):
    rgb = random_frames((2, 7, 11, 3), dtype, peak)
    grey = luma(rgb, rule=rule, peak=peak)
    assert grey.dtype == dtype
    np.testing.assert_allclose(grey, oracle.FLOATS[rule](rgb, peak), rtol=relative)


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("size", [(1, 1), (1, 13), (31, 37), (5, 1023), (3, 1025)])
def test_odd_sizes(rule, size):
    rgb = random_frames((3, *size, 3))
    np.testing.assert_allclose(luma(rgb, rule=rule, peak=255), oracle.BYTES[rule](rgb), rtol=1e-14)


def test_no_frames_give_no_luma():
    assert luma(np.empty((0, 4, 5, 3), np.uint8), rule="bt601-rounded", peak=255).shape == (0, 4, 5)


@pytest.mark.parametrize("rule", ["bt601-rounded", "bt601-float"])
def test_views_and_read_only_arrays(rule):
    whole = random_frames((4, 20, 24, 3))
    whole.flags.writeable = False
    view = whole[::2, 1::3, ::-2, ::-1]
    np.testing.assert_array_equal(luma(view, rule=rule, peak=255), luma(np.array(view, order="C"), rule=rule, peak=255))


def test_white_stays_white():
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    assert {rule: luma(white, rule=rule, peak=255).max() for rule in TO_BYTES} == {
        "bt601-rounded": 255,
        "pil-l": 255,
        "cv2-grey": 255,
        "studio-y": 235,
    }


@pytest.mark.parametrize(
    ("rgb", "rule", "peak", "sentence"),
    [
        (
            random_frames((1, 2, 2, 3)),
            "bt709",
            255,
            "unknown luma rule 'bt709': choose one of bt601-rounded, bt601-float",
        ),
        (random_frames((1, 2, 2, 3)), "pil-l", 1.0, "uint8 frames have a peak of 255, not 1.0"),
        (random_frames((1, 2, 2, 3), np.float32), "pil-l", 1.0, "use bt601-float for float32"),
        (random_frames((1, 2, 2, 3), np.float32), "bt601-float", 0.0, "positive peak, not 0.0"),
        (random_frames((1, 2, 3)), "pil-l", 255, "(frames, height, width, 3), not (1, 2, 3)"),
        (random_frames((1, 2, 2, 3)).astype(np.int16), "pil-l", 255, "not int16"),
    ],
)
def test_what_makes_no_sense_is_refused(rgb, rule, peak, sentence):
    with pytest.raises(ProtocolError, match=re.escape(sentence)):
        luma(rgb, rule=rule, peak=peak)
