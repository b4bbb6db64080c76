"""``ref-image``: a driver's motion on somebody's portrait; the mask is where the source has nothing to show."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image as Picture
from support.driven import FRAMES, JAW, put_photo

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.media import decode
from thgeval.media.encode import write_video
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.image import Image
from thgeval_baselines.photo.geometry import Parameters
from thgeval_baselines.photo.given import landmarks_in
from thgeval_baselines.photo.head import Head
from thgeval_baselines.photo.motion import motion
from thgeval_baselines.photo.portrait import portrait
from thgeval_baselines.photo.transferred import Transferred
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.pose import Pose, posed

pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("driven")
    put_photo(place)
    person, shots = Person.of(8), []
    for jaw, yaw in zip(JAW, np.linspace(0, 10, FRAMES), strict=True):
        face = posed(rig().acting(person.neutral, {"jawOpen": float(jaw)}), Pose(yaw=float(yaw)))
        shots.append(person.shot(face, Camera()).image)
    write_video(place / "driving.mp4", shots, fps=Fraction(25), crf=12)
    return place


def marks_of(frames):
    return np.array([landmarks_in(frame) for frame in frames])


def test_a_strangers_motion_is_seen_in_the_encoded_video(folder, tmp_path):
    given = Inputs("item", source_image=folder / "photo.png", driving_video=folder / "driving.mp4")
    made = Image().generate(given, seed=0, fitted=None)
    write_video(tmp_path / "made.mp4", made.frames, fps=made.fps, crf=18)
    with decode(Clip("made", tmp_path / "made.mp4"), chunk=32) as batches:
        marks = marks_of([frame for batch in batches for frame in batch.new])
    assert len(marks) == FRAMES
    assert np.corrcoef(marks[:, 66, 1] - marks[:, 62, 1], JAW)[0, 1] >= 0.9
    nose = marks[:, 30, 0] - marks[:, [36, 45], 0].mean(axis=1)
    assert nose[-1] - nose[0] > 3
    assert set(made.evidence) == {"motion.jpg"}


def test_the_persons_own_motion_is_rebuilt_from_one_frame(tmp_path):
    head = Head.of(portrait(seed=6))
    blinks = np.isin(np.arange(FRAMES), (9, 10, 11)).astype(float)
    frames = [
        head.frame(Parameters(aperture=jaw / 0.6, blink=blink, yaw=yaw))
        for jaw, blink, yaw in zip(JAW.tolist(), blinks.tolist(), np.linspace(0, 8, FRAMES).tolist(), strict=True)
    ]
    Picture.fromarray(frames[0]).save(tmp_path / "first.png")
    write_video(tmp_path / "own.mp4", frames, fps=Fraction(25), crf=12)
    given = Inputs("item", source_image=tmp_path / "first.png", driving_video=tmp_path / "own.mp4")
    made = np.stack(list(Image().generate(given, seed=0, fitted=None).frames))
    again = np.stack(list(Image().generate(given, seed=5, fitted=None).frames))
    assert np.array_equal(made, again)
    face = (slice(None), slice(80, 225), slice(70, 190))
    off, still = (np.abs(each.astype(float) - np.stack(frames))[face].mean() for each in (made, made[:1]))
    assert off < 0.75 * still
    marks = marks_of(made)
    openness = marks[:, [41, 40, 47, 46], 1].sum(axis=1) - marks[:, [37, 38, 43, 44], 1].sum(axis=1)
    assert openness[10] < 0.7 * np.median(openness)


def test_keypoints_arrive_and_nothing_is_hidden_where_all_move_alike():
    marks = portrait(seed=3).landmarks
    part = np.zeros(68, np.intp)
    found = motion(marks, marks + np.array([6.0, -3.0]), part, unit_px=70.0, size=256)
    columns, rows = np.meshgrid(np.arange(256), np.arange(256))
    assert np.abs(found.back - np.stack([columns - 6, rows + 3], axis=-1)).max() < 0.05
    assert found.hidden[40:200, 40:200].max() == 0
    turned = 0.9 * (marks - 128) @ np.array([[0.96, 0.28], [-0.28, 0.96]]) + 128
    found = motion(marks, turned, part, unit_px=70.0, size=256)
    at = np.rint(turned).astype(int)
    near = found.back[at[:, 1], at[:, 0]] + (turned - at) @ np.linalg.inv(0.9 * np.array([[0.96, 0.28], [-0.28, 0.96]]))
    assert np.abs(near - marks).max() < 1.0


def test_where_keypoints_cross_the_motion_folds():
    source = np.array([[x, y] for y in (60.0, 120.0, 180.0) for x in (60.0, 100.0, 140.0, 180.0)])
    moved = source.copy()
    moved[[5, 6], 0] = moved[[6, 5], 0]
    hidden = motion(source, moved, np.arange(12), unit_px=40.0, size=256).hidden
    assert hidden[115:126, 112:129].min() > 0.9
    assert hidden[40:70, 40:200].max() < 0.1


def test_what_a_head_leaves_free_is_hidden_and_shows_wall():
    face = portrait(seed=3)
    moved = Transferred.of(face)
    still, shifted = moved.shot(face.landmarks), moved.shot(face.landmarks + np.array([14.0, 0.0]))
    left = np.argmax(moved.layers.cover[100] > 0.9)
    assert still.hidden[100].max() < 0.1
    assert shifted.hidden[100, left + 3 : left + 8].min() > 0.9
    assert shifted.hidden[100, left + 25 : left + 60].max() < 0.1
    free = shifted.image[100, left + 3 : left + 8].astype(float)
    assert np.abs(free - face.image[100, left - 12 : left - 4].mean(axis=0)).mean() < 25


def test_a_mouth_that_opens_is_hidden_between_the_lips():
    face = portrait(seed=3)
    marks = face.landmarks.copy()
    marks[[65, 66, 67, 55, 56, 57, 58, 59, 6, 7, 8, 9, 10], 1] += 14
    shot = Transferred.of(face).shot(marks)
    middle = np.rint((marks[62] + marks[66]) / 2).astype(int)
    assert shot.hidden[middle[1], middle[0]] == 1
    assert shot.hidden[round(marks[30, 1]), round(marks[30, 0])] == 0


def test_what_cannot_be_made_is_said(folder, tmp_path):
    with pytest.raises(InputError, match="item has no driving video, whose motion is to be taken over"):
        Image().generate(Inputs("item", source_image=folder / "photo.png"), seed=0, fitted=None)
    write_video(tmp_path / "wall.mp4", [np.full((128, 128, 3), 120, np.uint8)] * 3, fps=25, crf=12)
    walled = Inputs("item", source_image=folder / "photo.png", driving_video=tmp_path / "wall.mp4")
    with pytest.raises(InputError, match=r"no face is found in the driving video wall\.mp4, give one of a face"):
        Image().generate(walled, seed=0, fitted=None)
