"""CPBD against its slow twin, its off-by-one, and what its presets do differently."""

from dataclasses import asdict

import numpy as np
import pytest
from oracles import cpbd as oracle
from scipy.ndimage import gaussian_filter, zoom

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.cpbd import RULES, canny, cpbd, gradients

SIZES = [(64, 64), (65, 131), (128, 191), (191, 129)]


def texture(height: int, width: int, *, seed: int, blur_px: float = 0.6) -> np.ndarray:
    """Blobs, edges and grain: (height, width) uint8."""
    rng = np.random.default_rng(seed)
    blobs = zoom(rng.uniform(0, 255, (height // 8 + 2, width // 8 + 2)), 8, order=1)[:height, :width]
    edges = 90 * (zoom(rng.uniform(size=(height // 16 + 2, width // 16 + 2)), 16, order=0)[:height, :width] > 0.5)
    image = gaussian_filter(0.6 * blobs + edges + rng.normal(0, 4, (height, width)), blur_px)
    return np.clip(image, 0, 255).round().astype(np.uint8)


def ramps(width_px: int, *, step: int) -> np.ndarray:
    """(64, 128): one edge rises and one falls by ``step`` levels in each of ``width_px`` columns, a block apiece."""
    rise = step * np.clip(np.arange(64) - 30, 0, width_px)
    return np.repeat([60 + np.concatenate([rise, rise[::-1]])], 64, axis=0).astype(np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("blur_px", [0.4, 1.2, 3.0])
def test_equals_the_slow_twin(size, blur_px):
    frame = texture(*size, seed=size[1], blur_px=blur_px)
    assert cpbd(frame[None])[0] == pytest.approx(oracle.matlab(frame), abs=1e-12)
    assert cpbd(frame[None], cut=62)[0] == pytest.approx(oracle.matlab(frame, cut=62), abs=1e-12)


def test_matlab_canny_equals_the_slow_twin_pixel_for_pixel():
    frame = texture(130, 97, seed=3)
    found = np.empty((3, *frame.shape))
    thresholds = gradients.matlab_gradients(frame.astype(np.float64), found)
    for ours, theirs in zip(found, oracle.matlab_gradients(frame), strict=True):
        np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-10)
    np.testing.assert_array_equal(canny.edges(canny.peaks(found, *thresholds)), oracle.matlab_canny(frame))


def test_single_precision_gradients_are_bounded():
    frame = texture(130, 97, seed=4)
    found = np.empty((3, *frame.shape), np.float32)
    gradients.matlab_gradients(frame.astype(np.float32), found)
    assert np.abs(found[2] - oracle.matlab_gradients(frame)[2]).max() < 1e-4


def test_weak_peaks_count_where_they_are_linked_to_strong_ones():
    marks = np.zeros((130, 200), np.uint8)
    marks[20:29, 20] = canny.STRONG
    marks[40:90, 100] = canny.WEAK
    marks[39, 101] = canny.STRONG
    marks[70:110, 30] = canny.WEAK
    marks[10:18, 150] = canny.WEAK
    marks[80:88, 160] = canny.STRONG
    linked = canny.edges(marks)
    assert linked[40:90, 100].all()
    assert not linked[70:110, 30].any()
    np.testing.assert_array_equal(canny.edge_blocks(marks), [[True, True, False], [False, True, False]])
    marks[88, 161] = canny.WEAK
    assert canny.edge_blocks(marks)[1, 2]


@pytest.mark.parametrize(
    ("width_px", "step", "up_to_63", "up_to_62"),
    [(2, 45, 1, 1), (3, 30, 1, 0), (4, 20, 0, 0), (3, 16, 1, 1), (5, 10, 1, 0), (5, 11, 0, 0), (6, 8, 0, 0)],
)
def test_edges_of_just_noticeable_width_hang_on_one_bucket(width_px, step, up_to_63, up_to_62):
    """1 - 1/e rounds to 63 %: edges of 3 px, or 5 px up to a contrast of 50, are sharp only if bucket 63 counts."""
    frame = ramps(width_px, step=step)
    assert set(oracle.widths(frame, oracle.matlab_sobel(frame)).ravel()) == {0, width_px}
    assert cpbd(frame[None])[0] == up_to_63
    assert cpbd(frame[None], cut=62)[0] == up_to_62


def test_sharp_scores_above_blurred():
    frame = texture(256, 256, seed=6, blur_px=0.4)
    blurred = [gaussian_filter(frame.astype(float), blur_px).round().astype(np.uint8) for blur_px in (0.8, 1.6, 3.2)]
    for rules in RULES.values():
        scores = cpbd(np.stack([frame, *blurred]), **asdict(rules))
        assert (np.diff(scores) <= 0).all()
        assert scores[0] > scores[2] + 0.05


@pytest.mark.parametrize("preset", RULES)
def test_a_frame_does_not_depend_on_its_batch(preset):
    rules = asdict(RULES[preset])
    clip = np.stack([texture(130, 140, seed=seed) for seed in range(5)])
    together = cpbd(clip, **rules)
    np.testing.assert_array_equal(together, [cpbd(frame[None], **rules)[0] for frame in clip])
    np.testing.assert_array_equal(together[::-1], cpbd(clip[::-1], **rules))
    assert together.dtype == np.float64
    assert together.shape == (5,)


@pytest.mark.parametrize("preset", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_of_the_same_luma_score_the_same(preset, dtype):
    frame = texture(128, 128, seed=7)[None]
    rules = asdict(RULES[preset])
    np.testing.assert_array_equal(cpbd(frame.astype(dtype), **rules), cpbd(frame, **rules))


@pytest.mark.parametrize("preset", RULES)
def test_no_edges_is_zero(preset):
    assert cpbd(np.full((2, 64, 96), 130, np.uint8), **asdict(RULES[preset])).tolist() == [0, 0]


def test_what_is_left_over_beside_whole_blocks_does_not_count():
    frame = np.full((100, 100), 90, np.uint8)
    frame[:64, 30:] = 180
    widened = np.pad(frame, ((0, 20), (0, 20)), mode="edge")
    assert cpbd(frame[None])[0] == cpbd(widened[None])[0] == 1


def test_python_cpbd_measures_nothing_where_all_gradients_point_right():
    frame = np.full((64, 64), 60, np.uint8)
    frame[:, 31], frame[:, 32:] = 120, 180
    assert cpbd(frame[None])[0] == 1
    assert cpbd(frame[None], **asdict(RULES["python-cpbd"]))[0] == 0
    assert cpbd(frame[None, :, ::-1], **asdict(RULES["python-cpbd"]))[0] == 1


def test_atvgnet_walks_over_plateaus_to_the_right_of_falling_edges():
    line = np.full(64, 200)
    line[30:] = [120, 120, 60, *[60] * 31]
    frame = np.repeat(line[None], 64, axis=0).astype(np.uint8)
    frame[0] = frame[1] + 1
    strict = cpbd(frame[None], edges="unthinned", canny="skimage", widths="marziliano", cut=63)[0]
    lenient = cpbd(frame[None], edges="unthinned", canny="skimage", widths="atvgnet", cut=63)[0]
    assert strict == 1
    assert lenient < 0.5


def test_the_last_bucket_decides_monotonically():
    frame = texture(192, 192, seed=8)[None]
    scores = [cpbd(frame, cut=cut)[0] for cut in range(100)]
    assert (np.diff(scores) >= 0).all()
    assert scores[0] == 0


@pytest.mark.parametrize("shape", [(1, 63, 200), (1, 200, 63), (2, 1, 1)])
def test_frames_without_a_whole_block_are_refused(shape):
    with pytest.raises(InputError, match=f"{shape[2]}x{shape[1]} px hold no whole block") as caught:
        cpbd(np.zeros(shape, np.uint8))
    assert caught.value.reason == "too small"


def test_unknown_rules_and_arrays_are_refused():
    luma = np.zeros((1, 64, 64), np.uint8)
    with pytest.raises(ProtocolError, match="cpbd: edges must be one of thinned, octave, unthinned, not 'sobel'"):
        cpbd(luma, edges="sobel")
    with pytest.raises(ProtocolError, match="cpbd: cut must be at least 0 and at most 99, not 100"):
        cpbd(luma, cut=100)
    with pytest.raises(ProtocolError, match=r"not int64 of shape \(1, 64, 64\)"):
        cpbd(luma.astype(np.int64))
    with pytest.raises(ProtocolError, match=r"of shape \(64, 64\)"):
        cpbd(luma[0])
