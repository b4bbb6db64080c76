"""Sound is mono at the rate asked for, as loud as ffmpeg makes it, and placed on the clock of the picture."""

import subprocess
import wave
from math import sqrt

import av
import numpy as np
import pytest
from support.programs import program
from support.tolerances import agree

from thgeval.clip import Clip, Memory
from thgeval.errors import InputError, ProtocolError
from thgeval.media import decoded_speech

RATE_HZ = 16000


def tone(seconds, *, hz=440.0, rate_hz=RATE_HZ):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def burst(seconds=2.0, *, at_s=1.0):
    """Silence with a tone of 0.4 s around ``at_s``."""
    samples = tone(seconds)
    samples[np.abs(np.arange(len(samples)) / RATE_HZ - at_s) > 0.2] = 0
    return samples


def heard_s(audio):
    """When the middle of a burst is heard, in seconds after the first video frame."""
    loud = np.flatnonzero(np.abs(audio.samples) > 0.25)
    return (loud[0] + loud[-1]) / 2 / audio.rate_hz + audio.start_s


def write_sound(path, channels, *, layout, rate_hz=RATE_HZ, codec="pcm_f32le", pts=0, gaps=()):
    """Channels (count, samples) as a file; ``gaps`` are (sample, samples) at which the clock leaps."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        for start in range(0, channels.shape[1], 512):
            block = np.ascontiguousarray(channels[:, start : start + 512].T, np.float32)
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout=layout)
            frame.sample_rate = rate_hz
            frame.pts = pts + start + sum(length for at, length in gaps if start >= at)
            for ready in av.AudioResampler(format=stream.format.name, layout=layout, rate=rate_hz).resample(frame):
                container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_of_a_long_track_only_what_is_asked_for_is_decoded(rate_hz, tmp_path):
    path = write_sound(tmp_path / "tone.wav", tone(2.0, rate_hz=48000)[None], layout="mono", rate_hz=48000)
    whole, first = decoded_speech(path, rate_hz=rate_hz), decoded_speech(path, rate_hz=rate_hz, seconds=0.5)
    assert np.array_equal(first.samples, whole.samples[: rate_hz // 2])
    assert np.array_equal(decoded_speech(path, rate_hz=rate_hz, seconds=9.0).samples, whole.samples)


@pytest.mark.parametrize("rate_hz", [16000, 22050, 44100])
def test_a_tone_keeps_its_pitch_loudness_and_length(rate_hz, tmp_path):
    path = write_sound(tmp_path / "tone.wav", tone(1.0, rate_hz=48000)[None], layout="mono", rate_hz=48000)
    audio = decoded_speech(path, rate_hz=rate_hz)
    assert (audio.rate_hz, audio.original_rate_hz, audio.channels, audio.start_s) == (rate_hz, 48000, 1, 0.0)
    assert audio.duration_s == pytest.approx(1.0, abs=2 / rate_hz)
    assert audio.samples.dtype == np.float32
    inner = slice(200, len(audio.samples) - 200)
    assert audio.samples[inner] == pytest.approx(tone(1.0, rate_hz=rate_hz)[: len(audio.samples)][inner], abs=2e-3)


def test_16_bit_samples_of_the_right_rate_are_kept_exactly(tmp_path):
    codes = np.random.default_rng(0).integers(-32768, 32768, 5000).astype("<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(codes.tobytes())
    assert (decoded_speech(tmp_path / "a.wav").samples == codes / np.float32(32768)).all()


@pytest.mark.parametrize(
    ("layout", "weights"),
    [
        ("mono", [1]),
        ("stereo", [0.5, 0.5]),
        ("2.1", [0.5, 0.5, 0]),
        ("5.1", np.array([sqrt(0.5), sqrt(0.5), 1, 0, 0.5, 0.5]) / (2 + 2 * sqrt(0.5))),
        ("7.1", np.array([sqrt(0.5), sqrt(0.5), 1, 0, 0.5, 0.5, 0.5, 0.5]) / (3 + 2 * sqrt(0.5))),
    ],
)
def test_channels_are_mixed_by_their_place(layout, weights, tmp_path):
    for channel, weight in enumerate(weights):
        channels = np.zeros((len(weights), 2048), np.float32)
        channels[channel] = 0.75
        for suffix in ("wav", "mkv"):  # Matroska doesn't keep which channel is which
            path = write_sound(tmp_path / f"{channel}.{suffix}", channels, layout=layout)
            assert decoded_speech(path).samples == pytest.approx(0.75 * weight, abs=1e-6)


@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_ffmpeg_mixes_16_bit_sound_the_same(layout, tmp_path):
    channels = av.AudioLayout(layout).nb_channels
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (channels, 9000)).astype(np.float32)
    path = write_sound(tmp_path / "noise.mkv", noise, layout=layout, rate_hz=44100)
    command = [program("ffmpeg"), "-v", "error", "-i", path, "-ac", "1", "-ar", "16000", "-f", "s16le", "-"]
    theirs = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout, "<i2") / 32768
    ours = decoded_speech(path).samples
    assert abs(len(ours) - len(theirs)) <= 1
    shared = min(len(ours), len(theirs))
    agree(ours[:shared], theirs[:shared], "ffmpeg resampling")


@pytest.mark.parametrize("offset_s", [0.0, 0.013, -0.013, 0.5, -0.2])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv"])
def test_sound_is_where_the_container_says(name, offset_s, file):
    """Offsets of whole frames and less, both ways; the delay of the AAC encoder is taken into account."""
    audio = decoded_speech(file(name, count=50, audio=burst(), audio_start_s=offset_s))
    assert heard_s(audio) == pytest.approx(1.0 + offset_s, abs=0.002)


def test_sound_is_placed_after_the_first_frame_that_is_shown(tmp_path, moving):
    """A picture that begins late moves the zero of the clock."""
    path = tmp_path / "late.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 32, 32, "bgr0"
        sound = container.add_stream("pcm_f32le", rate=RATE_HZ, layout="mono")
        for index, frame in enumerate(moving(10, 32, 32)):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")
            picture.pts = index + 5
            container.mux(video.encode(picture))
        block = av.AudioFrame.from_ndarray(burst()[None], format="flt", layout="mono")
        block.sample_rate, block.pts = RATE_HZ, 0
        container.mux(sound.encode(block))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    audio = decoded_speech(path)
    assert audio.start_s == pytest.approx(-0.2)
    assert heard_s(audio) == pytest.approx(0.8, abs=0.001)


def test_a_leap_of_the_clock_becomes_silence(tmp_path):
    samples = np.full((1, 8192), 0.5, np.float32)
    path = write_sound(tmp_path / "gap.mkv", samples, layout="mono", gaps=[(4096, 8000)])
    audio = decoded_speech(path)
    assert len(audio.samples) == pytest.approx(8192 + 8000, abs=20)
    assert (audio.samples[4300:11900] == 0).all()
    assert audio.samples[13000:] == pytest.approx(0.5)
    assert audio.filled_s == pytest.approx(0.5, abs=0.001)


def test_a_clock_that_goes_back_is_refused(tmp_path):
    """As when recordings are joined byte by byte."""
    path = write_sound(tmp_path / "back.ts", tone(1.0)[None], layout="mono", codec="mp2", pts=90000)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(InputError, match="the clock of its sound leaps by -1") as caught:
        decoded_speech(path)
    assert caught.value.reason == "corrupt"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp3", "libmp3lame"), ("a.flac", "flac"), ("a.ogg", "libopus"), ("a.m4a", "aac")]
)
def test_sound_files_of_any_kind(name, codec, tmp_path):
    try:
        av.Codec(codec, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this build of ffmpeg has no {codec} encoder")
    path = write_sound(tmp_path / name, tone(1.0, rate_hz=48000)[None], layout="mono", rate_hz=48000, codec=codec)
    audio = decoded_speech(Clip("clip", path))
    assert audio.start_s == 0.0
    assert audio.duration_s == pytest.approx(1.0, abs=0.08)
    assert np.abs(audio.samples[4000:12000]).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("stated", [0, 0x7FFFF024, 0xFFFFFFFF])
def test_wav_files_that_were_piped_state_no_length(stated, tmp_path):
    path = write_sound(tmp_path / "a.wav", tone(0.5)[None], layout="mono")
    content = bytearray(path.read_bytes())
    content[4:8] = stated.to_bytes(4, "little")
    at = content.index(b"data") + 4
    content[at : at + 4] = min(stated, 0x7FFFF000).to_bytes(4, "little") if stated else content[at : at + 4]
    path.write_bytes(content)
    assert len(decoded_speech(path).samples) == 8000


def test_clips_without_sound(file, tmp_path):
    with pytest.raises(InputError, match="it has no audio track; name the file of its speech") as caught:
        decoded_speech(file())
    assert caught.value.reason == "no audio"
    np.savez(tmp_path / "clip.npz", np.zeros((1, 2, 2, 3), np.uint8))
    for source in (Memory(np.zeros((1, 2, 2, 3), np.uint8), 255.0), tmp_path, tmp_path / "clip.npz"):
        with pytest.raises(InputError, match="frames alone have no sound; name its audio file") as caught:
            decoded_speech(Clip("clip", source))
        assert caught.value.reason == "no audio"


def test_sound_that_is_missing_or_damaged(tmp_path):
    with pytest.raises(InputError) as caught:
        decoded_speech(tmp_path / "none.wav")
    assert caught.value.reason == "missing"
    path = write_sound(tmp_path / "a.m4a", tone(2.0)[None], layout="mono", codec="aac")
    content = bytearray(path.read_bytes())
    middle = (content.index(b"mdat") + len(content)) // 2
    content[middle : middle + 300] = b"\xff" * 300
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        decoded_speech(path)
    assert caught.value.reason == "corrupt"
    path = write_sound(tmp_path / "a.flac", tone(2.0)[None], layout="mono", codec="flac")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 300] = bytes(300)
    path.write_bytes(content)
    assert decoded_speech(path).filled_s > 0.02
    whole = write_sound(tmp_path / "b.wav", tone(1.0)[None], layout="mono")
    whole.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(InputError) as caught:
        decoded_speech(whole)
    assert caught.value.reason == "truncated"


@pytest.mark.parametrize(("channels", "rate_hz"), [(12, 48000), (1, 50)])
def test_sound_no_recording_has_is_refused(channels, rate_hz, tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((channels, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(bytes(2 * channels * 4000))
    with pytest.raises(InputError, match=f"{channels} channels at {rate_hz} Hz; give it 1 to 8 channels") as caught:
        decoded_speech(tmp_path / "a.wav")
    assert caught.value.reason == "audio format"


def test_a_rate_must_be_one(tmp_path):
    with pytest.raises(ProtocolError, match="rate_hz must be positive, not 0"):
        decoded_speech(tmp_path / "a.wav", rate_hz=0)


def test_the_real_clips_sound_as_long_as_they_look(assets):
    for name, seconds in (("May_5s.mp4", 5.0), ("brbk7n.mpg", 3.0), ("Obama_5s.wav", 5.0)):
        assert decoded_speech(assets / name).duration_s == pytest.approx(seconds, abs=0.03)
