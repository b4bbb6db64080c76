"""Task sets from folders and lists; what can't be used is named."""

import shutil
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from support.outputs import levels

from thgeval.errors import ProtocolError
from thgeval.media import decoded_speech, write_video
from thgeval_baselines.tasks.files import check_files, read_taskset
from thgeval_baselines.tasks.importing import imported
from thgeval_baselines.tasks.settings import setting, shown


def clip(path, *, seconds=1.0, tone_hz=440.0, fps=25, audio=True, start_s=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(path.name))
    frames = rng.integers(0, 255, (round(seconds * fps), 48, 64, 3), dtype=np.uint8)
    sound = np.sin(2 * np.pi * tone_hz * np.arange(round(16000 * seconds)) / 16000).astype(np.float32) / 2
    write_video(path, frames, fps=Fraction(fps), audio=sound if audio else None, audio_start_s=start_s)
    return path


def test_a_folder_of_videos_becomes_items_with_their_own_sound(tmp_path):
    first = clip(tmp_path / "in/Some name.v2.mp4")
    clip(tmp_path / "in/b.mp4", fps=30, seconds=0.5)
    clip(tmp_path / "in/silent.mp4", audio=False)
    (tmp_path / "in/broken.mp4").write_bytes(b"junk")
    (tmp_path / "in/notes.txt").write_text("no video")
    tasks, left_out = imported("folder", tmp_path / "in", tmp_path / "my set")
    assert [item.id for item in tasks] == ["Some-name-v2", "b"]
    assert sorted(reason.split(":")[0] for reason in left_out) == ["broken", "silent"]
    assert read_taskset(tmp_path / "my set") == read_taskset(tasks.folder)
    item = read_taskset(tmp_path / "my set")["Some-name-v2"]
    check_files(tasks, item)
    assert (item.frames, item.fps, item.size) == (25, 25, (48, 64))
    assert tasks["b"].fps == 30
    inputs = shown(tasks, item, setting("self-audio"))
    assert np.array_equal(np.asarray(Image.open(inputs.source_image)), levels(first)[0])
    assert np.abs(decoded_speech(inputs.audio).samples).mean() == pytest.approx(1 / np.pi, rel=0.05)
    assert tasks.path(item.reference).read_bytes() == first.read_bytes()


@pytest.mark.parametrize(("start_s", "first_sound_s"), [(0.3, 0.3), (-0.3, 0.0)])
def test_sound_that_begins_at_another_time_stays_where_it_was(tmp_path, start_s, first_sound_s):
    clip(tmp_path / "in/a.mp4", start_s=start_s)
    tasks, _ = imported("folder", tmp_path / "in", tmp_path / "set")
    samples = decoded_speech(tasks.path(tasks["a"].inputs["audio"])).samples
    assert np.argmax(np.abs(samples) > 0.2) / 16000 == pytest.approx(first_sound_s, abs=0.03)


def test_names_that_fall_together_are_told_apart(tmp_path):
    for name in ("a b", "a-b", "A.b"):
        clip(tmp_path / f"in/{name}.mp4")
    tasks, _ = imported("folder", tmp_path / "in", tmp_path / "set")
    assert sorted(item.id for item in tasks) == ["A-b", "a-b-2", "a-b-3"]


def test_people_of_voxceleb_and_hdtf_are_known_by_their_names(tmp_path):
    clip(tmp_path / "vox/id10001/abcdefgh/00001.mp4")
    tasks, _ = imported("voxceleb", tmp_path / "vox", tmp_path / "one")
    assert [(item.id, item.identity) for item in tasks] == [("id10001-abcdefgh-00001", "id10001")]
    assert tasks.data == ("voxceleb",)
    clip(tmp_path / "hdtf/RD_Radio1_000.mp4")
    clip(tmp_path / "hdtf/RD_Radio1_001.mp4")
    tasks, _ = imported("hdtf", tmp_path / "hdtf", tmp_path / "two")
    assert {item.identity for item in tasks} == {"RD_Radio1"}


def test_a_list_of_wav2lip_dubs_one_video_with_the_sound_of_another(tmp_path):
    clip(tmp_path / "data/s1/00001.mp4", tone_hz=200)
    clip(tmp_path / "data/s2/00002.mp4", tone_hz=900, seconds=1.4)
    (tmp_path / "lrs2.txt").write_text("s2/00002 s1/00001\n\ns2/00009 s1/00001\n")
    tasks, left_out = imported("wav2lip", tmp_path / "lrs2.txt", tmp_path / "set", data=tmp_path / "data")
    (item,) = tasks
    assert len(left_out) == 1
    assert "s2/00009" in left_out[0]
    assert (item.id, item.reference, item.frames, item.identity) == ("s1-00001--s2-00002", None, 35, "s1")
    inputs = shown(tasks, item, setting("cross-dub"))
    assert inputs.target_video.read_bytes() == (tmp_path / "data/s1/00001.mp4").read_bytes()
    assert decoded_speech(inputs.audio).duration_s == pytest.approx(1.4, abs=0.07)
    with pytest.raises(ProtocolError, match="has no reference"):
        shown(tasks, item, setting("self-audio"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [("one two three\n", "line 1 of .* has 3 fields"), ("../a b\n", "is not below"), ("\n", "there are no videos")],
)
def test_a_list_that_is_none_is_refused(tmp_path, lines, said):
    (tmp_path / "list.txt").write_text(lines)
    with pytest.raises(ProtocolError, match=said):
        imported("wav2lip", tmp_path / "list.txt", tmp_path / "set")


def test_what_cannot_be_imported_is_said(tmp_path):
    with pytest.raises(ProtocolError, match="nothing is imported as 'lrs3'; there are folder, "):
        imported("lrs3", tmp_path, tmp_path / "set")
    clip(tmp_path / "in/a.mp4")
    imported("folder", tmp_path / "in", tmp_path / "set")
    with pytest.raises(ProtocolError, match="holds a task set already"):
        imported("folder", tmp_path / "in", tmp_path / "set")
    shutil.rmtree(tmp_path / "in")
    (tmp_path / "in").mkdir()
    with pytest.raises(ProtocolError, match="there are no videos"):
        imported("folder", tmp_path / "in", tmp_path / "other")
