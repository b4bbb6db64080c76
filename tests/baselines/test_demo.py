import socket

import av
import numpy as np
import pytest
from click.testing import CliRunner

from thgeval.errors import ProtocolError
from thgeval_baselines.controls.takes import CONTROLS
from thgeval_baselines.demo import main, make_demo
from thgeval_baselines.photo.geometry import PARAMETERS
from thgeval_baselines.sets.clips import LABEL

SECONDS = 2.0
FPS = 25
FRAMES = round(SECONDS * FPS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A small demo, made with every socket out of reach."""
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_args, **_kwargs):
            raise AssertionError("the demo opened a socket")

        patch.setattr(socket, "socket", refuse)
        patch.setattr(socket, "create_connection", refuse)
        return make_demo(tmp_path_factory.mktemp("demo") / "out", clips=2, seconds=SECONDS, size=128, seed=3)


def frames_of(path):
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def sound_of(path):
    with av.open(str(path)) as container:
        rate_hz = container.streams.audio[0].rate
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(blocks, axis=1)[0], rate_hz


def psnr_db(first, second):
    error = np.mean((first.astype(float) - second.astype(float)) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255.0**2 / error)


def clips_of(demo):
    return [folder / f"{stem}.mp4" for folder in (demo.reference, *demo.controls.values()) for stem in demo.stems]


def test_every_folder_holds_the_same_stems(demo):
    assert demo.stems == ("face1", "face2")
    assert list(demo.controls) == list(CONTROLS)
    for folder in (demo.reference, *demo.controls.values()):
        assert sorted(path.name for path in folder.iterdir()) == ["face1.mp4", "face2.mp4"]
    assert sorted(path.name for path in demo.truth.iterdir()) == ["face1.npz", "face2.npz"]


def test_every_file_says_that_it_is_synthetic_test_material(demo):
    assert "synthetic test material" in LABEL
    for path in clips_of(demo):
        with av.open(str(path)) as container:
            assert container.metadata["comment"] == LABEL
    for stem in demo.stems:
        assert str(np.load(demo.truth / f"{stem}.npz")["label"]) == LABEL
    notice = (demo.folder / "README.txt").read_text(encoding="utf-8")
    assert notice.startswith("Synthetic test material")
    assert "Nobody says, does or endorses anything in them" in notice.replace("\n", " ")


def test_clips_are_h264_with_aac_of_equal_length(demo):
    for path in clips_of(demo):
        with av.open(str(path)) as container:
            video, audio = container.streams.video[0], container.streams.audio[0]
            assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
            assert (video.average_rate, video.width, video.height) == (FPS, 128, 128)
            assert video.frames == FRAMES


def test_controls_rank_as_they_should(demo):
    reference = frames_of(demo.reference / "face1.mp4")
    psnr = {name: psnr_db(frames_of(folder / "face1.mp4"), reference) for name, folder in demo.controls.items()}
    assert psnr["copy"] == np.inf
    assert psnr["crf18"] > psnr["crf30"] > psnr["crf42"]
    assert psnr["blur1"] > psnr["blur3"]
    assert psnr["crf18"] > psnr["noise5"]
    assert max(psnr["still"], psnr["shift5"]) < psnr["crf30"]


def test_the_copy_is_the_very_file(demo):
    for stem in demo.stems:
        copied = (demo.controls["copy"] / f"{stem}.mp4").read_bytes()
        assert copied == (demo.reference / f"{stem}.mp4").read_bytes()


def test_still_and_shift_survive_encoding(demo):
    reference = frames_of(demo.reference / "face2.mp4")
    stopped = frames_of(demo.controls["still"] / "face2.mp4")
    late = frames_of(demo.controls["shift5"] / "face2.mp4")
    assert np.abs(np.diff(stopped.astype(float), axis=0)).mean() < 0.3
    assert psnr_db(late[5:], reference[:-5]) > 38


def test_sound_follows_the_mouth_after_encoding(demo):
    for stem in demo.stems:
        samples, rate_hz = sound_of(demo.reference / f"{stem}.mp4")
        per_frame = round(rate_hz / FPS)
        samples = np.pad(samples, (0, max(0, FRAMES * per_frame - len(samples))))[: FRAMES * per_frame]
        loudness = np.sqrt(np.mean(samples.astype(float).reshape(FRAMES, per_frame) ** 2, axis=1))
        assert np.corrcoef(np.sqrt(loudness), np.load(demo.truth / f"{stem}.npz")["aperture"])[0, 1] > 0.4


def test_truth_is_complete_and_fits_the_frames(demo):
    truth = np.load(demo.truth / "face1.npz")
    for name in PARAMETERS:
        assert truth[name].shape == (FRAMES,)
    assert truth["landmarks"].shape == (FRAMES, 68, 2)
    assert (int(truth["fps"]), float(truth["audio_offset_s"])) == (FPS, 0.0)
    blinking = np.concatenate([[False], truth["blink"] > 0.3])
    assert int(np.sum(blinking[1:] & ~blinking[:-1])) == len(truth["blinks_s"]) >= 1
    gap = truth["landmarks"][:, 66, 1] - truth["landmarks"][:, 62, 1]
    assert np.corrcoef(gap, truth["aperture"])[0, 1] > 0.999


def test_clips_show_different_people_moving_differently(demo):
    first, second = (frames_of(demo.reference / f"{stem}.mp4")[0] for stem in demo.stems)
    assert psnr_db(first, second) < 25
    apertures = [np.load(demo.truth / f"{stem}.npz")["aperture"] for stem in demo.stems]
    assert np.corrcoef(*apertures)[0, 1] < 0.9


def test_the_same_seed_gives_the_same_files_and_another_others(demo, tmp_path):
    again = make_demo(tmp_path / "again", clips=1, seconds=SECONDS, size=128, seed=3)
    assert np.array_equal(frames_of(again.reference / "face1.mp4"), frames_of(demo.reference / "face1.mp4"))
    other = make_demo(tmp_path / "other", clips=1, seconds=1.0, size=128, seed=4)
    assert not np.array_equal(frames_of(other.reference / "face1.mp4")[0], frames_of(demo.reference / "face1.mp4")[0])


def test_the_command_prints_what_it_made(tmp_path):
    folder = tmp_path / "made"
    result = CliRunner().invoke(main, [str(folder), "--clips", "1", "--seconds", "1", "--size", "64"])
    assert result.exit_code == 0
    assert f"{folder / 'reference'}  1 clips of 1 s, 64 px" in result.output
    for name, control in CONTROLS.items():
        assert f"{folder / name}  {control.summary}" in result.output
    again = CliRunner().invoke(main, [str(folder)])
    assert again.exit_code == 2
    assert "is not empty, name a new folder" in again.output


@pytest.mark.parametrize(
    ("wrong", "message"), [({"clips": 0}, "at least 1"), ({"size": 129}, "use a size of 128 or 130")]
)
def test_requests_that_make_no_sense_are_refused(tmp_path, wrong, message):
    with pytest.raises(ProtocolError, match=message):
        make_demo(tmp_path / "none", **wrong)
    assert not (tmp_path / "none").exists()
