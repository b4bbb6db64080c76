from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from thgeval_baselines.rig.model import person, rig
from thgeval_baselines.rig.picture import Camera, Colours, shot, texture_of


def shots(seed, weights, camera=None):
    neutral, colours = rig().shaped(person(seed)), Colours.of(seed)
    texture = texture_of(colours, seed=seed)
    faces = [rig().acting(neutral, each) for each in weights]
    return faces, [shot(face, camera or Camera(), texture, colours) for face in faces]


def read_by_dlib(image):
    """The 68 points (68, 2) that dlib reads in a picture in which it must find one face."""
    dlib = pytest.importorskip("dlib")
    spec = find_spec("face_recognition_models")
    if spec is None:
        pytest.skip("needs face_recognition_models")
    model = Path(spec.submodule_search_locations[0]) / "models" / "shape_predictor_68_face_landmarks.dat"
    found = dlib.get_frontal_face_detector()(image, 0)
    assert len(found) == 1
    points = dlib.shape_predictor(str(model))(image, found[0]).parts()
    return np.array([(point.x, point.y) for point in points], float)


def eye_aspect(points):
    high = np.linalg.norm(points[[37, 38, 43, 44]] - points[[41, 40, 47, 46]], axis=1).mean()
    return high / np.linalg.norm(points[[36, 42]] - points[[39, 45]], axis=1).mean()


def lip_gap(points):
    return points[66, 1] - points[62, 1]


@pytest.mark.parametrize("seed", [8, 9, 10])  # people whom nothing was chosen on; 9 has dark skin
def test_dlib_finds_every_frame_and_reads_the_jaw_and_the_landmarks(seed):
    jaw = np.linspace(0, 0.6, 7)
    faces, pictures = shots(seed, [{"jawOpen": weight} for weight in jaw])
    true = [Camera().project(face[rig().landmarks])[:, :2] for face in faces]
    read = [read_by_dlib(picture.image) for picture in pictures]
    unit = np.linalg.norm(true[0][45] - true[0][36])
    assert np.corrcoef([lip_gap(points) for points in true], jaw)[0, 1] >= 0.98
    assert np.corrcoef([lip_gap(points) for points in read], jaw)[0, 1] >= 0.98
    assert np.mean(np.linalg.norm(np.array(read) - true, axis=-1)) < 0.04 * unit


@pytest.mark.parametrize("seed", [8, 11])
def test_a_blink_is_read_from_the_picture(seed):
    blinks = [{"eyeBlinkLeft": weight, "eyeBlinkRight": weight} for weight in (0.0, 0.5, 1.0)]
    opened, half, closed = (eye_aspect(read_by_dlib(picture.image)) for picture in shots(seed, blinks)[1])
    assert opened > half > closed
    assert closed < 0.6 * opened


def test_two_renderings_are_the_same_and_depth_is_the_distance_of_what_is_shown():
    faces, (first, second) = shots(5, [{}, {}])
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.depth, second.depth)
    tip = Camera().project(faces[0][rig().landmarks])[30]
    assert first.depth[round(tip[1]), round(tip[0])] == pytest.approx(tip[2], abs=0.05)
    assert np.isinf(first.depth[0, 0])


def test_the_gaze_turns_the_eyes_in_the_picture():
    ahead, aside = shots(5, [{}, {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}])[1]
    assert np.abs(ahead.image.astype(int) - aside.image).max() > 60


def test_a_camera_to_the_left_sees_the_nose_move_to_the_left():
    nose = rig().vertices[rig().landmarks[30]][None]
    front, side = (Camera(azimuth=azimuth).project(nose)[0] for azimuth in (0, 30))
    assert side[0] < front[0]
