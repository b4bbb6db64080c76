"""Mel cepstra against python_speech_features and a slow twin, and what the other columns are."""

import numpy as np
import pytest
from oracles import mel as oracle
from support.tolerances import agree

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels import mel

GOLDEN = (
    (20.41680779, 4.77645621, -17.21887288, 8.34512591, -1.38463420),
    (20.41417675, 7.17728510, -20.46965404, 8.51105116, -1.74680245),
)
LENGTHS = [1, 13, 399, 400, 401, 560, 561, 6400, 20483, 40961]


def sound(samples: int, seed: int = 0) -> np.ndarray:
    """Tones that come and go, and noise: int16."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16000
    tones = 6000 * np.sin(2 * np.pi * (220 + 300 * t) * t) * (np.sin(9 * t) > -0.3)
    return (tones + rng.normal(0, 400, samples)).round().astype(np.int16)


@pytest.mark.parametrize("samples", LENGTHS)
def test_mfcc_equals_the_package_that_syncnet_uses(samples):
    published = pytest.importorskip("python_speech_features")
    ours = mel.mfcc(sound(samples, seed=samples))
    agree(ours, published.mfcc(sound(samples, seed=samples), 16000), "mfcc")


@pytest.mark.parametrize("make", [np.zeros, lambda n: np.full(n, 32767), lambda n: np.full(n, -32768)])
def test_mfcc_of_silence_and_of_full_scale(make):
    published = pytest.importorskip("python_speech_features")
    samples = make(5000).astype(np.int16)
    agree(mel.mfcc(samples), published.mfcc(samples, 16000), "mfcc")


@pytest.mark.parametrize("samples", [1, 401, 3000])
def test_mfcc_equals_the_slow_twin(samples):
    np.testing.assert_allclose(mel.mfcc(sound(samples)), oracle.mfcc(sound(samples)), rtol=0, atol=1e-8)


def test_mfcc_of_a_known_sound():
    """python_speech_features 0.6: mfcc(samples, 16000) of the samples below, columns 0 and 3."""
    t = np.arange(1200)
    samples = (8000 * np.sin(2 * np.pi * t / 40) + 3000 * np.cos(2 * np.pi * t / 7.5)).round().astype(np.int16)
    found = mel.mfcc(samples)
    agree(found[[0, 3], :5], GOLDEN, "mfcc printed")


@pytest.mark.parametrize("frames", [1, 2, 6, 25, 133])
def test_n_frames_have_4n_minus_1_columns(frames):
    assert len(mel.mfcc(sound(640 * frames))) == 4 * frames - 1 == mel.columns(640 * frames)


def test_a_column_depends_on_its_own_sound_alone():
    samples = sound(40000)
    np.testing.assert_array_equal(mel.mfcc(samples)[130:140], mel.mfcc(samples[: 160 * 150 + 400])[130:140])


@pytest.mark.parametrize("bands", [8, 40, 80])
def test_log_mel_equals_the_slow_twin(bands):
    samples = np.concatenate([sound(2000) / 32768, np.zeros(1000)])
    expected = oracle.log_mel(samples, bands, 1e-10)
    np.testing.assert_allclose(mel.log_mel(samples, bands=bands), expected, rtol=0, atol=1e-8)
    assert expected.min() == pytest.approx(np.log(1e-10))


@pytest.mark.parametrize("window", [1, 3, 480, 800])
@pytest.mark.parametrize("samples", [1, 159, 160, 4001])
def test_loudness_equals_the_slow_twin(window, samples):
    heard = sound(samples) / 32768
    np.testing.assert_allclose(mel.loudness(heard, window=window), oracle.loudness(heard, window), atol=1e-12)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="holds no samples"):
        mel.mfcc(np.zeros(0, np.int16))
    with pytest.raises(ProtocolError, match=r"must be mono, \(samples,\), not \(4, 2\)"):
        mel.mfcc(np.zeros((4, 2), np.int16))
    with pytest.raises(ProtocolError, match="200 bands are narrower than the bins"):
        mel.log_mel(np.zeros(400), bands=200)
    with pytest.raises(ProtocolError, match="at least one band, not 0"):
        mel.log_mel(np.zeros(400), bands=0)
    with pytest.raises(ProtocolError, match="must be positive, not 0"):
        mel.log_mel(np.zeros(400), floor=0)
    with pytest.raises(ProtocolError, match="at least one sample, not 0"):
        mel.loudness(np.zeros(400), window=0)
