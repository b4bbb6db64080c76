import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval_baselines.photo.geometry import PARAMETERS, RANGES
from thgeval_baselines.sets.track import track


def loudness(samples, frames):
    """Root mean square of each frame's stretch of sound."""
    return np.sqrt(np.mean(np.square(samples.astype(float)).reshape(frames, -1), axis=1))


def runs_above(curve, level):
    return int(np.sum(np.diff(np.concatenate([[0], (curve > level).astype(int)])) == 1))


def test_the_same_seed_moves_and_sounds_the_same_and_another_does_not():
    first, again, other = track(seed=1), track(seed=1), track(seed=2)
    assert np.array_equal(first.values, again.values)
    assert np.array_equal(first.speech.samples, again.speech.samples)
    assert not np.array_equal(first.values, other.values)


@pytest.mark.parametrize("seed", range(8))
def test_every_blink_that_is_listed_is_made_and_no_other(seed):
    made = track(seed=seed, seconds=6.0)
    assert len(made.blinks_s) >= 2
    assert runs_above(made["blink"], 0.3) == len(made.blinks_s)
    times_s = np.arange(len(made)) / made.fps
    during = np.zeros(len(made), bool)
    for start, end in made.blinks_s:
        during |= (times_s >= start) & (times_s <= end)
        assert made["blink"][(times_s >= start) & (times_s <= end)].max() > 0.8
    assert made["blink"][~during].max() == 0


def test_loudness_follows_the_mouth_without_offset():
    made = track(seed=0, seconds=16.0, first=0)
    heard = np.sqrt(loudness(made.speech.samples, len(made)))
    correlation = [np.corrcoef(heard[5:-5], np.roll(made["aperture"], lag)[5:-5])[0, 1] for lag in range(-5, 6)]
    assert max(correlation) > 0.5  # vowels are loud and open; consonants keep it from 1
    assert np.argmax(correlation) in (4, 5, 6)


def test_silence_is_dithered_not_zero():
    made = track(seed=3)
    silent = made.speech.samples[:4800]
    assert made["aperture"][:6].max() < 1e-3
    assert 0 < np.abs(silent).max() < 1e-4
    assert np.mean(silent == 0) < 0.01
    assert np.abs(made.speech.samples).max() <= 1


def test_parameters_can_be_held_at_rest():
    made = track(seed=1)
    held = made.held("blink", "aperture")
    assert held["blink"].max() == held["aperture"].max() == 0
    assert len(made.blinks_s) > 0 == len(held.blinks_s)
    assert np.array_equal(held["yaw"], made["yaw"])


def test_the_first_frame_is_at_rest():
    for seed in range(5):
        first = track(seed=seed).frames()[0]
        assert (first.aperture, first.blink, first.yaw, first.pitch, first.roll, first.tx, first.ty) == (0,) * 7


@pytest.mark.parametrize(("seconds", "fps"), [(1.0, 24), (4.0, 25), (2.5, 30)])
def test_lengths_and_ranges(seconds, fps):
    made = track(seed=0, seconds=seconds, fps=fps)
    assert len(made) == len(made.frames()) == round(seconds * fps)
    assert len(made.speech.samples) == round(len(made) / fps * 16000)
    for name in PARAMETERS:
        low, high = RANGES[name]
        assert low <= made[name].min()
        assert made[name].max() <= high


@pytest.mark.parametrize(("seconds", "fps"), [(0.5, 25), (1000, 25), (4, 5), (4, 200)])
def test_tracks_that_make_no_sense_are_refused(seconds, fps):
    with pytest.raises(ProtocolError, match="can't be made, ask for"):
        track(seed=0, seconds=seconds, fps=fps)
