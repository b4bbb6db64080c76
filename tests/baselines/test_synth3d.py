import json

import av
import numpy as np
import pytest
from PIL import Image

import thgeval
from thgeval.errors import ProtocolError
from thgeval.metrics.views.we import projected
from thgeval_baselines.rig.model import person, rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.sets.clips import LABEL
from thgeval_baselines.sets.seen import DEPTH_EVERY, DEPTH_UNIT_DM, PLACES
from thgeval_baselines.sets.synth3d import alike, make_synth3d, perform
from thgeval_baselines.tasks.files import check_files, read_taskset

SIZE = 96


def made(folder, **other):
    return make_synth3d(folder, **{"people": 1, "seconds": 1, "size": SIZE, "fit_seconds": 1, "stills": 2} | other)


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    return made(tmp_path_factory.mktemp("synth3d") / "set")


def truth(tasks, name):
    with np.load(tasks.path(name)) as held:
        return dict(held)


def test_the_set_is_a_task_set_whose_files_are_there_and_hash_as_written(tasks):
    again = read_taskset(tasks.folder)
    assert [item.id for item in again] == [f"p0-{place}" for place in PLACES]
    for item in again:
        check_files(again, item)
        assert item.frames == 25
    assert again.made_by["recipe_sha256"] == json.loads(tasks.path("recipe.json").read_text())["sha256"]


def test_every_file_says_that_it_is_synthetic(tasks):
    for path in (tasks.path("reference/p0-front.mp4"), tasks.path("fit/p0.mp4")):
        with av.open(path) as container:
            assert container.metadata["comment"] == LABEL
    for path in (tasks.path("image/p0-front.png"), tasks.path("views/p0/000.png")):
        with Image.open(path) as image:
            assert image.info["Comment"] == LABEL
    assert str(truth(tasks, "truth/p0.npz")["label"]) == str(truth(tasks, "truth/p0-low.npz")["label"]) == LABEL
    assert tasks.notice == LABEL
    assert "do\nnot exist" in tasks.path("README.txt").read_text()


def test_metrics_read_the_truth_beside_the_clips(tasks):
    clips = tasks.path("reference")
    asked = ["lmd:landmarks=npz", "prmse:estimator=npz", "aucon:source=npz", "avd:model=npz", "cd", "we"]
    run = thgeval.evaluate(clips, clips, metrics=asked)
    scores = {key.split(":")[0].split("/")[0]: score for key, score in run.scores.items()}
    for name, best in (("lmd", 0.0), ("prmse", 0.0), ("aucon", 1.0), ("avd", 0.0)):
        assert scores[name].value == pytest.approx(best, abs=1e-9)
    # one scene from two sides: what one sees and the other doesn't, and the motion between two times, are left
    assert scores["cd"].value < 5e-3
    assert scores["we"].value < 25


@pytest.mark.parametrize("place", PLACES)
def test_landmarks_are_where_the_camera_puts_them_and_depth_is_theirs(tasks, place):
    known = truth(tasks, f"truth/p0-{place}.npz")
    shares = projected(known["landmarks_dm"], intrinsics=known["intrinsics"], pose=known["camera_pose"])
    assert known["landmarks_px"] == pytest.approx(shares * SIZE - 0.5)
    to_camera = np.linalg.inv(known["camera_pose"])
    away = (known["landmarks_dm"] @ to_camera[:3, :3].T + to_camera[:3, 3])[::DEPTH_EVERY, :, 2]
    column, row = np.rint(known["landmarks_px"][::DEPTH_EVERY]).astype(int).transpose(2, 0, 1)
    shown = known["depth"][np.arange(len(away))[:, None], row, column] * DEPTH_UNIT_DM
    sees = known["visible"][::DEPTH_EVERY]
    assert sees.mean() > 0.6
    assert np.median(np.abs(shown - away)[sees]) < 0.02
    hidden_side = {"left": slice(0, 4), "right": slice(13, 17)}
    if place in hidden_side:  # the far end of the jaw
        assert known["visible"][:, hidden_side[place]].mean() < 0.6


def test_the_skull_and_the_shapes_give_the_landmarks_of_the_world(tasks):
    whole, view = truth(tasks, "truth/p0.npz"), truth(tasks, "truth/p0-front.npz")
    neutral = rig().shaped(dict(zip(whole["shape_names"].tolist(), whole["shape_weights"].tolist(), strict=True)))
    face = rig().performed(neutral, whole["actions"])[12, rig().landmarks]
    moved = np.column_stack([face, np.ones(68)]) @ whole["skull"][12].T
    # the ends of the jaw lie where the neck begins to follow
    assert moved[17:, :3] == pytest.approx(view["landmarks_dm"][12, 17:], abs=1e-5)
    assert list(whole["action_names"]) == list(rig().action_names)
    angles = np.stack([whole["yaw"], whole["pitch"], whole["roll"]], axis=-1)
    assert angles == pytest.approx(view["pose_deg"], abs=1e-9)


