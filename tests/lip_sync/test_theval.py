"""THEval's two measures, its scores, and the envelope score against slow twins, on made-up landmarks and sound."""

import numpy as np
import pytest

from thgeval import registry
from thgeval.errors import InputError, ProtocolError
from thgeval.features.frames.frames import Shown
from thgeval.features.sync import envelope
from thgeval.features.sync.speech import voiced
from thgeval.kernels import mel
from thgeval.metrics import METRICS
from thgeval.metrics.sync.theval import heard_by_frames
from thgeval.metrics.theval import TRUTH, closeness, final_score
from thgeval.states import ClipMean

FPS = 25
FRAMES = 100


class View:
    """A view that hands out what it was given, by a feature's name."""

    clip = "clip"
    start = 0

    def __init__(self, **values):
        self.values = values

    @property
    def generated(self):
        return self

    def __getitem__(self, feature):
        return self.values[feature.name]


@pytest.fixture(scope="module")
def samples():
    """Bursts of noise of changing loudness, with silence from 1.2 to 2 s."""
    rng = np.random.default_rng(1)
    time = np.arange(FRAMES * 640) / 16000
    loudness = 0.1 + 0.1 * np.sin(2 * np.pi * 3 * time) * np.sin(2 * np.pi * 0.7 * time)
    loudness[(time > 1.2) & (time < 2.0)] = 0
    return (loudness * rng.standard_normal(len(time))).astype(np.float32)


@pytest.fixture(scope="module")
def points():
    """A face whose lips part at random: (frames, 1, 68, 2)."""
    rng = np.random.default_rng(2)
    face = rng.uniform(0, 200, (68, 2))
    face[[36, 39, 42, 45]] = [(60, 80), (80, 81), (120, 82), (140, 80)]
    moving = np.repeat(face[None, None], FRAMES, axis=0)
    moving[:, :, [61, 62, 63], 1] = 150
    moving[:, :, [65, 66, 67], 1] = 150 + rng.uniform(0, 20, (FRAMES, 1, 1))
    return moving


def shown_at(times, fps=FPS):
    return Shown(np.tile([256, 256], (len(times), 1)), np.full(len(times), 1 / fps), times)


def view(points, samples, fps=FPS):
    levels = mel.loudness(samples, window=800)
    return View(
        shapes=points,
        people=np.zeros((len(points), 1), np.int64),
        **{"how-shown": shown_at(np.arange(len(points)) / fps, fps)},
        loudness=levels,
        voice=voiced(mel.loudness(samples, window=480)),
    )


def slow_volume(samples, fps, frames):
    """Root mean square of 50 ms around every 50 ms, zeros beyond the ends, on straight lines at the frames' times."""
    padded = np.pad(samples.astype(float), 400)
    coarse = [np.sqrt(np.mean(padded[at : at + 800] ** 2)) for at in range(0, len(samples) + 1, 800)]
    return np.interp(np.arange(frames) / fps, np.arange(len(coarse)) * 0.05, coarse)


def slow_speech(samples, fps, frames):
    voice = voiced(mel.loudness(samples, window=480))
    speech, column = set(), 0
    while column < len(voice):
        if not voice[column]:
            column += 1
            continue
        end = column
        while end < len(voice) and voice[end]:
            end += 1
        speech |= set(range(int(column * 0.01 * fps), min(int(end * 0.01 * fps) + 1, frames)))
        column = end
    return np.array([frame in speech for frame in range(frames)])


@pytest.mark.parametrize("fps", [24, 25, 30])
def test_lip_sync_equals_a_slow_twin(points, samples, fps):
    metric = registry.metric("lip-sync-theval").metric
    state = metric.measure(view(points, samples, fps))
    opening = np.abs(points[:, 0, [61, 62, 63], 1].mean(axis=1) - points[:, 0, [65, 66, 67], 1].mean(axis=1)) / 60
    opening *= 60 / (130 - 70)
    speech, volume = slow_speech(samples, fps, FRAMES), slow_volume(samples, fps, FRAMES)
    sides = [side[speech] for side in (opening, volume)]
    one, two = ((side - side.min()) / (side.max() - side.min() + 1e-8) for side in sides)
    assert metric.score(state) == pytest.approx(np.mean(np.abs(one - two)), rel=1e-9)
    assert state.left_out == {"no speech": FRAMES - speech.sum()}


def test_silent_lip_stability_equals_a_slow_twin(points, samples):
    metric = registry.metric("silent-lip-stability").metric
    state = metric.measure(view(points, samples))
    silent = np.flatnonzero(~slow_speech(samples, FPS, FRAMES))
    assert np.array_equal(silent, np.arange(silent[0], silent[-1] + 1))
    assert len(silent) >= 0.3 * FPS
    gap = np.abs(points[silent, 0][:, [61, 62, 63], 1] - points[silent, 0][:, [67, 66, 65], 1]).mean(axis=1) / 80
    assert metric.score(state) == pytest.approx(np.median(np.abs(gap - gap.mean())), rel=1e-9)
    assert state.frames == len(silent)


def test_resting_lips_are_steady_and_the_remark_says_the_published_form(points, samples):
    metric = registry.metric("silent-lip-stability").metric
    still = np.repeat(points[:1], FRAMES, axis=0)
    state = metric.measure(view(still, samples))
    assert metric.score(state) == pytest.approx(0, abs=1e-12)
    assert metric.remark(state).endswith("0.0000")


