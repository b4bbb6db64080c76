import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import ssim as oracle
from support.tolerances import CEILINGS

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.ssim import downsample, downsampling_factor, ssim, ssim_terms

TOLERANCE = CEILINGS["ssim"].ceiling
SKIMAGE = {"window": 7, "weighting": "uniform", "sample_covariance": True}
ZEROS_AND_ONES = 9.999000099990664e-05  # C1 / (1 + C1)


def smooth(shape, seed):
    """A uint8 picture with large shapes and fine grain: (height, width, 3)."""
    rng = np.random.default_rng(seed)
    y, x, c = np.ogrid[: shape[0], : shape[1], :3]
    waves = np.sin(x / 9 + c) + np.cos(y / 7 - c) + np.sin((x + y) / 23)
    return (128 + 35 * waves + rng.normal(0, 6, (*shape, 3))).clip(0, 255).astype(np.uint8)


def flat(value, spread, seed, shape=(61, 83)):
    return np.random.default_rng(seed).normal(value, spread, (*shape, 3)).round().clip(0, 255).astype(np.uint8)


def checks(value, swing, shape=(61, 83)):
    board = np.indices(shape).sum(0)[..., None] % 2 * 2 - 1
    return (value + swing * board + np.zeros(3)).clip(0, 255).astype(np.uint8)


@cache
def pictures():
    picture = smooth((61, 83), 0)
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (2, *picture.shape), dtype=np.uint8)
    grainy = (picture + rng.normal(0, 20, picture.shape)).clip(0, 255).astype(np.uint8)
    return {
        "random": (noise[0], noise[1]),
        "grain": (picture, grainy),
        "shifted": (picture, np.roll(picture, 2, 1)),
        "negative": (picture, 255 - picture),
        "constant": (np.full_like(picture, 255), np.full_like(picture, 254)),
        "black against white": (np.zeros_like(picture), np.full_like(picture, 255)),
        "bright and flat": (flat(252, 2, 2), flat(252, 2, 3)),
        "dark and flat": (flat(2, 2, 4), flat(2, 2, 5)),
        "bright checks": (np.full_like(picture, 245), checks(245, 8)),
        "dark checks": (np.full_like(picture, 5), checks(8, 5)),
        "half bright, half dark": tuple(np.concatenate([flat(250, 3, s), flat(4, 3, s + 1)]) for s in (6, 8)),
    }


@cache
def expected(name, preset):
    generated, reference = pictures()[name]
    return oracle.terms(generated[None], reference[None], peak=255, **(SKIMAGE if preset else {}))