def test_curves_that_drive_generators_are_the_truths(tasks):
    given, whole = truth(tasks, "curves/p0.npz"), truth(tasks, "truth/p0.npz")
    for number, name in enumerate(rig().action_names):
        assert np.array_equal(given[name], whole["actions"][:, number])
    assert np.array_equal(given["yaw"], whole["yaw"])


def test_the_lips_are_shut_in_the_closures_and_open_between(tasks):
    whole, view = truth(tasks, "truth/p0.npz"), truth(tasks, "truth/p0-front.npz")
    gap = np.linalg.norm(view["landmarks_dm"][:, 62] - view["landmarks_dm"][:, 66], axis=-1)
    middles = (whole["phone_start_s"] + whole["phone_end_s"]) / 2
    shut = [round(25 * t) for t, name in zip(middles, whole["phones"], strict=True) if name == "m" and t < 0.95]
    assert shut
    assert gap[shut].max() < 0.35 * gap.max()


def test_views_to_be_fitted_to_are_of_the_same_person_saying_something_else(tasks):
    known = json.loads(tasks.path("views/p0/cameras.json").read_text())
    first = known["views"][0]
    neutral = rig().shaped(person(perform(0, seed=0, seconds=1, fps=25).seed))
    face = rig().acting(neutral, first["actions"])[rig().landmarks[30]]
    world = (np.array(first["skull"]) @ [*face, 1])[:3]
    x, y = projected(world, intrinsics=np.array(first["intrinsics"]), pose=np.array(first["camera_pose"]))
    assert 0.3 < x < 0.7
    assert 0.3 < y < 0.7
    scored, fitted = (perform(0, seed=0, seconds=1, fps=25, fitting=fitting) for fitting in (False, True))
    assert scored.scene.person is fitted.scene.person
    assert scored.said.text != fitted.said.text


def test_the_same_seed_gives_the_same_files_and_another_other_people(tasks, tmp_path):
    again = made(tmp_path / "again")
    names = sorted(path.relative_to(tasks.folder) for path in tasks.folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file())
    for name in names:
        if name.suffix != ".npz":  # zip archives bear the time of day
            assert (tasks.folder / name).read_bytes() == (again.folder / name).read_bytes(), name
        else:
            first, second = truth(tasks, name), truth(again, name)
            assert all(np.array_equal(first[key], second[key]) for key in first | second), name
    other = made(tmp_path / "other", seed=1, fit_seconds=0)
    assert other.made_by["recipe_sha256"] != tasks.made_by["recipe_sha256"]
    clips = [each.path("reference/p0-front.mp4") for each in (tasks, again, other)]
    assert alike(clips[0], clips[1]) == np.inf
    assert alike(clips[0], clips[2]) < 30
    assert "fit_video" not in other["p0-front"].inputs


def test_late_sound_is_late_and_written_down(tmp_path):
    late = made(tmp_path / "late", late_frames=3, fit_seconds=0)
    assert truth(late, "truth/p0.npz")["audio_offset_s"] == pytest.approx(0.12)
    with av.open(late.path("reference/p0-front.mp4")) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        first = [next(container.decode(stream)).time for stream in (sound,)]
        assert first[0] == pytest.approx(0.12, abs=0.07)
        assert picture.start_time == 0


def test_people_differ_and_are_the_same_for_the_same_seed():
    assert Person.of(3) is Person.of(3)
    a, b = (perform(number, seed=0, seconds=1, fps=25) for number in (0, 1))
    assert np.abs(a.scene.person.neutral - b.scene.person.neutral).max() > 0.05
    assert a.scene.acting.actions.shape == (25, 52)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"people": 0}, "a set of 0 people can't be made"),
        ({"seconds": 0.1}, r"clips of 0\.1 s can't be made"),
        ({"size": 97}, "choose an even one"),
        ({"fps": 5}, "5 frames per second can't be made"),
    ],
)
def test_what_can_t_be_made_is_refused_before_anything_is_written(tmp_path, wrong, says):
    with pytest.raises(ProtocolError, match=says):
        made(tmp_path / "none", **wrong)
    assert not (tmp_path / "none").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ProtocolError, match="is not empty, name a new folder"):
        made(tmp_path)
