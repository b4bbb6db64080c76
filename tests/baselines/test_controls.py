import re

import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval_baselines.controls.frames import blurred, noisy, shifted, still
from thgeval_baselines.controls.takes import CONTROLS
from thgeval_baselines.sets.clips import head, take


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(7)
    return rng.integers(0, 256, (8, 23, 31, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def performed():
    return take(head(seed=1, size=64), seed=2, seconds=1.2, first=0)


def psnr_db(first, second):
    return 10 * np.log10(255.0**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


def test_names_are_safe_as_folders_and_summaries_are_there():
    for name, control in CONTROLS.items():
        assert control.name == name
        assert re.fullmatch(r"[a-z0-9_-]+", name)
        assert control.summary


def test_every_control_keeps_lengths_and_leaves_its_input_alone(performed):
    before, heard = performed.frames.copy(), performed.sound.copy()
    for control in CONTROLS.values():
        changed = control.changed(performed)
        assert changed.frames.shape == performed.frames.shape
        assert changed.frames.dtype == np.uint8
        assert changed.sound.shape == performed.sound.shape
        assert np.array_equal(changed.frames, control.changed(performed).frames)
    assert np.array_equal(performed.frames, before)
    assert np.array_equal(performed.sound, heard)


def test_only_encoding_and_sound_controls_leave_the_frames_as_they_are(performed):
    changed = {name: control.changed(performed) for name, control in CONTROLS.items()}
    same = {name for name, take in changed.items() if np.array_equal(take.frames, performed.frames)}
    assert same == {"copy", "wrongaudio", "crf18", "crf30", "crf42"}
    other = {name for name, take in changed.items() if not np.array_equal(take.sound, performed.sound)}
    assert other == {"wrongaudio"}
    assert [name for name, control in CONTROLS.items() if control.file_copied] == ["copy"]
    assert [CONTROLS[name].crf for name in ("crf18", "crf30", "crf42")] == [18, 30, 42]


def test_a_head_that_never_blinks_moves_as_before_but_for_its_eyes(performed):
    changed = CONTROLS["noblink"].changed(performed)
    eyes = np.arange(36, 48)
    others = np.setdiff1d(np.arange(68), eyes)
    assert len(performed.track.blinks_s) > 0 == len(changed.track.blinks_s)
    assert np.array_equal(changed.landmarks[:, others], performed.landmarks[:, others])
    assert not np.array_equal(changed.landmarks[:, eyes], performed.landmarks[:, eyes])


def test_a_frozen_mouth_stays_shut_on_a_head_that_moves(performed):
    changed = CONTROLS["mouthfreeze"].changed(performed)
    gap = np.linalg.norm(changed.landmarks[:, 66] - changed.landmarks[:, 62], axis=1)
    assert np.ptp(gap) < 0.01 * performed.head.portrait.eye_distance_px
    assert np.array_equal(changed.landmarks[:, 27], performed.landmarks[:, 27])
    assert np.array_equal(changed.sound, performed.sound)


def test_wrong_audio_is_other_speech_of_the_same_kind(performed):
    changed = CONTROLS["wrongaudio"].changed(performed)
    assert abs(np.corrcoef(changed.sound, performed.sound)[0, 1]) < 0.1
    assert 0.3 < np.std(changed.sound) / np.std(performed.sound) < 3


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
