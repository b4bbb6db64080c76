"""The landmark-speech network: numpy against torch, offsets, head motion, rates, and what can't be scored."""

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.tolerances import agree

from thgeval.errors import InputError
from thgeval.features.faces import lips
from thgeval.features.frames.frames import Shown
from thgeval.features.sync import sync_lm
from thgeval.features.sync.offsets import aligned
from thgeval.features.sync.speech import voiced
from thgeval.kernels import mel
from thgeval.requirements import weights
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.portrait import portrait
from thgeval_baselines.sets.track import track

FPS = 25


@pytest.fixture(scope="module")
def head():
    return Head.of(portrait(seed=1, size=256))


def talking(head, *, number=0, seconds=4.0, fps=FPS, seed=0):
    """Landmarks (frames, 1, 68, 2) of a synthetic head that says one of the shipped sentences, and its speech."""
    made = track(seed=seed, seconds=seconds, fps=fps, first=number)
    return np.stack([head.landmarks(frame) for frame in made.frames()])[:, None], made.speech.samples


def shown(points, fps=FPS, times=None):
    times = np.arange(len(points)) / fps if times is None else times
    return Shown(np.tile([256, 256], (len(points), 1)), np.full(len(points), 1 / fps), times)


def synced(points, samples, fps=FPS, times=None, **parameters):
    voice = voiced(mel.loudness(samples, window=480))
    return sync_lm.sync_lm.compute(points, shown(points, fps, times), mel.log_mel(samples), voice, **parameters)


def late(samples, frames):
    """The sound delayed by so many frames of 40 ms, or earlier if negative."""
    shift = frames * 640
    if shift >= 0:
        return np.concatenate([np.zeros(shift, np.float32), samples])[: len(samples)]
    return np.concatenate([samples[-shift:], np.zeros(-shift, np.float32)])


def test_numpy_gives_what_torch_gives():
    torch = pytest.importorskip("torch")
    from thgeval_models import networks

    network = networks.network("sync-lm", weights.path("sync-lm"))
    rng = np.random.default_rng(3)
    seen = rng.standard_normal((61, lips.COLUMNS)).astype(np.float32)
    heard = rng.standard_normal((4 * 61, 40)).astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(seen.T[None].copy()), torch.from_numpy(heard.T[None].copy()))
    for rows, layers, other in zip((seen, heard), (sync_lm.LIP_LAYERS, sync_lm.VOICE_LAYERS), expected, strict=True):
        found = sync_lm.embedded(rows, sync_lm.towers(), layers)
        assert found.shape == (61, 48)
        agree(found, other[0].T, "sync-lm")


def test_the_shipped_file_is_small_and_the_one_in_the_manifest():
    entry = weights.entry("sync-lm")
    path = weights.path("sync-lm")
    assert path.stat().st_size == entry.bytes < 2_000_000
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
    assert weights.standing("sync-lm") == "embedded"
    assert all(tensor.dtype == np.float32 for tensor in load_file(path).values())


@pytest.mark.parametrize("number", range(4))
def test_the_offset_is_linear_in_the_shift(head, number):
    """On synthetic clips the offset of an unshifted clip is the documented bias, and a delay of k lowers it by k."""
    points, samples = talking(head, number=number)
    offsets = [synced(points, late(samples, shift))[0].alignment.offset for shift in range(-10, 11)]
    assert np.abs(np.add(offsets, range(-10, 11)) - BIAS).max() <= 1
    assert np.mean(np.add(offsets, range(-10, 11)) == BIAS) > 0.7


BIAS = 0
"""Frames by which a synthetic head seems ahead of its sound: what reference_models/sync_lm.md says."""


def test_the_right_sound_is_told_from_another(head):
    clips = [talking(head, number=number, seed=number) for number in range(4)]
    right = [synced(points, samples)[0].alignment.confidence for points, samples in clips]
    wrong = [synced(clips[number][0], clips[(number + 1) % 4][1])[0].alignment.confidence for number in range(4)]
    assert np.mean(right) > np.mean(wrong) + 0.05


@pytest.mark.parametrize("fps", [24, 30, 50, 60])
def test_other_rates_give_the_same_offset(head, fps):
    points, samples = talking(head, fps=fps)
    assert abs(synced(points, samples, fps)[0].alignment.offset - BIAS) <= 1


def test_frames_at_uneven_times_give_the_same_offset(head):
    points, samples = talking(head)
    kept = np.random.default_rng(0).random(len(points)) > 0.3
    kept[:25] = np.arange(25) % 2 == 0
    times = np.flatnonzero(kept) / FPS
    for fps in (FPS, kept.sum() / len(points) * FPS):  # what such a file states, and what is true on average
        found = synced(points[kept], samples, fps, times)[0]
        assert abs(found.alignment.offset - synced(points, samples)[0].alignment.offset) <= 1
        assert len(found.seen) == int(times[-1] * FPS + 1e-6) + 1


