"""SSIM and MS-SSIM against their slow twins, within the table's bounds."""

import numpy as np
import pytest
from oracles import ms_ssim as ms_ssim_oracle
from oracles import ssim as oracle
from support.tolerances import CEILINGS

from thgeval.errors import ProtocolError
from thgeval.kernels.ms_ssim import ms_ssim
from thgeval.kernels.ssim import downsample, ssim, ssim_terms

TOLERANCE = CEILINGS["ssim"].ceiling
SKIMAGE = {"window": 7, "weighting": "uniform", "sample_covariance": True}


def picture(shape, seed, middle=128, spread=40):
    rng = np.random.default_rng(seed)
    y, x, c = np.ogrid[: shape[0], : shape[1], :3]
    waves = np.sin(x / 5 + c + seed) + np.cos(y / 4 - c)
    return (middle + spread * waves + rng.normal(0, spread / 6, (*shape, 3))).clip(0, 255).astype(np.uint8)


SIDES = {
    "odd": (picture((14, 21), 0), picture((14, 21), 1)),
    "smallest": (picture((11, 11), 2), picture((11, 11), 3)),
    "bright and flat": (picture((13, 12), 4, 252, 2), picture((13, 12), 5, 252, 2)),
    "half bright, half dark": tuple(
        np.concatenate([picture((8, 12), s, 250, 3), picture((8, 12), s + 1, 4, 3)]) for s in (6, 8)
    ),
}


@pytest.mark.parametrize("name", list(SIDES))
@pytest.mark.parametrize("preset", [{}, SKIMAGE])
def test_scores_stay_within_the_stated_bound(lent, name, preset):
    generated, reference = (side[None, ..., :1] for side in SIDES[name])
    sides = {"generated": lent(generated[..., 0]), "reference": lent(reference[..., 0])}
    terms = ssim_terms(**sides, peak=255, **preset)
    scores, contrasts = oracle.terms(generated, reference, peak=255, **preset)
    np.testing.assert_allclose(terms.ssim, scores, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(terms.contrast, contrasts, rtol=0, atol=TOLERANCE)


def test_runs_of_rows_and_channels(lent):
    generated, reference = (np.stack([picture((37, 6), s), picture((37, 6), s + 1)]) / 255 for s in (0, 5))
    window = {"window": 3, "sigma": 0.9}
    found = ssim(generated=lent(generated), reference=lent(reference), peak=1.0, **window)
    scores, _ = oracle.terms(generated, reference, peak=1.0, **window)
    np.testing.assert_allclose(found, scores.mean(axis=1), rtol=0, atol=TOLERANCE)
    second = ssim(generated=lent(generated[1:]), reference=lent(reference[1:]), peak=1.0, **window)
    np.testing.assert_array_equal(second, np.asarray(found)[1:])


def test_equal_frames_score_exactly_one(lent):
    frames = picture((12, 13), 3)[None, ..., 0]
    terms = ssim_terms(generated=lent(frames), reference=lent(frames), peak=255)
    assert (np.asarray(terms.ssim) == 1).all()
    assert (np.asarray(terms.contrast) == 1).all()


def test_black_against_white(lent):
    ones = np.ones((1, 11, 12))
    found = ssim(generated=lent(np.zeros_like(ones)), reference=lent(ones), peak=1.0)
    assert abs(np.asarray(found)[0] - 9.999000099990664e-05) < 1e-9


def test_windows_wider_than_a_card_holds_are_refused(lent):
    frames = np.zeros((1, 401, 401), np.uint8)
    with pytest.raises(ProtocolError, match="a window of 401 px is too wide for a graphics card; choose --device cpu"):
        ssim(generated=lent(frames), reference=lent(frames), peak=255, window=401)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("factor", [2, 3])
def test_downsampling_as_the_authors_script_does(lent, dtype, factor):
    planes = np.stack([picture((7, 9), 1), picture((7, 9), 2)])[..., 0].astype(dtype)
    small = downsample(lent(planes), factor)
    assert small.dtype == (np.float64 if dtype == np.float64 else np.float32)
    for plane, shrunk in zip(planes, np.asarray(small), strict=True):
        np.testing.assert_allclose(shrunk, oracle.downsampled(plane, factor), rtol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_scales_multiply(lent, channels):
    window, weights = {"window": 3, "sigma": 0.8}, (0.3, 0.3, 0.4)
    generated, reference = (picture((13, 14), s)[None, ..., :channels] for s in (1, 2))
    sides = [side[..., 0] if channels == 1 else side for side in (generated, reference)]
    found = ms_ssim(generated=lent(sides[0]), reference=lent(sides[1]), peak=255, weights=weights, **window)
    expected = ms_ssim_oracle.ms_ssim(*sides, peak=255, weights=weights, **window)
    np.testing.assert_allclose(found, expected, rtol=0, atol=CEILINGS["ms-ssim"].ceiling)