@pytest.mark.parametrize("name", list(pictures()))
@pytest.mark.parametrize("preset", ["", "skimage"])
@pytest.mark.parametrize(("dtype", "peak"), [(np.uint8, 255), (np.float32, 1.0), (np.float64, 1.0), (np.float64, 255)])
def test_scores_stay_within_the_stated_bound(name, preset, dtype, peak):
    generated, reference = (
        side[None] if dtype == np.uint8 else (side[None] / 255 * peak).astype(dtype) for side in pictures()[name]
    )
    terms = ssim_terms(generated=generated, reference=reference, peak=peak, **(SKIMAGE if preset else {}))
    scores, contrasts = expected(name, preset)
    assert terms.ssim.shape == terms.contrast.shape == (1, 3)
    np.testing.assert_allclose(terms.ssim, scores, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(terms.contrast, contrasts, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("size", [(11, 11), (11, 12), (13, 11), (17, 203), (53, 29), (12, 523), (15, 1101)])
def test_odd_and_smallest_sizes(size):
    generated = smooth(size, 3)[None]
    reference = smooth(size, 4)[None]
    terms = ssim_terms(generated=generated, reference=reference, peak=255)
    scores, contrasts = oracle.terms(generated, reference, peak=255)
    np.testing.assert_allclose(terms.ssim, scores, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(terms.contrast, contrasts, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    "parameters",
    [
        {"window": 3, "sigma": 0.5},
        {"window": 21, "sigma": 3.5, "k1": 0.02, "k2": 0.05},
        {"window": 5, "weighting": "uniform"},
        {"sample_covariance": True},
    ],
)
def test_other_windows(parameters):
    generated, reference = smooth((41, 47), 5)[None, ..., 0], smooth((41, 47), 6)[None, ..., 0]
    terms = ssim_terms(generated=generated, reference=reference, peak=255, **parameters)
    scores, contrasts = oracle.terms(generated, reference, peak=255, **parameters)
    np.testing.assert_allclose(terms.ssim, scores, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(terms.contrast, contrasts, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("parameters", [{}, SKIMAGE])
@pytest.mark.parametrize(("white", "peak"), [(1.0, 1.0), (np.uint8(255), 255), (255.0, 255.0)])
def test_zeros_against_ones(parameters, white, peak):
    ones = np.full((1, 40, 50), white)
    for generated, reference in ((np.zeros_like(ones), ones), (ones, np.zeros_like(ones))):
        score = ssim(generated=generated, reference=reference, peak=peak, **parameters)
        assert abs(score[0] - ZEROS_AND_ONES) < 1e-9


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.uint8, np.float32, np.float64]), spread=st.floats(0, 100)
)
def test_equal_frames_score_exactly_one(seed, dtype, spread):
    rng = np.random.default_rng(seed)
    frames = (rng.uniform(0, 255) + rng.normal(0, spread, (2, 23, 31, 3))).clip(0, 255).astype(dtype)
    terms = ssim_terms(generated=frames, reference=frames.copy(), peak=255)
    assert (terms.ssim == 1).all()
    assert (terms.contrast == 1).all()


def test_grey_frames_are_one_channel():
    generated, reference = (side[None] for side in pictures()["grain"])
    terms = ssim_terms(generated=generated, reference=reference, peak=255)
    for channel in range(3):
        grey = ssim(generated=generated[..., channel], reference=reference[..., channel], peak=255)
        assert grey == terms.ssim[:, channel]
    np.testing.assert_array_equal(ssim(generated=generated, reference=reference, peak=255), terms.ssim.mean(axis=1))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_frame_does_not_depend_on_its_batch(dtype):
    generated = np.stack([smooth((37, 41), seed) for seed in range(5)]).astype(dtype)
    reference = np.stack([smooth((37, 41), seed) for seed in range(5, 10)]).astype(dtype)
    whole = ssim(generated=generated, reference=reference, peak=255)
    for start, stop in ((0, 1), (1, 4), (4, 5)):
        part = ssim(generated=generated[start:stop], reference=reference[start:stop], peak=255)
        np.testing.assert_array_equal(part, whole[start:stop])


def test_views_and_read_only_arrays():
    generated, reference = smooth((60, 70), 0)[None], smooth((60, 70), 1)[None]
    generated.flags.writeable = False
    views = generated[:, ::2, ::-1, ::-1], reference[:, 1::2, :, ::-1]
    copies = [np.array(view, order="C") for view in views]
    np.testing.assert_array_equal(
        ssim(generated=views[0], reference=views[1], peak=255),
        ssim(generated=copies[0], reference=copies[1], peak=255),
    )


def test_no_frames_give_no_scores():
    nothing = np.empty((0, 20, 20, 3), np.uint8)
    assert ssim(generated=nothing, reference=nothing, peak=255).shape == (0,)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("factor", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(13, 17), (24, 36), (4, 9)])
def test_downsampling_as_the_authors_script_does(dtype, factor, size):
    planes = np.stack([smooth(size, 1), smooth(size, 2)])[..., 0].astype(dtype)
    small = downsample(planes, factor)
    assert small.dtype == (np.float64 if dtype == np.float64 else np.float32)
    for plane, shrunk in zip(planes, small, strict=True):
        np.testing.assert_allclose(shrunk, oracle.downsampled(plane, factor), rtol=1e-6)


def test_the_downsampling_factor_rounds_halves_up():
    sides = {100: 1, 256: 1, 383: 1, 384: 2, 512: 2, 640: 3, 1080: 4}
    assert {side: downsampling_factor(side, side + 7) for side in sides} == sides


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"weighting": "box"}, "ssim: weighting must be one of gaussian, uniform, not 'box'"),
        ({"window": 8}, "ssim: window must be odd and at least 3, not 8"),
        ({"window": 1}, "window must be odd and at least 3, not 1"),
        ({"sigma": 0.0}, "sigma must be above 0, not 0.0"),
        ({"k2": -0.03}, "k2 must be above 0, not -0.03"),
        ({"k1": float("nan")}, "k1 must be a number above 0, not nan"),
        ({"peak": 0}, "positive peak, not 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(parameters, sentence):
    frames = smooth((20, 20), 0)[None]
    with pytest.raises(ProtocolError, match=re.escape(sentence)):
        ssim(**{"generated": frames, "reference": frames, "peak": 255, **parameters})


def test_frames_that_do_not_fit_are_refused():
    frames = smooth((20, 30), 0)[None]
    with pytest.raises(InputError, match="frames of 30x10 px are too small: SSIM's window is 11 px wide") as caught:
        ssim(generated=frames[:, :10], reference=frames[:, :10], peak=255)
    assert caught.value.reason == "too small"
    with pytest.raises(InputError, match="differ in shape") as caught:
        ssim(generated=frames, reference=frames[:, :-1], peak=255)
    assert caught.value.reason == "shape mismatch"
    with pytest.raises(ProtocolError, match="not uint8 and float32"):
        ssim(generated=frames, reference=frames.astype(np.float32), peak=255)
    with pytest.raises(ProtocolError, match=re.escape("not (1, 20, 30, 2)")):
        ssim(generated=frames[..., :2], reference=frames[..., :2], peak=255)
    with pytest.raises(ProtocolError, match=re.escape("must be (frames, height, width), not (1, 20, 30, 3)")):
        downsample(frames, 2)
    with pytest.raises(ProtocolError, match="factor of 21 doesn't fit"):
        downsample(frames[..., 0], 21)
