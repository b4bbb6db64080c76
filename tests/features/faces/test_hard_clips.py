"""Clips that are hard for faces, real and made up: frames are counted under their reasons, and nothing crashes."""

import numpy as np
import pytest

pytest.importorskip("dlib")
pytest.importorskip("skimage")

from support import assets

import thgeval
from thgeval.features.faces.detection import FOLLOWS, faces
from thgeval.features.faces.eyes import eyes
from thgeval.features.faces.landmarks import landmarks
from thgeval.features.faces.people import people, why_absent
from thgeval.features.frames.frames import rgb
from thgeval.features.heads.pose import pose
from thgeval.media.frames import FrameBatch
from thgeval.view import Side
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.sets.clips import head

FACE = head(seed=1).frame(Parameters())
BLACK = np.zeros_like(FACE)
WAYS = list(FOLLOWS)


def looked(frames, follow="every", **chosen):
    """Why frames have no one, and the pose and eyes of the chosen people."""
    key = faces(follow=follow)
    found = Side({rgb: FrameBatch(np.stack(frames), 255.0, 0)})
    marks = landmarks(follow=follow)
    clip = Side({key: found[key], marks: found[marks]})
    how = {"follow": follow, **chosen}
    return why_absent(clip[people(**how)]), clip[pose(**how)], clip[eyes(**how)]


@pytest.mark.parametrize("follow", WAYS)
def test_black_frames_have_no_face(follow):
    said, angles, ratios = looked([FACE, BLACK, BLACK, FACE, FACE], follow)
    assert said.tolist() == ["", "no face", "no face", "", ""]
    assert np.isnan(angles[[1, 2]]).all()
    assert np.isfinite(angles[[0, 3, 4]]).all()
    assert (np.isnan(ratios).any(axis=(1, 2)) == np.isnan(angles).any(axis=(1, 2))).all()


@pytest.mark.parametrize("follow", WAYS)
def test_grey_pictures_show_the_face_too(follow):
    grey = FACE.mean(axis=-1, keepdims=True).astype(np.uint8).repeat(3, axis=-1)
    said, angles, _ = looked([grey] * 3, follow)
    assert said.tolist() == [""] * 3
    assert abs(angles).max() < 15


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_picture_on_its_side_shows_none(turns):
    said, *_ = looked([np.rot90(FACE, turns)])
    assert said.tolist() == ["no face"]


def test_a_tiny_face_is_not_found_and_a_small_one_can_be_refused():
    small = np.full((256, 256, 3), 128, np.uint8)
    small[100:148, 100:148] = FACE[::6, ::6][:48, :48] if FACE.shape[0] == 288 else FACE[::5, ::5][:48, :48]
    assert looked([small])[0].tolist() == ["no face"]
    assert looked([FACE], min_px=200)[0].tolist() == ["face too small"]


@pytest.mark.parametrize("follow", WAYS)
def test_two_faces_are_counted_and_one_is_measured(follow):
    beside = np.concatenate([FACE, FACE[:, ::-1]], axis=1)
    said, angles, _ = looked([beside] * 3, follow)
    assert said.tolist() == [""] * 3
    assert angles.shape == (3, 1, 3)
    assert looked([beside] * 3, follow, who="all")[1].shape == (3, 2, 3)


@pytest.mark.parametrize("follow", WAYS)
def test_a_face_that_leaves_the_frame_is_lost(follow):
    canvas = np.concatenate([np.full_like(FACE, 120), FACE, np.full_like(FACE, 120)], axis=1)
    views = [canvas[:, left : left + 256] for left in range(256, 513, 32)]
    said, angles, _ = looked(views, follow)
    assert said[0] == ""
    assert said[-1] == "no face"
    assert (np.isnan(angles[:, 0, 0]) == (said != "")).all()


def test_a_run_says_how_many_frames_have_no_face():
    frames = np.stack([FACE] * 6 + [BLACK] * 4)
    score = thgeval.score(frames, metrics=["blinks-per-s"], fps=25)["blinks-per-s"]
    assert score.value == 0
    assert dict(score.frames_left_out) == {"no face": 4}
    nobody = thgeval.score(np.stack([BLACK] * 5), metrics=["blinks-per-s"], fps=25)["blinks-per-s"]
    assert nobody.value is None
    assert "no face" in str(nobody.frames_left_out) or "no face" in str(nobody.unscored)


REAL = {
    "no_face.mp4": (12, 8, (0, 0)),
    "face_noface.mov": (20, 8, (1, 19)),
    "WolfgangLanger_Pexels.mp4": (12, 8, (10, 12)),
    "brbk7n.mpg": (12, 6, (12, 12)),
    "iplap_129.mp4": (12, 8, (12, 12)),
    "May_5s.mp4": (12, 8, (12, 12)),
}
"""Frames looked at, how many apart, and between which counts of them a face is found."""


@pytest.mark.parametrize("follow", WAYS)
@pytest.mark.parametrize("name", REAL)
def test_real_clips_have_the_faces_that_one_sees(name, follow):
    count, step, (fewest, most) = REAL[name]
    frames = assets.frames(name, count, step)
    said, angles, ratios = looked(list(frames), follow)
    there = said == ""
    assert fewest <= there.sum() <= most
    assert set(said) <= {"", "no face"}
    assert (np.isfinite(angles[:, 0]).all(axis=-1) == there).all()
    assert (np.abs(angles[there]) < 60).all()
    assert ((ratios[there] > 0) & (ratios[there] < 0.7)).all()
