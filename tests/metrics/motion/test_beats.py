"""Beats of heads and of speech: copies, still heads, other rates, and clips too short for any."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.io import wavfile
from support.clips import written_at

from thgeval.clip import Clip, Pair
from thgeval.engine.run import Options, execute
from thgeval.features.heads.beats import BEATS, beats
from thgeval.features.sync.prosody import energies, onsets
from thgeval.pairing import Pairing


def nods(count, every, first=6, rate=25):
    """A head that nods once in a while, quickly, (count, 3) deg."""
    time = np.arange(count) * 25 / rate
    pitch = sum(8 / (1 + np.exp(-(time - at))) * (-1) ** k for k, at in enumerate(range(first, 400, every)))
    return np.stack([np.zeros(count), pitch, np.zeros(count)], axis=1)


@pytest.fixture
def judged(tmp_path):
    """Scores of one pair of clips with these poses, and speech with bursts at these seconds."""

    def of(generated, reference, *requests, bursts=(), rate=25):
        sides = []
        for side, pose in (("g", generated), ("r", reference)):
            grey = np.full((len(pose), 16, 16, 3), 90, np.uint8)
            path = written_at(tmp_path / f"{side}.mkv", grey, range(len(pose)), Fraction(1, rate))
            np.savez(path.with_suffix(".faces.npz"), pose_deg=pose)
            sides.append(Clip(side, path))
        time = np.arange(round(len(generated) / rate * 16000)) / 16000
        swell = sum((np.exp(-(((time - at) / 0.03) ** 2)) for at in bursts), np.zeros(len(time)))
        noise = np.random.default_rng(0).normal(0, 3000, len(time))
        wavfile.write(tmp_path / "a.wav", 16000, np.rint(noise * swell).astype(np.int16))
        pair = Pair("a", *sides, audio=tmp_path / "a.wav")
        return execute(Pairing((pair,), ()), requests, "native", Options(workers=1)).scores

    return of


def test_beats_lie_where_the_head_turns_fastest():
    found = beats(nods(100, 20), "speed")
    assert found.tolist() == pytest.approx([6.5, 26.5, 46.5, 66.5, 86.5], abs=1.01)
    assert all(len(beats(nods(100, 20), kind)) >= 4 for kind in BEATS if kind != "direction")


def test_a_head_beats_with_itself_and_less_with_one_that_nods_at_other_times(judged):
    same = judged(nods(100, 20), nods(100, 20), "bas:estimator=npz")["bas:estimator=npz"]
    other = judged(nods(100, 20), nods(100, 20, first=16), "bas:estimator=npz")["bas:estimator=npz"]
    assert (same.value, other.value < 0.1) == (1.0, True)


def test_heads_that_nod_with_the_voice_beat_with_it_at_any_rate(judged):
    bursts = [(6 + 20 * k) / 25 for k in range(5)]
    for rate in (25, 50):
        scores = judged(
            nods(4 * rate, 20, rate=rate),
            nods(4 * rate, 20, rate=rate),
            "pbas:estimator=npz,events=energy",
            bursts=bursts,
            rate=rate,
        )
        (score,) = scores.values()
        assert score.value > 0.9
    away = judged(nods(100, 20, first=16), nods(100, 20), "pbas:estimator=npz,events=energy", bursts=bursts)
    (score,) = away.values()
    assert score.value < 0.2


def test_a_still_head_scores_0_beside_one_that_beats_and_nothing_beside_a_still_one(judged):
    still, asked = np.zeros((50, 3)), ("bas:estimator=npz", "pbas:estimator=npz")
    scores = judged(still, nods(50, 20), *asked, bursts=[0.3, 1.1])
    assert [scores[request].value for request in asked] == [0.0, 0.0]
    assert scores[asked[0]].frames_left_out == {"no beat, counted as 0": 50}
    assert judged(still, still, asked[0])[asked[0]].left_out == {"no beat": 1}


def test_faces_that_are_lost_fail_the_clip_unless_poses_are_held(judged):
    lost = nods(60, 20)
    lost[[0, 30]] = np.nan
    scores = judged(lost, nods(60, 20), "bas:estimator=npz", "bas:estimator=npz,missing=hold")
    assert scores["bas:estimator=npz"].left_out == {"no face": 1}
    assert scores["bas:missing=hold,estimator=npz"].value > 0.8


def test_eight_frames_are_too_few(judged):
    assert judged(nods(8, 20), nods(8, 20), "bas:estimator=npz")["bas:estimator=npz"].left_out == {"too short": 1}


@pytest.mark.parametrize("samples", [1, 700, 1281, 5000])
def test_strengths_have_a_value_every_40_ms_however_short_the_sound(samples):
    sound = np.random.default_rng(samples).normal(0, 0.1, samples)
    assert len(onsets(sound)) == len(energies(sound)) == 1 + samples // 640
