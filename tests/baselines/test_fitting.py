"""The rig as a morphable model: what it was rendered with is found again, and a portrait stays itself."""

import numpy as np
import pytest

from thgeval_baselines.photo.filling import spread
from thgeval_baselines.photo.portrait import portrait
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.fitting import fit, tracked, turned
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import rig
from thgeval_baselines.rig.people import Person
from thgeval_baselines.rig.portrayed import Portrayed, wireframe
from thgeval_baselines.rig.pose import Pose, posed

SIZE = (256, 256)


def actions(**weights):
    return np.array([weights.get(name, 0.0) for name in rig().action_names])


def seen(seed, weights, pose):
    """The landmarks (68, 2) of a person of the rig, in a camera that the fit knows nothing of."""
    face = rig().performed(Person.of(seed).neutral, weights[None])[0].astype(float)
    return Camera().project(posed(face, pose)[rig().landmarks])[:, :2]


def error(points, truth):
    return np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(truth[45] - truth[36])


@pytest.mark.parametrize("seed", [8, 9, 10])
def test_pose_jaw_and_smile_of_people_of_the_rig_are_found_again(seed):
    marks = seen(seed, actions(jawOpen=0.4, mouthSmileLeft=0.5, mouthSmileRight=0.5), Pose(15, -8, 5))
    found = fit(marks, SIZE)
    assert error(found.landmarks(), marks) < 0.01
    assert found.pose.yaw == pytest.approx(15, abs=3)
    assert found.pose.pitch == pytest.approx(-8, abs=4)
    assert found.pose.roll == pytest.approx(5, abs=1.5)
    index = rig().action_names.index
    assert found.actions[index("jawOpen")] == pytest.approx(0.4, abs=0.15)
    assert 0.1 < found.actions[index("mouthSmileLeft")] < 0.7  # the ridge leaves some to shapes
    assert np.all((found.actions >= 0) & (found.actions <= 1))


@pytest.mark.parametrize("seed", [0, 3, 4])
def test_a_photograph_is_fitted(seed):
    face = portrait(seed=seed)
    found = fit(face.landmarks, SIZE)
    assert error(found.landmarks(), face.landmarks) < 0.03
    assert abs(found.pose.yaw) < 5
    assert abs(found.pose.roll) < 3


def test_a_person_is_followed_with_their_shape_held():
    person = fit(seen(10, actions(), Pose()), SIZE)
    jaws, yaws = (0.0, 0.2, 0.5), (0, 6, 12)
    found, last = [], person
    for jaw, yaw in zip(jaws, yaws, strict=True):
        last = tracked(person, seen(10, actions(jawOpen=jaw), Pose(yaw=yaw)), last)
        found.append(last)
    index = rig().action_names.index("jawOpen")
    assert np.corrcoef([each.actions[index] for each in found], jaws)[0, 1] > 0.97
    assert [each.pose.yaw for each in found] == pytest.approx(yaws, abs=2)
    assert all(each.neutral is person.neutral for each in found)


def test_a_neck_goes_no_further_than_it_can():
    assert turned(Pose(yaw=80), np.array([40.0, 0, -90])) == Pose(90, 0, -50)


@pytest.fixture(scope="module")
def photograph():
    face = portrait(seed=3)
    fitted = fit(face.landmarks, SIZE)
    return face, fitted, Portrayed.of(face.image, face.landmarks, fitted)


def test_the_portrait_at_rest_is_the_portrait(photograph):
    face, fitted, portrayed = photograph
    shown = portrayed.frame(fitted.actions, fitted.pose)
    off = np.abs(shown.astype(float) - face.image).mean(axis=-1)
    mouth = np.zeros(SIZE, bool)
    low, high = face.landmarks[48:].min(axis=0).astype(int), face.landmarks[48:].max(axis=0).astype(int)
    mouth[low[1] - 4 : high[1] + 5, low[0] - 4 : high[0] + 5] = True
    assert off[~mouth].mean() < 4
    assert np.array_equal(shown, portrayed.frame(fitted.actions, fitted.pose))


def test_the_border_stays_and_the_nose_turns(photograph):
    face, fitted, portrayed = photograph
    turned_far = portrayed.frame(fitted.actions, turned(fitted.pose, np.array([18.0, 0, 0])))
    edge = np.ones(SIZE, bool)
    edge[6:-6, 6:-6] = False
    assert np.abs(turned_far[edge].astype(int) - face.image[edge]).max() < 60
    assert np.abs(turned_far[edge].astype(int) - face.image[edge]).mean() < 3
    away = fitted.landmarks(pose=turned(fitted.pose, np.array([18.0, 0, 0])))[30] - fitted.landmarks()[30]
    assert away[0] > 8


def test_the_far_cheek_has_the_colour_of_the_near_one():
    person, pose = Person.of(8), Pose(yaw=28)
    face = posed(person.neutral, pose)
    even = Light(key_colour=(0, 0, 0), fill_colour=(0, 0, 0), ambient=(0.9, 0.9, 0.9))
    image = person.shot(face, Camera(), light=even).image
    marks = Camera().project(face[rig().landmarks])[:, :2]
    fitted = fit(marks, SIZE)
    back = Portrayed.of(image, marks, fitted).frame(fitted.actions, Pose())
    front = fitted.landmarks(pose=Pose())
    cheeks = [np.rint((front[a] + front[b]) / 2).astype(int) for a, b in ((31, 3), (35, 13))]
    near, far = (back[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 3).mean(axis=0) for x, y in cheeks)
    assert np.abs(near - far).max() < 30


def test_colours_spread_to_where_nothing_is_known():
    colours, known = np.zeros((64, 64, 3), np.float32), np.zeros((64, 64), np.float32)
    known[:, :32] = 1
    colours[:, :32] = (0.8, 0.4, 0.2)
    assert spread(colours, known) == pytest.approx(np.tile([0.8, 0.4, 0.2], (64, 64, 1)), abs=0.02)


def test_the_wireframe_is_a_picture(photograph):
    drawn = wireframe(photograph[2])
    assert drawn[:2] == b"\xff\xd8"
    assert 10_000 < len(drawn) < 150_000
