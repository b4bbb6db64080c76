"""Degraded copies of clips: what they show and hold, where they lie, and what they may take."""

import os

import cv2
import numpy as np
import pytest
from support.clips import moving

from thgeval.clip import Clip, Memory
from thgeval.controls import CONTROLS, copies
from thgeval.controls.copies import Original, bounded
from thgeval.controls.frames import late
from thgeval.errors import InputError, OutputError, ProtocolError
from thgeval.media import decode, decoded_speech, probe, write_video

PLAIN = [name for name, control in CONTROLS.items() if not control.faces]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "controls"


@pytest.fixture
def original(tmp_path):
    """Twelve frames of 48 x 64 px at 30 fps, with sound that begins a little late."""
    path = tmp_path / "a.mp4"
    sound = np.sin(np.arange(6000) / 7).astype(np.float32) / 2
    write_video(path, moving(12)[:, :48], fps=30, crf=8, audio=sound, audio_start_s=0.05)
    return Original(Clip("a", path))


def read(clip):
    with decode(clip, chunk=64) as batches:
        return np.concatenate([batch.new for batch in batches]).astype(float)


def test_every_copy_is_as_long_as_its_clip_and_sounds_like_it(original):
    frames, sound = read(original.clip), decoded_speech(original.clip)
    for name in PLAIN:
        copy = original.copied(name)
        assert read(copy).shape == frames.shape, name
        assert probe(copy).fps == 30
        heard = decoded_speech(copy)
        assert abs(heard.start_s - sound.start_s) < 0.005
        assert np.corrcoef(heard.samples[: len(sound.samples)], sound.samples[: len(heard.samples)])[0, 1] > 0.98


def test_copies_of_a_ladder_get_worse(original):
    frames = read(original.clip)
    errors = {name: np.abs(read(original.copied(name)) - frames).mean() for name in PLAIN}
    for kind in ("crf", "blur", "noise", "shift"):
        rungs = [errors[name] for name, control in CONTROLS.items() if control.ladder == kind]
        assert len(rungs) > 1
        assert rungs == sorted(rungs)
    assert errors["still"] > errors["shift2"] > errors["crf18"] > 0


def test_a_still_shows_the_first_frame_and_a_shift_earlier_ones(original):
    frames, still, shifted = (
        read(clip) for clip in (original.clip, original.copied("still"), original.copied("shift2"))
    )
    assert np.abs(still - frames[0]).mean() < 3
    assert np.abs(shifted[2:] - frames[:-2]).mean() < 3
    assert np.abs(shifted[:2] - frames[0]).mean() < 3


def test_a_copy_is_made_once_for_equal_content(original, tmp_path):
    first = original.copied("blur1").source
    made = first.stat().st_mtime_ns, first.stat().st_ino
    os.utime(first, ns=(1, 1))
    twin = tmp_path / "elsewhere.mp4"
    twin.write_bytes(original.clip.source.read_bytes())
    assert Original(Clip("other", twin)).copied("blur1").source == first
    assert first.stat().st_ino == made[1]
    assert first.stat().st_mtime_ns > 1, "it counts as used"
    assert original.copied("blur3").source != first


def test_the_same_clip_gives_the_same_bytes(original):
    first = original.copied("noise2").source
    before = first.read_bytes()
    first.unlink()
    assert original.copied("noise2").source.read_bytes() == before


def test_what_was_used_longest_ago_goes_first(original, home, monkeypatch):
    kept = [original.copied(name).source for name in ("blur1", "blur3", "still")]
    for age, path in enumerate(kept):
        os.utime(path, (1e9 - age, 1e9 - age))
    monkeypatch.setattr(copies, "MOST_BYTES", kept[0].stat().st_size + kept[1].stat().st_size)
    bounded()
    assert [path.exists() for path in kept] == [True, True, False]


def test_odd_sizes_folders_and_silent_clips_have_copies_too(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, frame in enumerate(moving(4, 40)[:, :33, :35]):
        cv2.imwrite(str(folder / f"{number:03}.png"), frame[..., ::-1])
    copy = Original(Clip("frames", folder)).copied("crf18")
    assert read(copy).shape == (4, 33, 35, 3)
    assert probe(copy).audio is None
    in_memory = Original(Clip("memory", Memory(moving(4, 32), 255.0))).copied("blur1")
    assert read(in_memory).shape == (4, 32, 32, 3)


def test_clips_of_which_there_can_be_no_copy_say_so(tmp_path):
    floats = Original(Clip("f", Memory(moving(4, 32) / np.float32(255), 1.0)))
    with pytest.raises(InputError, match="frames of 8 bits"):
        floats.copied("blur1")
    short = Original(Clip("s", Memory(moving(2, 32), 255.0)))
    with pytest.raises(InputError, match="a clip of 2 frames can't be shifted by 5"):
        short.copied("shift5")
    assert not list(tmp_path.rglob("*.mp4"))
    with pytest.raises(InputError, match="there is no such file"):
        Original(Clip("gone", tmp_path / "gone.mp4")).copied("blur1")


def test_a_home_that_cannot_be_written_is_said(original, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="THGEVAL_HOME names another place"):
        original.copied("blur1")


def test_late_frames_are_streamed():
    assert list(late("abcdef", by=2)) == list("aaabcd")
    assert list(late("abc", by=0)) == list("abc")
    with pytest.raises(ProtocolError, match="use a longer clip"):
        list(late("ab", by=2))
