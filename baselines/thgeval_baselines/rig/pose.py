"""How the head sits on the shoulders: yaw, pitch and roll, three tenths at the base of the neck, the rest at its top.

Angles are those of the interchange format, in a picture from the front: yaw to the right, pitch up, roll clockwise as
seen; the head turns by yaw first, then pitch, then roll. The skull turns by all of it, the shoulders not at all, and
the neck between by a share that grows upwards; so a rotation is shared out along one axis, and nothing is sheared.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.features.faces.alignment import angles
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.model import Points, rig

LIMITS = {"yaw": 90.0, "pitch": 50.0, "roll": 50.0}
DOWN = np.diag([1.0, -1.0, 1.0])
"""Between the rig's axes and a picture's with z to the viewer; its own inverse."""


@dataclass(frozen=True)
class Joint:
    """Where the neck bends: a point, its share of the rotation, and the heights between which that begins."""

    at: tuple[float, float, float]
    share: float
    lower: float
    upper: float


NECK = (Joint((0.0, 0.0, 0.0), 0.7, -1.05, -0.48), Joint((0.0, -1.2, -0.2), 0.3, -1.45, -0.9))
"""The top of the neck and its base; heights rise by ``TILT`` towards the viewer, as the chin hangs below the nape."""
TILT = 0.36
_NOTHING = 1e-7


@dataclass(frozen=True)
class Pose:
    """A turn of the head in degrees. Raises ``ProtocolError`` for angles that no neck allows."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def __post_init__(self) -> None:
        for name, most in LIMITS.items():
            if not abs(getattr(self, name)) <= most:
                raise ProtocolError(f"{name} is {getattr(self, name)}, choose a value in [{-most:g}, {most:g}]")

    def rotation(self) -> Points:
        """The rotation (3, 3) of the skull in the rig's coordinates."""
        yaw, pitch, roll = np.deg2rad([self.yaw, self.pitch, self.roll])
        about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        return np.asarray(DOWN @ about_z @ about_x @ about_y @ DOWN)


def posed(face: Points, pose: Pose) -> Points:
    """A face (V, 3) with the head turned, the neck following and the shoulders as they were."""
    axis, angle = _axis(pose.rotation())
    if angle < _NOTHING:
        return face
    for joint, weights in zip(NECK, shares(), strict=True):
        turns = joint.share * angle * weights[:, None]
        from_joint = face - np.array(joint.at)
        along = (from_joint @ axis)[:, None] * axis
        across = from_joint @ _crossing(axis).T
        face = np.array(joint.at) + along + np.cos(turns) * (from_joint - along) + np.sin(turns) * across
    return face


def skull(pose: Pose) -> Points:
    """What a pose does to the skull: (4, 4), from where its points are at rest to where they are then, in dm."""
    axis, angle = _axis(pose.rotation())
    placed = np.eye(4)
    for joint in NECK if angle >= _NOTHING else ():
        turn = np.eye(3) + np.sin(joint.share * angle) * _crossing(axis)
        turn += (1 - np.cos(joint.share * angle)) * _crossing(axis) @ _crossing(axis)
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = turn, np.array(joint.at) - turn @ np.array(joint.at)
        placed = step @ placed
    return placed


def _axis(rotation: Points) -> tuple[Points, float]:
    """The axis of a rotation (3,), of length 1, and its angle in radians; no axis where it turns nothing."""
    angle = float(np.arccos(np.clip((np.trace(rotation) - 1) / 2, -1, 1)))
    axis = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    return (axis if angle < _NOTHING else axis / np.linalg.norm(axis)), angle


def _crossing(axis: Points) -> Points:
    """The matrix (3, 3) that crosses an axis with what it is multiplied with."""
    x, y, z = axis
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


def seen_from(pose: Pose, camera: Camera) -> NDArray[np.float64]:
    """Yaw, pitch and roll in degrees (3,) as a camera sees a head of this pose."""
    away = np.diag([1.0, 1.0, -1.0])
    return angles(away @ camera.turn() @ pose.rotation() @ DOWN)


@cache
def shares() -> tuple[Points, ...]:
    """How far each vertex (V,) follows each joint, 0 to 1: skin by its height, all that is in the head wholly."""
    head = rig()
    height = head.vertices[:, 1] + TILT * head.vertices[:, 2]
    skin = np.zeros(len(height), np.bool_)
    skin[head.drawn[head.part == head.parts.index("skin")]] = True
    shares = []
    for joint in NECK:
        risen = np.clip((height - joint.lower) / (joint.upper - joint.lower), 0, 1)
        shares.append(np.where(skin, risen**2 * (3 - 2 * risen), 1.0))
    return tuple(shares)
