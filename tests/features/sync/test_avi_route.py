"""The lossy files of the published programs: what they do to sound, frames and crops."""

from fractions import Fraction

import av
import numpy as np
import pytest

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError
from thgeval.features.sync import avi_route
from thgeval.media import write_video

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


@pytest.mark.parametrize(("rate_hz", "late"), [(16000, 2), (24000, 2), (32000, 1), (44100, 1), (48000, 1)])
def test_frames_come_back_one_or_two_late_and_nearly_as_they_were(tmp_path, rate_hz, late):
    read = []
    seen = np.stack(list(copied(tmp_path, rate_hz).jpegs(read.append)))[..., ::-1]
    assert seen.shape == (50 + late, 96, 96, 3)
    assert len(read) == 50
    assert 0 < np.abs(seen[late + 1 :].astype(int) - frames(50)[1:]).mean() < 3


def test_a_silent_picture_is_not_late_and_one_with_late_sound_neither(tmp_path):
    t = np.arange(2 * 16000) / 16000
    chirp = (0.4 * np.sin(2 * np.pi * (200 + 400 * t) * t)).astype(np.float32)
    for sound, late in ((None, 0), ({"audio": chirp}, 2), ({"audio": chirp, "audio_start_s": 0.2}, 0)):
        path = tmp_path / "clip.mp4"
        write_video(path, frames(20), fps=25, **(sound or {}))
        assert len(list(avi_route.avi_pictures().compute(Clip("a", path)).jpegs())) == 20 + late


def test_sound_named_apart_is_taken_to_start_with_the_picture(tmp_path):
    """The clip's own sound, which begins before its picture, is not what is written."""
    speech = tmp_path / "speech.wav"
    soundfile.write(speech, np.full(32000, 0.1, np.float32), 16000, subtype="FLOAT")
    path = tmp_path / "clip.mkv"
    write_video(path, frames(20), fps=25, audio=np.full(32000, 0.1, np.float32), audio_start_s=-0.4)
    clip = Clip("a", path)
    apart, own = (list(avi_route.avi_copy().compute(clip, source).jpegs()) for source in (speech, clip))
    assert (len(apart), len(own)) == (20 + 2, 20 + 10 + 2)


def test_the_files_go_with_the_last_reference(tmp_path):
    made = copied(tmp_path, 16000, count=3)
    path = made.path
    assert path.is_file()
    del made
    assert not path.parent.exists()


def test_jpegs_at_the_fixed_quantiser_are_finer_than_at_a_bitrate():
    grain = np.random.default_rng(0).normal(0, 20, (30, 224, 224, 3))
    given = np.clip(frames(30, side=224) + grain, 0, 255).astype(np.uint8)
    coded = [av.VideoFrame.from_ndarray(frame, "bgr24") for frame in given]
    finest, default = (np.stack(list(avi_route.jpegs(coded, finest=finest))) for finest in (True, False))
    assert finest.shape == default.shape == given.shape
    assert 0 < np.abs(finest.astype(int) - given).mean() < np.abs(default.astype(int) - given).mean()


def test_clips_at_their_own_rate_become_jpegs_scaled_before_or_not_at_all():
    clip = Clip("a", Memory(frames(12), 255.0))
    plain, scaled = (list(avi_route.frame_jpegs(clip, None, own=False, side_px=side)) for side in (None, 224))
    assert (len(plain), plain[0].shape) == (12, (96, 96, 3))
    assert (len(scaled), scaled[0].shape) == (12, (224, 224, 3))
    with pytest.raises(InputError, match="it has no frame rate to be resampled from; state its fps") as caught:
        list(avi_route.frame_jpegs(clip, Fraction(25), own=False))
    assert caught.value.reason == "no frame rate"


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
