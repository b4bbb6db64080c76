"""``synth-v1``: the same set from the same seed, truth in the files that metrics read, going on where it stopped."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thgeval.clip import Clip
from thgeval.errors import InputError, ProtocolError
from thgeval.media import decode
from thgeval_baselines.photo.given import Given, cropped, found, framed
from thgeval_baselines.sets.clips import LABEL
from thgeval_baselines.sets.performance import fitting_performance, performances
from thgeval_baselines.sets.synth import head_of, make_synth
from thgeval_baselines.speech.utterances import ids
from thgeval_baselines.tasks.files import check_files, read_taskset
from thgeval_baselines.tasks.settings import SETTINGS

CLIPS = frozenset({"s1-e01-still", "s2-e01-still", "s1-late-m10"})


SHORT = {"seconds": 1.0, "fit_seconds": 1.0, "workers": 1}
"""Clips of a second: their number and kind stay."""


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth") / "set"
    make_synth(folder, only=CLIPS, **SHORT)
    return folder


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(made_once, tmp_path / "set")


def decoded(path: Path) -> np.ndarray:
    with decode(Clip(path.stem, path), chunk=64) as batches:
        return np.concatenate([batch.new for batch in batches])


def test_the_whole_set_is_planned() -> None:
    clips = performances(seed=0, people=4, seconds=1.0)
    assert len({clip.id for clip in clips}) == len(clips) == 4 * 12 * 2 + 21
    assert {clip.utterance for clip in clips if clip.split == "test"} == set(ids("utterance"))
    late = {clip.meta["value"]: clip.late_s for clip in clips if clip.meta.get("stress") == "late"}
    assert late == {frames: pytest.approx(frames / 25) for frames in (-10, -5, -2, -1, 0, 1, 2, 5, 10)}
    assert {(str(clip.fps), clip.size) for clip in clips} == {(f, 256) for f in ("24", "25", "30")} | {
        ("25", 128),
        ("25", 512),
    }


def test_the_same_seed_plans_the_same_and_another_does_not() -> None:
    first, again, other = (performances(seed=seed, people=1, seconds=1.0)[1] for seed in (3, 3, 4))
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_people_perform_an_utterance_alike_and_are_fitted_to_other_words() -> None:
    clips = {clip.id: clip for clip in performances(seed=0, people=2)}
    assert np.array_equal(clips["s1-e03-pose"].values, clips["s2-e03-pose"].values)
    assert not clips["s1-e03-still"]["yaw"].any()
    assert np.ptp(clips["s1-e03-pose"]["yaw"]) > 3
    fits = [fitting_performance(person, seed=0) for person in range(2)]
    assert fits[0].said.text != fits[1].said.text
    assert not [clip for clip in clips.values() for fit in fits if clip.utterance and clip.said.text in fit.said.text]
    assert all(len(fit) == 625 for fit in fits)


def test_stress_clips_do_what_their_names_say() -> None:
    clips = {clip.id: clip for clip in performances(seed=0, people=1)}
    assert not clips["s1-silence"]["aperture"].any()
    assert np.abs(clips["s1-silence"].said.samples).max() < 1e-4
    assert [len(clips[f"s1-blinks-{hz}"].blinks_s) for hz in ("0_0", "0_25", "0_5", "1_0")] == [0, 1, 2, 5]
    assert clips["s1-yaw-ramp"]["yaw"][[0, -1]] == pytest.approx([-35, 34.4], abs=0.2)
    assert (clips["s1-closures"]["aperture"] == 0).mean() > 0.25
    assert {phone.name.strip("ˈˌ") for phone in clips["s1-closures"].said.phones} & set("mbp") == set("mbp")
    assert len(clips["s1-fps-30"]) == 150


def test_the_task_set_is_read_back_with_hashes_that_hold(made: Path) -> None:
    tasks = read_taskset(made)
    assert {item.id for item in tasks} == CLIPS
    for item in tasks:
        check_files(tasks, item)
        assert SETTINGS["self-audio"].missing(item) == []
        assert SETTINGS["parameter"].missing(item) == []
    assert SETTINGS["cross-reenactment"].missing(tasks["s1-e01-still"]) == []
    assert tasks["s1-e01-still"].inputs["driving_video"] == "reference/s2-e01-still.mp4"
    assert json.loads((made / "recipe.json").read_text())["sha256"] == tasks.made_by["recipe_sha256"]


def test_truth_is_what_the_frames_show(made: Path) -> None:
    truth = np.load(made / "truth/s1-e01-still.npz")
    faces = np.load(made / "reference/s1-e01-still.faces.npz")
    frames = decoded(made / "reference/s1-e01-still.mp4")
    assert len(frames) == len(truth["aperture"]) == len(faces["landmarks_px"]) == 25
    assert np.array_equal(truth["landmarks"], faces["landmarks_px"])
    head = head_of(0, seed=0)
    drawn = head.frame(next(iter(performances(seed=0, people=1, seconds=1.0))).frames()[20])
    assert np.abs(frames[20].astype(float) - drawn).mean() < 2.0
    gap = (truth["landmarks"][:, 66, 1] - truth["landmarks"][:, 62, 1]) / truth["eye_distance_px"]
    assert gap == pytest.approx(0.26 * truth["aperture"], abs=1e-6)


def test_late_sound_is_late_by_its_truth(made: Path) -> None:
    from thgeval.media.audio import decoded_speech

    def begins_s(name: str) -> float:
        sound = decoded_speech(made / f"reference/{name}.mp4", rate_hz=16000).samples
        return float(np.argmax(np.abs(sound) > 0.05) / 16000)

    assert float(np.load(made / "truth/s1-late-m10.npz")["audio_offset_s"]) == pytest.approx(-0.4)
    assert begins_s("s1-late-m10") < begins_s("s1-e01-still")


def test_every_file_says_what_it_is(made: Path) -> None:
    import av

    with av.open(str(made / "reference/s1-e01-still.mp4")) as video:
        assert video.metadata["comment"] == LABEL
    assert Image.open(made / "image/s1.png").text["Comment"] == LABEL
    assert LABEL.encode() in (made / "audio/e01.wav").read_bytes()
    with av.open(str(made / "audio/e01.wav")) as sound:
        assert sound.metadata["comment"] == LABEL
    assert str(np.load(made / "truth/s1-e01-still.npz")["label"]) == LABEL
    assert "Synthetic test material" in (made / "README.txt").read_text()


def test_a_set_goes_on_where_it_stopped(made: Path) -> None:
    whole = {path: path.stat().st_mtime_ns for path in made.glob("reference/*.mp4")}
    lost = made / "reference/s2-e01-still.mp4"
    content = lost.read_bytes()
    lost.unlink()
    make_synth(made, only=CLIPS, **SHORT)
    assert lost.read_bytes() == content
    assert all(path.stat().st_mtime_ns == time for path, time in whole.items() if path != lost)


def test_another_set_is_never_mixed_in(made: Path) -> None:
    with pytest.raises(ProtocolError, match="holds something else than this set, name a new folder"):
        make_synth(made, seed=1, only=CLIPS, **SHORT)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"people": 0}, "a set of 0 people can't be made, ask for 1 to 16"),
        ({"seconds": 0.5}, "clips of 0.5 s can't be made, ask for 1 to 60 s"),
        ({"only": frozenset({"s9"})}, "the set has no clip called s9, choose such as s1-e01-still"),
    ],
)
def test_what_cannot_be_made_is_said(tmp_path: Path, asked: dict[str, object], message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        make_synth(tmp_path / "set", **(SHORT | asked))
    assert not (tmp_path / "set").exists()


def test_a_portrait_of_ones_own_is_animated(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    image = head_of(1, seed=5).portrait.image
    Image.fromarray(np.pad(image, ((0, 30), (90, 20), (0, 0)), mode="edge")).save(tmp_path / "me.png")
    tasks = make_synth(tmp_path / "set", portrait=tmp_path / "me.png", only=frozenset({"s1-e01-still"}), **SHORT)
    assert (tasks.id, tasks.licence) == ("synth-own", "")
    frames, truth = (
        decoded(tmp_path / "set/reference/s1-e01-still.mp4"),
        np.load(tmp_path / "set/truth/s1-e01-still.npz"),
    )
    read = found(frames[20]).landmarks
    error = np.linalg.norm(read - truth["landmarks"][20], axis=1).mean() / truth["eye_distance_px"]
    assert error < 0.04
    assert truth["smile"][0] == 1.0
    assert "astronaut" not in (tmp_path / "set/README.txt").read_text()


def test_a_portrait_without_a_face_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    with pytest.raises(InputError, match=r"no face is found in wall\.png, give a picture of one frontal face"):
        make_synth(tmp_path / "set", portrait=tmp_path / "wall.png")


def test_a_given_face_is_brought_into_shape() -> None:
    portrait = head_of(0, seed=0).portrait
    wide = np.pad(portrait.image, ((0, 0), (64, 192), (0, 0)), mode="edge")
    face = Given(wide, portrait.landmarks + np.array([64.0, 0.0]))
    canvas = framed(face, (128, 256))
    assert canvas.image.shape == (256, 256, 3)
    assert canvas.landmarks == pytest.approx((face.landmarks + 0.5) / 2 - 0.5)
    square = cropped(face, size=192)
    assert square.landmarks[45, 1] == pytest.approx(square.landmarks[36, 1])
    assert square.eye_distance_px == pytest.approx(192 * 60 / 216)


def test_a_large_picture_is_averaged_not_thinned_out_when_it_is_cropped() -> None:
    portrait = head_of(0, seed=0).portrait
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 200
    face = Given(stripes, portrait.landmarks * 4)
    assert np.ptp(cropped(face, size=128).image[40:90, 40:90]) < 10


def test_a_face_outside_the_middle_is_refused() -> None:
    portrait = head_of(0, seed=0).portrait
    face = Given(np.pad(portrait.image, ((0, 0), (0, 400), (0, 0)), mode="edge"), portrait.landmarks, "me.jpg")
    with pytest.raises(InputError, match=r"the face in me\.jpg \(656x256\) is cut off at 256x256, which keeps") as no:
        framed(face, (256, 256))
    assert no.value.reason == "face cut off"