def test_frames_whose_times_go_back_are_refused(head):
    points, samples = talking(head)
    times = np.r_[np.arange(13), np.arange(len(points) - 13)] / FPS
    with pytest.raises(InputError, match="the times of its frames go back") as raised:
        synced(points, samples, FPS, times)
    assert raised.value.reason == "frame times"


def test_moving_turning_and_scaling_the_picture_changes_little(head):
    points, samples = talking(head)
    before = synced(points, samples)[0].alignment
    angle = np.deg2rad(12)
    turn = 2.5 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    after = synced(points @ turn + [300, -40], samples)[0].alignment
    assert np.allclose(before.distances, after.distances, atol=1e-4, equal_nan=True)


def test_a_mirrored_picture_gives_the_same(head):
    points, _ = talking(head)
    partner = np.arange(68)
    for first, second in [*lips._PAIRS, *zip(range(36, 42), (45, 44, 43, 42, 47, 46), strict=True), (31, 35), (32, 34)]:
        partner[first], partner[second] = second, first
    mirrored = points[:, 0, partner] * [-1, 1]
    times = np.arange(len(points)) / FPS
    assert np.allclose(lips.lips(points[:, 0], times).rows, lips.lips(mirrored, times).rows, atol=1e-4)


def test_gain_changes_nothing(head):
    points, samples = talking(head)
    loud, quiet = (synced(points, samples * np.float32(gain))[0].alignment.distances for gain in (1.0, 0.2))
    assert np.allclose(loud, quiet, atol=5e-3, equal_nan=True)


def test_rows_without_a_face_are_left_out_and_the_others_hardly_change(head):
    points, samples = talking(head)
    whole = synced(points, samples)[0]
    points[40:46] = np.nan
    gap = synced(points, samples)[0]
    assert not gap.seen[40:46].any()
    assert gap.seen.sum() == whole.seen.sum() - 6
    assert np.isnan(gap.alignment.distances[40:46]).all()
    far = np.r_[0:30, 60:90]
    same = np.isclose(gap.alignment.distances[far], whole.alignment.distances[far], atol=0.1)
    assert np.mean(same | np.isnan(whole.alignment.distances[far])) > 0.95


def test_long_clips_are_scored_like_short_ones(head):
    parts = [talking(head, number=number % 4, seed=number) for number in range(15)]
    points = np.concatenate([part[0] for part in parts])
    samples = np.concatenate([part[1] for part in parts])
    found = synced(points, samples)[0].alignment
    assert len(points) == 60 * FPS
    assert abs(found.offset - BIAS) <= 1
    assert found.windows == 60 * FPS


def test_ten_seconds_take_less_than_a_third_of_one(head):
    points, samples = talking(head)
    points, samples = (np.concatenate([part, part, part])[: 250 * size] for part, size in ((points, 1), (samples, 640)))
    synced(points, samples)
    spent = time.process_time()
    synced(points, samples)
    assert time.process_time() - spent < 0.3


def test_what_cannot_be_scored_says_why(head):
    points, samples = talking(head)
    cases = {
        "no voice": (points, samples * 0),
        "no face": (np.full_like(points, np.nan), samples),
        "too short": (points[:16], samples),
        "no frame rate": (points, samples),
    }
    for reason, (given, sound) in cases.items():
        with pytest.raises(InputError) as raised:
            synced(given, sound, fps=np.nan if reason == "no frame rate" else FPS)
        assert raised.value.reason == reason


def test_sound_that_ends_early_leaves_rows_without_partners(head):
    points, samples = talking(head)
    found = synced(points, samples[: 2 * 16000])[0]
    assert found.alignment.windows == 50
    assert found.seen[:50].all()
    assert not found.seen[50:].any()


def test_windows_without_a_partner_are_left_out_of_means():
    rng = np.random.default_rng(0)
    seen, heard = rng.standard_normal((2, 20, 5))
    found = aligned(seen=seen, heard=heard, furthest=3, zeros=False)
    for column, shift in enumerate(range(-3, 4)):
        pairs = [(i, i + shift) for i in range(20) if 0 <= i + shift < 20]
        slow = np.mean([np.linalg.norm(seen[i] + 1e-6 - heard[j]) for i, j in pairs])
        assert found.curve[column] == pytest.approx(slow, rel=1e-12)
    assert np.nanmean(found.confidences) == pytest.approx(found.confidence)


REAL = Path(__file__).parents[2] / ".." / "shared" / "assets" / "clips"
