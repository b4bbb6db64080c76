import re

import numpy as np
import pytest
from oracles import ms_ssim as oracle
from support.tolerances import CEILINGS

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.ms_ssim import WEIGHTS, ms_ssim

TOLERANCE = CEILINGS["ms-ssim"].ceiling


def picture(shape, seed):
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[: shape[0], : shape[1]]
    waves = np.sin(x / 31) + np.cos(y / 17) + np.sin((x + 2 * y) / 5)
    return (128 + 35 * waves + rng.normal(0, 6, shape)).clip(0, 255).astype(np.uint8)[None]


def distorted(frames, spread, seed):
    return (frames + np.random.default_rng(seed).normal(0, spread, frames.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(161, 161), (162, 175), (163, 164)])
@pytest.mark.parametrize("spread", [4, 60])
def test_scores_stay_within_the_stated_bound(size, spread):
    reference = picture(size, 0)
    generated = distorted(reference, spread, 1)
    expected = oracle.ms_ssim(generated, reference, peak=255)
    for dtype, peak in ((np.uint8, 255), (np.float32, 1.0), (np.float64, 1.0)):
        sides = [side if dtype == np.uint8 else (side / 255).astype(dtype) for side in (generated, reference)]
        scores = ms_ssim(generated=sides[0], reference=sides[1], peak=peak)
        np.testing.assert_allclose(scores, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    "parameters",
    [{"weights": (1.0,)}, {"weights": (0.3, 0.7)}, {"window": 5, "sigma": 1.0, "k1": 0.02, "k2": 0.05}],
)
def test_other_scales_and_windows(parameters):
    reference = picture((85, 91), 2)
    generated = distorted(reference, 25, 3)
    scores = ms_ssim(generated=generated, reference=reference, peak=255, **parameters)
    expected = oracle.ms_ssim(generated, reference, peak=255, **parameters)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=TOLERANCE)


def test_channels_are_scored_apart():
    reference = np.stack([picture((165, 170), seed)[0] for seed in range(3)], axis=-1)[None]
    generated = distorted(reference, 30, 4)
    each = [ms_ssim(generated=generated[..., c], reference=reference[..., c], peak=255) for c in range(3)]
    np.testing.assert_allclose(
        ms_ssim(generated=generated, reference=reference, peak=255), np.mean(each, 0), rtol=1e-15
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_equal_frames_score_exactly_one(dtype):
    frames = np.stack([picture((163, 161), seed)[0] for seed in range(3)], axis=-1)[None].astype(dtype)
    assert ms_ssim(generated=frames, reference=frames.copy(), peak=255) == 1


def test_negative_terms_count_as_zero():
    frames = picture((161, 161), 0)
    assert ms_ssim(generated=255 - frames, reference=frames, peak=255) == 0


def test_a_frame_does_not_depend_on_its_batch():
    reference = np.concatenate([picture((161, 164), seed) for seed in range(3)])
    generated = distorted(reference, 20, 5)
    whole = ms_ssim(generated=generated, reference=reference, peak=255)
    parts = [ms_ssim(generated=generated[i : i + 1], reference=reference[i : i + 1], peak=255) for i in range(3)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_the_weights_are_those_of_the_paper():
    assert sum(WEIGHTS) == pytest.approx(1, abs=1e-3)
    assert len(WEIGHTS) == 5


def test_small_frames_are_refused_with_the_limit():
    frames = np.zeros((1, 160, 300), np.uint8)
    with pytest.raises(InputError, match="no side may be shorter than 161 px") as caught:
        ms_ssim(generated=frames, reference=frames, peak=255)
    assert caught.value.reason == "too small"


@pytest.mark.parametrize("weights", [(), (0.5, 0.0), (0.5, float("nan")), (-1.0,)])
def test_weights_that_make_no_sense_are_refused(weights):
    frames = np.zeros((1, 161, 161), np.uint8)
    with pytest.raises(ProtocolError, match=re.escape(f"one positive weight per scale, not {weights}")):
        ms_ssim(generated=frames, reference=frames, peak=255, weights=weights)
