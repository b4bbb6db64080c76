import numpy as np
import pytest
from support import dlib_itself

from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.colours import Colours, texture_of
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import person, rig
from thgeval_baselines.rig.picture import shot


def shots(seed, weights, camera=None):
    neutral, colours = rig().shaped(person(seed)), Colours.of(seed)
    texture = texture_of(colours, seed=seed)
    faces = [rig().acting(neutral, each) for each in weights]
    return faces, [shot(face, camera or Camera(), texture, colours) for face in faces]


def read_by_dlib(image):
    """The 68 points (68, 2) that dlib reads in a picture in which it must find one face."""
    detect, predict = dlib_itself.models()
    found = detect(image, 0)
    assert len(found) == 1
    return dlib_itself.points(predict(image, found[0]))


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


def test_light_comes_from_where_it_is_drawn():
    head, colours = rig(), Colours.of(5)
    texture = texture_of(colours, seed=5)
    sides = {}
    for side in (-1.0, 1.0):
        lamp = Light(key=(side, 0.3, 0.5), key_colour=(0.7, 0.6, 0.5), fill_colour=(0.0, 0.0, 0.0))
        image = shot(head.vertices, Camera(), texture, colours, light=lamp).image.astype(float)
        sides[side] = image[100:160, 100:125].mean(), image[100:160, 131:156].mean()
    assert sides[-1.0][0] > 1.2 * sides[-1.0][1]
    assert sides[1.0][1] > 1.2 * sides[1.0][0]
    assert Light.of(3) == Light.of(3) != Light.of(4)


def test_a_coloured_light_colours_and_the_background_is_the_one_asked_for():
    head, colours = rig(), Colours.of(5)
    texture = texture_of(colours, seed=5)
    red = Light(key_colour=(0.7, 0.0, 0.0), fill_colour=(0.0, 0.0, 0.0), ambient=(0.1, 0.1, 0.1))
    picture = shot(head.vertices, Camera(), texture, colours, light=red, background=(0.0, 0.0, 1.0))
    assert picture.image[0, 0].tolist() == [0, 0, 255]
    red_share, _, blue_share = picture.image[120:160, 110:146].reshape(-1, 3).mean(axis=0)
    assert red_share > 3 * blue_share


def test_normals_are_of_length_one_and_agree_with_depth():
    camera = Camera(size=(128, 128))
    picture = shot(rig().vertices, camera, texture_of(Colours.of(5), seed=5), Colours.of(5), normals=True)
    assert picture.normals is not None
    whole = picture.cover == 1
    assert np.linalg.norm(picture.normals, axis=-1)[whole] == pytest.approx(1, abs=1e-3)
    assert np.all(picture.normals[picture.cover == 0] == 0)
    rows, columns = np.mgrid[:128, :128]
    px = camera.focal * 128
    place = np.stack([(columns - 63.5) / px, (rows - 63.5) / px, np.ones((128, 128))], -1) * picture.depth[..., None]
    cheek = np.s_[70:84, 40:50]
    across, down = (np.gradient(place[cheek], axis=axis) for axis in (1, 0))
    measured = np.cross(down, across)
    measured /= np.linalg.norm(measured, axis=-1, keepdims=True)
    cosine = np.sum(measured * picture.normals[cheek], axis=-1)
    assert np.median(cosine) > 0.97


def test_a_camera_brings_a_point_to_the_world_and_back():
    camera = Camera(azimuth=35, elevation=-12, size=(96, 128))
    points = np.array([[0.3, -0.2, 1.1], [0.0, 0.0, 0.0]])
    to_camera = np.linalg.inv(camera.pose())
    seen = points @ to_camera[:3, :3].T + to_camera[:3, 3]
    shares = seen @ camera.intrinsics().T
    x, y, z = camera.project(points).T
    assert z == pytest.approx(seen[:, 2])
    assert (x + 0.5) / 128 == pytest.approx(shares[:, 0] / shares[:, 2])
    assert (y + 0.5) / 96 == pytest.approx(shares[:, 1] / shares[:, 2])
