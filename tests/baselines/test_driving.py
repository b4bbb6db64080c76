"""Driving videos: the landmarks of each frame that is wanted, whatever the video's rate and size."""

from fractions import Fraction

import numpy as np
import pytest

from thgeval.errors import InputError
from thgeval.media.encode import write_video
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators import driving
from thgeval_baselines.generators.driving import driving_landmarks
from thgeval_baselines.generators.following import EVERY
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.portrait import portrait

APERTURES = np.clip(np.linspace(0, 1, 20), 0, 0.9)

pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def head():
    return Head.of(portrait(seed=2))


@pytest.fixture(scope="module")
def video(head, tmp_path_factory):
    path = tmp_path_factory.mktemp("driver") / "driver.mp4"
    write_video(path, [head.frame(Parameters(aperture=float(each))) for each in APERTURES], fps=50, crf=12)
    return path


def gaps(marks):
    return marks[:, 66, 1] - marks[:, 62, 1]


def test_another_rate_and_another_size_are_brought_to_the_items(video, head):
    marks = driving_landmarks(Inputs("one", fps=Fraction(25), size=(128, 128), driving_video=video))
    assert len(marks) == 10
    expected = [head.landmarks(Parameters(aperture=float(each))) / 2 for each in APERTURES[::2]]
    assert np.abs(marks - np.array(expected)).mean() < 1.5
    assert np.corrcoef(gaps(marks), APERTURES[::2])[0, 1] > 0.95


def test_as_many_frames_as_are_wanted_the_last_one_held(video):
    marks = driving_landmarks(Inputs("one", fps=Fraction(50), frames=23, driving_video=video))
    assert len(marks) == 23
    assert np.array_equal(marks[19], marks[22])
    assert len(driving_landmarks(Inputs("one", fps=Fraction(50), frames=3, driving_video=video))) == 3


def test_where_the_face_is_lost_it_stays(head, tmp_path):
    seen = [head.frame(Parameters(aperture=value)) for value in (0.2, 0.6)]
    wall = np.full_like(seen[0], 120)
    shown = [frame for frame in (wall, seen[0], wall, seen[1]) for _ in range(EVERY)]
    write_video(tmp_path / "lost.mp4", shown, fps=25, crf=12)
    marks = driving_landmarks(Inputs("one", driving_video=tmp_path / "lost.mp4"))
    assert np.array_equal(marks[0], marks[EVERY])
    assert np.array_equal(marks[2 * EVERY - 1], marks[3 * EVERY - 1])
    assert gaps(marks)[3 * EVERY] > gaps(marks)[3 * EVERY - 1] + 3


def test_what_cannot_drive_is_refused_with_its_cure(video, tmp_path, monkeypatch):
    write_video(tmp_path / "wall.mp4", [np.full((128, 128, 3), 120, np.uint8)] * 3, fps=25, crf=12)
    for inputs, reason, says in [
        (Inputs("one"), "missing", "one has no driving video, whose motion is to be taken over"),
        (
            Inputs("one", driving_video=tmp_path / "wall.mp4"),
            "no face",
            r"no face is found in the driving video wall\.mp4, give one of a face that looks to the camera",
        ),
    ]:
        with pytest.raises(InputError, match=says) as refused:
            driving_landmarks(inputs)
        assert refused.value.reason == reason
    monkeypatch.setattr(driving, "LONGEST", 5)
    with pytest.raises(InputError, match=r"driver\.mp4 is longer than 5 frames: cut it, or say how many"):
        driving_landmarks(Inputs("one", driving_video=video))
