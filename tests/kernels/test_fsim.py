"""FSIM against its slow twin, on sizes that pool, don't pool and don't divide, and at its edges."""

import numpy as np
import pytest
from oracles import fsim as oracle
from scipy.ndimage import gaussian_filter, zoom

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.fsim import fsim, similarity
from thgeval.kernels.fsim.filters import filter_bank

SIZES = [(64, 97), (101, 89), (256, 256), (386, 400), (642, 641)]


def picture(height: int, width: int, *, seed: int) -> np.ndarray:
    """Coloured blobs and edges: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    blobs = zoom(rng.uniform(0, 255, (height // 8 + 2, width // 8 + 2, 3)), (8, 8, 1), order=1)[:height, :width]
    edges = 90 * (zoom(rng.uniform(size=(height // 16 + 2, width // 16 + 2)), 16, order=0)[:height, :width, None] > 0.5)
    image = gaussian_filter(0.6 * blobs + edges, (0.6, 0.6, 0)) + rng.normal(0, 3, (height, width, 1))
    return np.clip(image, 0, 255).round().astype(np.uint8)


def distorted(frame: np.ndarray, *, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 8, frame.shape)
    return np.clip(gaussian_filter(frame.astype(float), (1.2, 1.2, 0)) + noise, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_equals_the_slow_twin(size):
    reference = picture(*size, seed=size[0])
    for generated in (distorted(reference, seed=1), reference[:, ::-1], 255 - reference[..., ::-1]):
        both = similarity(generated=generated[None], reference=reference[None], peak=255)
        expected = oracle.similarity(generated, reference)
        assert both.fsim[0] == pytest.approx(expected[0], rel=1e-6)
        assert both.fsimc[0] == pytest.approx(expected[1], rel=1e-6)


def test_negative_chroma_similarity_counts_with_the_real_part_of_its_power():
    """Opposite chroma makes the product negative, where a modulus instead of the real part would add 0.4 %."""
    reference = picture(96, 96, seed=2) // 4
    generated = reference.copy()
    reference[..., 0] += 120
    generated[..., 2] += 120
    planes = [oracle.yiq(frame.astype(float)) for frame in (generated, reference)]
    product = oracle.alike(planes[0][1], planes[1][1], 200) * oracle.alike(planes[0][2], planes[1][2], 200)
    assert (product < 0).mean() > 0.5
    both = similarity(generated=generated[None], reference=reference[None], peak=255)
    assert both.fsimc[0] == pytest.approx(oracle.similarity(generated, reference)[1], rel=1e-6)


@pytest.mark.parametrize("size", SIZES[:3])
def test_equal_frames_are_exactly_one(size):
    frame = picture(*size, seed=3)[None]
    both = similarity(generated=frame, reference=frame.copy(), peak=255)
    assert both.fsim[0] == 1
    assert both.fsimc[0] == 1


def test_is_symmetric():
    reference = picture(96, 80, seed=4)[None]
    generated = distorted(reference[0], seed=4)[None]
    there = similarity(generated=generated, reference=reference, peak=255)
    back = similarity(generated=reference, reference=generated, peak=255)
    assert there.fsim == pytest.approx(back.fsim, rel=1e-12)
    assert there.fsimc == pytest.approx(back.fsimc, rel=1e-12)


def test_grey_frames_have_one_reading():
    reference = picture(96, 80, seed=5)[None, ..., :1].repeat(3, axis=-1)
    generated = distorted(reference[0], seed=5)[None, ..., :1].repeat(3, axis=-1)
    both = similarity(generated=generated, reference=reference, peak=255)
    assert both.fsimc == pytest.approx(both.fsim, rel=1e-12)


def test_accessors_give_the_two_readings():
    reference = picture(64, 64, seed=6)[None]
    pair = {"generated": distorted(reference[0], seed=6)[None], "reference": reference, "peak": 255.0}
    both = similarity(**pair)
    np.testing.assert_array_equal(fsim(**pair), both.fsim)
    np.testing.assert_array_equal(fsim(**pair, chromatic=True), both.fsimc)


@pytest.mark.parametrize(("dtype", "peak"), [(np.float32, 255.0), (np.float64, 255.0), (np.float64, 1.0)])
def test_floats_of_any_peak_score_the_same(dtype, peak):
    reference = picture(80, 80, seed=7)[None]
    generated = distorted(reference[0], seed=7)[None]
    whole = similarity(generated=generated, reference=reference, peak=255)
    scaled = [(frames / 255 * peak).astype(dtype) for frames in (generated, reference)]
    floats = similarity(generated=scaled[0], reference=scaled[1], peak=peak)
    assert floats.fsim == pytest.approx(whole.fsim, rel=1e-7)
    assert floats.fsimc == pytest.approx(whole.fsimc, rel=1e-7)
    mixed = similarity(generated=(generated / 255 * 255).astype(dtype), reference=reference, peak=255)
    assert mixed.fsim == pytest.approx(whole.fsim, rel=1e-7)


def test_a_frame_does_not_depend_on_its_batch():
    reference = np.stack([picture(70, 90, seed=seed) for seed in range(4)])
    generated = np.stack([distorted(frame, seed=9) for frame in reference])
    together = similarity(generated=generated, reference=reference, peak=255)
    for index in range(4):
        one = slice(index, index + 1)
        alone = similarity(generated=generated[one], reference=reference[one], peak=255)
        assert together.fsim[index] == alone.fsim[0]
        assert together.fsimc[index] == alone.fsimc[0]


@pytest.mark.parametrize("value", [np.nan, -np.nan, np.inf, 1e200])
def test_a_pair_that_is_not_finite_gets_nan_and_its_neighbours_what_is_theirs(value):
    clean, noisy = (np.random.default_rng(seed).random((3, 40, 44, 3)) for seed in (1, 2))
    expected = similarity(generated=noisy, reference=clean, peak=1.0)
    for side in (clean, noisy):
        side[1, 5, 7, 2] = value
        found = similarity(generated=noisy, reference=clean, peak=1.0)
        for name in ("fsim", "fsimc"):
            assert np.isnan(getattr(found, name)[1])
            np.testing.assert_array_equal(getattr(found, name)[::2], getattr(expected, name)[::2])
        side[1, 5, 7, 2] = 0.5


def test_more_distortion_scores_lower():
    reference = picture(128, 128, seed=10)
    blurred = [gaussian_filter(reference, (blur_px, blur_px, 0)) for blur_px in (0.5, 1.0, 2.0, 4.0)]
    scores = fsim(generated=np.stack(blurred), reference=np.stack([reference] * 4), peak=255)
    assert (np.diff(scores) < 0).all()
    assert (scores > 0).all()


def test_frames_without_structure():
    grey = np.full((1, 64, 64, 3), 128, np.uint8)
    assert np.isnan(fsim(generated=grey, reference=grey, peak=255)).all()
    assert np.isnan(fsim(generated=grey, reference=grey // 2, peak=255, chromatic=True)).all()
    one_sided = fsim(generated=grey, reference=picture(64, 64, seed=11)[None], peak=255)
    assert 0 < one_sided[0] < 1


def test_filters_of_recent_sizes_are_kept_and_read_only():
    assert filter_bank(40, 50) is filter_bank(40, 50)
    assert filter_bank.cache_info().maxsize == 4
    assert not filter_bank(40, 50).weights.flags.writeable
    np.testing.assert_allclose(filter_bank(41, 50).weights, oracle.filters(41, 50), atol=1e-7)


def test_what_can_not_be_compared_is_refused():
    frames = np.zeros((2, 16, 16, 3), np.uint8)
    with pytest.raises(InputError, match=r"generated \(1, 16, 16, 3\) with reference \(2, 16, 16, 3\)") as caught:
        similarity(generated=frames[:1], reference=frames, peak=255)
    assert caught.value.reason == "shape mismatch"
    with pytest.raises(InputError, match="at least 2x2 px, not 16x1") as caught:
        similarity(generated=frames[:, :1], reference=frames[:, :1], peak=255)
    assert caught.value.reason == "too small"
    with pytest.raises(ProtocolError, match=r"generated frames .* not uint8 of shape \(2, 16, 16\)"):
        similarity(generated=frames[..., 0], reference=frames, peak=255)
    with pytest.raises(ProtocolError, match=r"reference frames .* not int64"):
        similarity(generated=frames, reference=frames.astype(np.int64), peak=255)
    with pytest.raises(ProtocolError, match="positive peak, not 0"):
        similarity(generated=frames, reference=frames, peak=0)
