import numpy as np
import pytest

from thgeval.errors import ProtocolError
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.model import person, rig
from thgeval_baselines.rig.pose import Pose, posed, seen_from

TURNS = [Pose(yaw=25), Pose(pitch=-15), Pose(roll=12), Pose(30, 10, -8)]


def moved(turn):
    face = rig().shaped(person(4))
    return face, posed(face, turn)


@pytest.mark.parametrize("turn", TURNS)
def test_the_skull_turns_as_one_by_the_angles_of_the_pose(turn):
    face, turned = moved(turn)
    marks = rig().landmarks[17:]
    before, after = (points[marks] - points[marks].mean(axis=0) for points in (face, turned))
    assert after == pytest.approx(before @ turn.rotation().T, abs=1e-9)


@pytest.mark.parametrize("turn", TURNS)
def test_shoulders_stay_and_the_neck_is_not_torn(turn):
    face, turned = moved(turn)
    shoulders = rig().vertices[:, 1] < -1.8
    assert turned[shoulders] == pytest.approx(face[shoulders], abs=1e-9)
    corners = rig().drawn[rig().triangles]
    a, b = (np.linalg.norm(points[corners] - points[np.roll(corners, 1, axis=1)], axis=-1) for points in (face, turned))
    long = a > 0.05
    assert np.all(b[long] < 1.9 * a[long])


@pytest.mark.parametrize(
    ("turn", "right", "up"), [(Pose(yaw=20), 1, 0), (Pose(pitch=20), 0, 1), (Pose(yaw=-20), -1, 0)]
)
def test_the_nose_goes_where_the_interchange_format_says(turn, right, up):
    face, turned = moved(turn)
    before, after = (Camera().project(points[rig().landmarks])[30, :2] for points in (face, turned))
    step = after - before
    assert np.sign(step[0]) == right or right == 0
    assert np.sign(-step[1]) == up or up == 0
    assert np.linalg.norm(step) > 8


def test_roll_is_clockwise_as_seen():
    _, turned = moved(Pose(roll=15))
    outer = Camera().project(turned[rig().landmarks[[36, 45]]])[:, :2]
    across = outer[1] - outer[0]
    assert np.rad2deg(np.arctan2(across[1], across[0])) == pytest.approx(15, abs=2)


def test_a_camera_from_the_front_sees_the_pose_itself_and_one_aside_sees_it_less_its_own():
    turn = Pose(12, -7, 5)
    assert seen_from(turn, Camera()) == pytest.approx([12, -7, 5])
    assert seen_from(Pose(), Camera(azimuth=30)) == pytest.approx([-30, 0, 0])
    assert seen_from(Pose(yaw=30), Camera(azimuth=30)) == pytest.approx([0, 0, 0], abs=1e-9)
    assert seen_from(Pose(), Camera(elevation=10)) == pytest.approx([0, -10, 0])


def test_no_turn_is_the_face_itself_and_a_broken_neck_is_refused():
    face = rig().vertices
    assert posed(face, Pose()) is face
    with pytest.raises(ProtocolError, match=r"pitch is 80\.0, choose a value in \[-50, 50\]"):
        Pose(pitch=80.0)
    with pytest.raises(ProtocolError, match="yaw is nan"):
        Pose(yaw=float("nan"))
