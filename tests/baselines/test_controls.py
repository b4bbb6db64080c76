import re

import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval_baselines.controls import CONTROLS, blurred, noisy, shifted, still


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(7)
    return rng.integers(0, 256, (8, 23, 31, 3)).astype(np.uint8)


def psnr_db(first, second):
    return 10 * np.log10(255.0**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


def test_names_are_safe_as_folders_and_summaries_are_there():
    for name, control in CONTROLS.items():
        assert control.name == name
        assert re.fullmatch(r"[a-z0-9_-]+", name)
        assert control.summary


def test_every_control_keeps_shape_and_type_and_leaves_its_input_alone(frames):
    before = frames.copy()
    for control in CONTROLS.values():
        changed = control.frames(frames)
        assert changed.shape == frames.shape
        assert changed.dtype == np.uint8
        assert np.array_equal(changed, control.frames(frames))
    assert np.array_equal(frames, before)


def test_only_encoding_controls_leave_the_frames_as_they_are(frames):
    same = {name for name, control in CONTROLS.items() if np.array_equal(control.frames(frames), frames)}
    assert same == {"copy", "crf18", "crf30", "crf42"}
    assert [name for name, control in CONTROLS.items() if control.file_copied] == ["copy"]
    assert [CONTROLS[name].crf for name in ("crf18", "crf30", "crf42")] == [18, 30, 42]


def test_still_repeats_the_first_frame(frames):
    assert (still(frames) == frames[0]).all()


def test_shift_delays_and_holds_the_end(frames):
    late = shifted(frames, by=5)
    assert np.array_equal(late[5:], frames[:3])
    assert (late[:5] == frames[0]).all()
    early = shifted(frames, by=-2)
    assert np.array_equal(early[:6], frames[2:])
    assert (early[6:] == frames[-1]).all()
    with pytest.raises(ProtocolError, match="8 frames can't be shifted by 8"):
        shifted(frames, by=8)


def test_more_of_it_is_further_from_the_original(frames):
    assert psnr_db(blurred(frames, sigma_px=1.0), frames) > psnr_db(blurred(frames, sigma_px=3.0), frames)
    assert psnr_db(noisy(frames, sigma=2.0), frames) > psnr_db(noisy(frames, sigma=5.0), frames)


def test_noise_has_the_stated_strength_and_differs_between_frames():
    grey = np.full((4, 64, 64, 3), 128, np.uint8)
    added = noisy(grey, sigma=5.0).astype(float) - 128
    assert added.std() == pytest.approx(5.0, rel=0.03)
    assert added.mean() == pytest.approx(0, abs=0.1)
    assert abs(np.corrcoef(added[0].ravel(), added[1].ravel())[0, 1]) < 0.05


def test_blur_matches_a_plain_convolution():
    frame = np.zeros((1, 21, 21, 3), np.uint8)
    frame[0, 10, 10] = 255
    offsets = np.arange(-10, 11)
    kernel = np.exp(-(offsets**2) / 2)
    kernel /= kernel.sum()
    assert np.abs(blurred(frame, sigma_px=1.0)[0, ..., 0] - 255 * np.outer(kernel, kernel)).max() <= 1.0
