"""The lossy files of the published programs: what they do to sound, frames and crops."""

from fractions import Fraction

import numpy as np
import pytest

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.features import avi_route
from thgeval.media import decode

soundfile = pytest.importorskip("soundfile")
MP3_DELAY = 1105


def frames(count: int, side: int = 96) -> np.ndarray:
    t, y, x = np.arange(count)[:, None, None], np.arange(side)[None, :, None], np.arange(side)[None, None]
    red = 128 + 90 * np.sin((x + 3 * t) / 19) * np.cos(y / 23)
    return np.stack(np.broadcast_arrays(red, 255 - red, 128 + 0 * red), axis=-1).astype(np.uint8)


def copied(tmp_path, rate_hz: int, count: int = 50):
    click = np.zeros(2 * rate_hz, np.float32)
    click[rate_hz : rate_hz + rate_hz // 1000] = 0.8
    path = tmp_path / "click.wav"
    soundfile.write(path, click, rate_hz, subtype="FLOAT")
    return avi_route.avi_copy().compute(Clip("a", Memory(frames(count), 255.0), Fraction(25)), path)


@pytest.mark.parametrize("rate_hz", [16000, 22050, 44100, 48000])
def test_mp3_delays_the_sound_by_1105_samples_of_its_rate(tmp_path, rate_hz):
    samples = avi_route.avi_pcm().compute(copied(tmp_path, rate_hz))
    loudest = int(np.abs(samples.astype(int)).argmax())
    assert loudest / 16000 - 1 == pytest.approx(MP3_DELAY / rate_hz, abs=0.0015)


def test_frames_come_back_nearly_as_they_were(tmp_path):
    made = copied(tmp_path, 16000)
    with decode(made.clip, chunk=64, fps=Fraction(25)) as batches:
        seen = np.concatenate([batch.new for batch in batches])
    assert seen.shape == (50, 96, 96, 3)
    assert 0 < np.abs(seen.astype(int) - frames(50)).mean() < 3


def test_the_files_go_with_the_last_reference(tmp_path):
    made = copied(tmp_path, 16000, count=3)
    path = made.path
    assert path.is_file()
    del made
    assert not path.parent.exists()


def test_jpegs_at_the_fixed_quantiser_are_finer_than_at_a_bitrate():
    grain = np.random.default_rng(0).normal(0, 20, (30, 224, 224, 3))
    given = np.clip(frames(30, side=224) + grain, 0, 255).astype(np.uint8)
    finest, default = (np.stack(list(avi_route.jpegs(given, finest=finest))) for finest in (True, False))
    assert finest.shape == default.shape == given.shape
    assert 0 < np.abs(finest.astype(int) - given).mean() < np.abs(default.astype(int) - given).mean()


def test_crops_come_back_from_their_file():
    given = frames(20, side=224)
    file = avi_route.CropFile(224)
    for crop in given:
        file.add(crop)
    seen = np.stack(list(file.frames()))
    assert seen.shape == given.shape
    assert 0 < np.abs(seen.astype(int) - given).mean() < 8


def test_mp3_refuses_rates_it_does_not_know(tmp_path):
    with pytest.raises(InputError, match="MP3 has no sound at 96000 Hz; resample it") as caught:
        copied(tmp_path, 96000)
    assert caught.value.reason == "audio format"