VALUES = dict(zip(TRUTH, (5.1, 31.5, 0.38, 0.9, 4.25, 0.0101, 0.021, 0.3), strict=True))
OTHERS = dict(zip(TRUTH, (4.4, 28.0, 0.5, 1.2, 9.0, 0.005, 0.03, 0.27), strict=True))


def test_the_final_score_is_what_its_program_gives():
    """compute_final_scores of Newbyl/THEval@3603338, theval/scoring.py, beside its videos and others."""
    assert final_score(VALUES) == pytest.approx(0.6655330467302348, rel=1e-12)
    assert final_score(VALUES, OTHERS) == pytest.approx(0.6583775252525254, rel=1e-12)
    assert final_score(TRUTH) == 1.0
    assert closeness(2.0, 8.0) == closeness(14.0, 8.0) == 0.25
    assert closeness(1.0, -4.0) == -0.25


def test_the_final_score_is_of_eight_metrics_that_there_are():
    assert set(TRUTH) <= METRICS.keys()
    with pytest.raises(ProtocolError, match="of eight metrics; mouth-quality-theval has no value"):
        final_score({name: value for name, value in VALUES.items() if name != "mouth-quality-theval"})
    with pytest.raises(ProtocolError, match="which is 0 of lip-sync-theval"):
        final_score(VALUES, OTHERS | {"lip-sync-theval": 0.0})


def test_what_cannot_be_scored_says_why(points, samples):
    lip_sync, stability = (registry.metric(key).metric for key in ("lip-sync-theval", "silent-lip-stability"))
    loud = np.abs(np.random.default_rng(0).standard_normal(len(samples))).astype(np.float32) * 0.1
    cases = [
        (lip_sync, points, samples * 0, "no voice"),
        (lip_sync, points * np.nan, samples, "no face"),
        (stability, points, loud, "no pause"),
        (stability, points * np.nan, samples, "no face"),
    ]
    for metric, face, sound, reason in cases:
        with pytest.raises(InputError) as raised:
            metric.measure(view(face, sound))
        assert raised.value.reason == reason


def test_stretches_of_voice_reach_into_the_frames_they_touch():
    voice = np.zeros(100, bool)
    voice[13:30] = True
    heard = heard_by_frames(voice, np.ones(100), 25, 25.0)
    assert np.array_equal(np.flatnonzero(heard.speech), np.arange(3, 8))


@pytest.mark.parametrize("late", [-6, 0, 4])
def test_the_best_shift_is_found_with_its_sign(late):
    rng = np.random.default_rng(4)
    seen = np.convolve(rng.standard_normal(140), np.ones(5), mode="same")
    heard = np.roll(seen, late) + 0.1 * rng.standard_normal(140)
    offset, products = envelope.best_shift(seen, heard, 15)
    assert offset == -late
    pairs = [(seen[i], heard[i + late]) for i in range(140) if 0 <= i + late < 140]
    assert np.nanmean(products) == pytest.approx(np.corrcoef(*np.transpose(pairs))[0, 1], rel=1e-9)
    assert np.isnan(products).sum() == abs(late)


def test_nothing_correlates_with_what_never_changes():
    assert np.isnan(envelope.best_shift(np.ones(80), np.random.default_rng(0).standard_normal(80), 5)[1]).all()
    assert np.isnan(envelope.best_shift(np.arange(12.0), np.arange(12.0), 5)[1]).all()


def test_levels_are_taken_off_over_what_is_there():
    values = np.concatenate([np.arange(60.0), [np.nan] * 10, np.arange(60.0)])
    found = envelope.levelled(values)
    assert np.array_equal(np.isnan(found), np.isnan(values))
    for row in (0, 30, 75, 129):
        around = values[max(0, row - 25) : row + 26]
        assert found[row] == pytest.approx(values[row] - np.nanmean(around))


@pytest.mark.parametrize(("seconds", "expected"), [(3, 0.36), (10, 0.19), (40, 0.09)])
def test_chance_falls_with_the_length_of_a_clip(seconds, expected):
    """The figures of the docstring; independent noise of another seed scores the same within its spread."""
    rows = seconds * 25
    assert envelope.chance(rows, 15) == pytest.approx(expected, abs=0.01)
    rng = np.random.default_rng(7)
    drawn = []
    for _ in range(30):
        seen, heard = (
            envelope.levelled(np.convolve(own, [0.6, 1, 0.6], "valid")) for own in rng.normal(size=(2, rows + 2))
        )
        drawn.append(np.nanmean(envelope.best_shift(seen, heard, 15)[1]))
    assert np.mean(drawn) == pytest.approx(expected, abs=0.06)
    assert abs(envelope.chance(rows, 0)) < 0.06


def test_the_result_says_what_chance_scores():
    metric = registry.metric("sync-envelope").metric
    state = ClipMean.of("a", np.full(75, 0.5)) + ClipMean.of("b", np.full(75, 0.4))
    assert metric.remark(state) == (
        "lips and sound that have nothing to do with each other score 0.36 by chance in clips of 3.0 s: compare clips "
        "of one length"
    )
    assert registry.metric("sync-envelope/unshifted").metric.remark(state) is None
