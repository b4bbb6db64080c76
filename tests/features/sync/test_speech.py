"""Speech on the clock of the picture, from files of every kind, and voice told from silence."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from thgeval.clip import Clip, Memory, Pair
from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.frames.offered import offered
from thgeval.features.sync import speech as features
from thgeval.media import write_video
from thgeval.view import Side

soundfile = pytest.importorskip("soundfile")

FRAMES = np.zeros((50, 32, 32, 3), np.uint8)


def values(pair: Pair) -> Side:
    return Side(offered(pair, reference=False))


def of_file(path: Path, feature: Feature) -> np.ndarray:
    return values(Pair("a", Clip("a", Memory(FRAMES, 255.0), Fraction(25)), audio=path))[feature]


def tone(rate_hz: int, frequency_hz: float, seconds: float = 2.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency_hz * np.arange(round(rate_hz * seconds)) / rate_hz)


def gain_db(path: Path) -> float:
    inner = of_file(path, features.speech())[4000:-4000]
    return float(20 * np.log10(np.sqrt(np.mean(inner**2) + 1e-20) / (0.5 / np.sqrt(2))))


@pytest.mark.parametrize("rate_hz", [22050, 32000, 44100, 48000])
@pytest.mark.parametrize(
    ("frequency_hz", "least_db", "most_db"),
    [(100, -0.1, 0.1), (4000, -0.1, 0.1), (6500, -0.1, 0.1), (7500, -3.1, -2.8), (8500, -28, -25.5), (9000, -200, -59)],
)
def test_resampling_keeps_and_stops_what_it_says(tmp_path, rate_hz, frequency_hz, least_db, most_db):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(rate_hz, frequency_hz), rate_hz, subtype="FLOAT")
    assert least_db <= gain_db(path) <= most_db


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_layout_becomes_the_same_speech(tmp_path, rate_hz, channels):
    path = tmp_path / "speech.wav"
    soundfile.write(path, np.repeat(tone(rate_hz, 440)[:, None], channels, axis=1), rate_hz)
    found = of_file(path, features.speech())
    assert abs(len(found) - 32000) <= 32
    np.testing.assert_allclose(found[2000:-2000], tone(16000, 440)[2000 : len(found) - 2000], atol=5e-3)


def test_16_bit_sound_at_16_khz_comes_back_bit_for_bit(tmp_path):
    path = tmp_path / "speech.wav"
    written = np.random.default_rng(0).integers(-32768, 32768, 5000).astype(np.int16)
    soundfile.write(path, written, 16000)
    np.testing.assert_array_equal(of_file(path, features.pcm()), written)


def test_overshoot_is_cut_off_at_full_scale(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, 3 * tone(16000, 440), 16000, subtype="FLOAT")
    found = of_file(path, features.pcm())
    assert found.min() == -32768
    assert found.max() == 32767


@pytest.mark.parametrize("start_s", [-0.3, -0.0101, 0.0101, 0.25])
def test_the_start_of_the_sound_is_honoured_to_the_sample(tmp_path, start_s, monkeypatch):
    heard = features.audio.Audio(np.arange(1, 8001, dtype=np.float32), 16000, start_s, 1, 16000)
    monkeypatch.setattr(features.audio, "decoded_speech", lambda source, rate_hz: heard)
    found = of_file(tmp_path / "any.wav", features.speech())
    shift = round(16000 * start_s)
    assert len(found) == 8000 + shift
    if shift > 0:
        assert not found[:shift].any()
        assert found[shift] == 1
    else:
        assert found[0] == 1 - shift


def test_sound_that_ends_before_the_picture_starts_is_none(monkeypatch, tmp_path):
    heard = features.audio.Audio(np.ones(100, np.float32), 16000, -1.0, 1, 16000)
    monkeypatch.setattr(features.audio, "decoded_speech", lambda source, rate_hz: heard)
    with pytest.raises(InputError, match="its sound ends before its picture starts") as caught:
        of_file(tmp_path / "any.wav", features.speech())
    assert caught.value.reason == "no audio"


def test_a_clips_own_track_is_read_unless_speech_is_named(tmp_path):
    clip = tmp_path / "clip.mp4"
    write_video(clip, FRAMES, fps=25, audio=tone(16000, 440).astype(np.float32), rate_hz=16000)
    own = values(Pair("a", Clip("a", clip)))[features.speech()]
    assert abs(len(own) - 32000) < 2048  # AAC comes in blocks
    np.testing.assert_allclose(own[2000:30000], tone(16000, 440)[2000:30000], atol=0.02)
    named = tmp_path / "named.wav"
    soundfile.write(named, tone(16000, 440, seconds=0.5), 16000)
    assert len(values(Pair("a", Clip("a", clip), audio=named))[features.speech()]) == 8000


def test_everything_has_a_column_each_10_ms(tmp_path):
    path = tmp_path / "speech.wav"
    soundfile.write(path, tone(16000, 440), 16000)
    side = values(Pair("a", Clip("a", Memory(FRAMES, 255.0), Fraction(25)), audio=path))
    assert side[features.mfcc()].shape == (199, 13)
    assert side[features.mel_spectrogram(bands=20)].shape == (199, 20)
    assert side[features.loudness()].shape == side[features.voice()].shape == (201,)


def test_voice_is_where_it_is_loud():
    levels = np.full(300, 1e-4)
    levels[50:150] = 0.1
    levels[90:96] = 1e-4  # a short pause is speech
    levels[200:203] = 0.1  # a click isn't
    expected = np.zeros(300, bool)
    expected[50:150] = True
    np.testing.assert_array_equal(features.voiced(levels), expected)


def test_silence_has_no_voice_and_noise_30_db_below_none_either():
    assert not features.voiced(np.zeros(100)).any()
    assert not features.voiced(np.full(100, 10 ** (-56 / 20))).any()
    levels = np.where(np.arange(200) < 100, 0.3, 0.3 * 10 ** (-31 / 20))
    np.testing.assert_array_equal(features.voiced(levels), np.arange(200) < 100)


@pytest.mark.parametrize("start_s", [-0.52, 0.1, 0.48])
@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_the_containers_clock_places_the_sound(tmp_path, start_s, container):
    click = np.zeros(32000, np.float32)
    click[16000:16016] = 0.9
    path = tmp_path / f"clip.{container}"
    write_video(path, FRAMES, fps=25, audio=click, rate_hz=16000, audio_start_s=start_s)
    found = values(Pair("a", Clip("a", path)))[features.speech()]
    assert abs(int(np.abs(found).argmax()) / 16000 - (1 + start_s)) < 0.002
