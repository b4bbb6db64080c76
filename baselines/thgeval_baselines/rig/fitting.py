"""The rig as a morphable model: a person's shape, what their face does, and how they hold it, from 68 landmarks.

Pose by Gauss and Newton, then shapes and actions together by ridge regression of what the landmarks are off, in turns;
actions stay in [0, 1]. One view tells depth only through the model: what the landmarks don't hold, the ridge leaves at
the mean face.

Source: Blanz and Vetter, "A Morphable Model for the Synthesis of 3D Faces", SIGGRAPH 1999; the alternation is that of
face3d (Feng), ``morphable_model/fit.py``.
Departs: a perspective camera of a supposed focal length; actions bounded; landmarks of the jaw count less, as they
slide along the face's outline.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.alignment import angles
from thgeval.jit import jit
from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.pose import DOWN, LIMITS, Pose, posed, skull

FOCAL = 4.5
"""Focal length as a share of the picture's height: a portrait lens."""
ROUNDS, STEPS = 8, 4
SHAPE_SPREAD, POPULATION_SPREAD, ACTION_SPREAD = 0.35, 0.7, 0.3
LOOSE = {"jawOpen": 0.6, "eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5, "mouthSmileLeft": 0.4, "mouthSmileRight": 0.4}
"""How far shapes and actions go, as one standard deviation; some actions further than the others."""
SWEEPS, SETTLED = 200, 1e-5
NOISE = 0.02
"""What landmarks are off by, in eye distances; jaws by more."""
JAW_NOISE = 0.06
STILL = ("cheekPuff", "eyeLook", "jawForward", "tongueOut", "mouthShrug", "mouthRoll")
"""Actions, by how their names begin, that landmarks can't tell."""
FACING = np.diag([1.0, -1.0, -1.0])
"""From the rig's axes to a camera's that looks at it from the front."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A person in a picture.

    ``neutral`` (V, 3) dm at rest; ``actions`` (52,) in [0, 1]; ``pose`` of the head; ``shift`` (3,) dm from the rig's
    origin to the camera's, along the camera's axes; ``focal_px`` and ``size`` (height, width) of the camera.
    """

    neutral: Points
    shapes: Points
    actions: Points
    pose: Pose
    shift: Points
    focal_px: float
    size: tuple[int, int]

    def acting(self, actions: Points) -> Points:
        """The face (V, 3) dm with these actions (52,), not posed."""
        return np.asarray(rig().performed(self.neutral, np.clip(actions, 0, 1)[None])[0], np.float64)

    def projected(self, points: Points) -> Points:
        """Points in the rig's coordinates (n, 3) in the picture: x px, y px, and depth in dm."""
        return self.seen(points @ FACING.T)

    def seen(self, turned: Points) -> Points:
        """Points whose axes are the camera's already, in the picture."""
        x, y, z = (turned + self.shift).T
        height, width = self.size
        return np.stack([(width - 1) / 2 + self.focal_px * x / z, (height - 1) / 2 + self.focal_px * y / z, z], axis=-1)

    def landmarks(self, actions: Points | None = None, pose: Pose | None = None) -> Points:
        """Where the 68 landmarks (68, 2) px are, as fitted or otherwise."""
        face = self.acting(self.actions if actions is None else actions)
        return self.projected(posed(face, self.pose if pose is None else pose)[rig().landmarks])[:, :2]


def fit(landmarks: Points, size: tuple[int, int]) -> Fitted:
    """Shape, actions and pose of the person with these landmarks (68, 2) in a picture of ``size`` (height, width)."""
    basis = _basis()
    focal_px = FOCAL * size[0]
    centred = landmarks - (np.array(size[::-1]) - 1) / 2
    unit_px = float(np.linalg.norm(landmarks[45] - landmarks[36]))
    weights = np.zeros(basis.shape[-1])
    rotation, shift = FACING.copy(), _first_shift(centred, focal_px)
    for _ in range(ROUNDS):
        marks = basis.mean + basis.moves @ weights
        rotation, shift = _placed(marks, centred, rotation, shift, focal_px, _noise() * unit_px)
        weights = _weighed(basis, weights, centred, rotation, shift, focal_px, _noise() * unit_px)
    return _fitted(weights, rotation, shift, focal_px, size)


def tracked(person: Fitted, landmarks: Points, before: Fitted | None = None) -> Fitted:
    """The same person doing something else: actions and pose alone, from these landmarks (68, 2)."""
    basis = _basis()
    own = replace(basis, mean=person.neutral[rig().landmarks], moves=basis.moves[..., basis.first_action :])
    own = replace(own, spread=basis.spread[basis.first_action :], first_action=0)
    start = before or person
    centred = landmarks - (np.array(person.size[::-1]) - 1) / 2
    unit_px = float(np.linalg.norm(landmarks[45] - landmarks[36]))
    rotation, shift = _whole(start)
    weights = start.actions[basis.acting]
    for _ in range(3):
        marks = own.mean + own.moves @ weights
        rotation, shift = _placed(marks, centred, rotation, shift, person.focal_px, _noise() * unit_px)
        weights = _weighed(own, weights, centred, rotation, shift, person.focal_px, _noise() * unit_px)
    actions = np.zeros(len(rig().action_names))
    actions[basis.acting] = weights
    pose, base = _split(rotation, shift)
    return replace(person, actions=actions, pose=pose, shift=base)


def turned(pose: Pose, by: Points) -> Pose:
    """A pose turned further by (3,) degrees of yaw, pitch and roll, as far as a neck goes."""
    yaw, pitch, roll = np.array([pose.yaw, pose.pitch, pose.roll]) + by
    return _limited(yaw, pitch, roll)


@dataclass(frozen=True, eq=False)
class _Basis:
    """Landmarks of the mean (68, 3), what moves them (68, 3, n), how far each does (n,), and the actions among them."""

    mean: Points
    moves: Points
    spread: Points
    first_action: int
    acting: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.moves.shape


@cache
def _basis() -> _Basis:
    head = rig()
    acting = np.array([at for at, name in enumerate(head.action_names) if not name.startswith(STILL)])
    moves = np.concatenate([head.shapes[:, head.landmarks], head.actions[acting][:, head.landmarks]])
    spread = [POPULATION_SPREAD if name.startswith("population/") else SHAPE_SPREAD for name in head.shape_names]
    return _Basis(
        head.vertices[head.landmarks],
        np.ascontiguousarray(moves.transpose(1, 2, 0), np.float64),
        np.array(spread + [LOOSE.get(head.action_names[at], ACTION_SPREAD) for at in acting]),
        len(head.shapes),
        acting,
    )


@cache
def _noise() -> Points:
    return np.where(np.arange(68) < 17, JAW_NOISE, NOISE)


def _first_shift(centred: Points, focal_px: float) -> Points:
    marks = _basis().mean @ FACING.T
    share = np.linalg.norm(marks[45, :2] - marks[36, :2]) / np.linalg.norm(centred[45] - centred[36])
    distance = focal_px * share
    middle = centred[17:].mean(axis=0) * share - marks[17:, :2].mean(axis=0)
    return np.array([middle[0], middle[1], distance - marks[17:, 2].mean()])


@jit()
def _spun(vector: Points) -> Points:
    """The rotation about a vector by its length in radians."""
    angle = np.sqrt(np.sum(vector**2))
    x, y, z = vector / max(angle, 1e-12)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: Points = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)
    return turn


@jit()
def _placed(
    marks: Points, centred: Points, rotation: Points, shift: Points, focal_px: float, noise_px: Points
) -> tuple[Points, Points]:
    """Rotation and shift after some steps of Gauss and Newton."""
    jacobian, off = np.zeros((2 * len(marks), 6)), np.zeros(2 * len(marks))
    for _ in range(STEPS):
        turned = marks @ rotation.T
        for mark in range(len(marks)):
            x, y, z = turned[mark]
            away = z + shift[2]
            for axis in range(2):
                row, aside = 2 * mark + axis, (turned[mark, axis] + shift[axis]) / away
                along = focal_px / away / noise_px[mark]
                jacobian[row, 0] = along * ((0 if axis == 0 else -z) - aside * y)
                jacobian[row, 1] = along * ((z if axis == 0 else 0) + aside * x)
                jacobian[row, 2] = along * (-y if axis == 0 else x)
                jacobian[row, 3 + axis] = along
                jacobian[row, 5] = -along * aside
                off[row] = (centred[mark, axis] - focal_px * aside) / noise_px[mark]
        step: Points = np.linalg.lstsq(jacobian, off)[0].astype(np.float64)
        rotation, shift = _spun(step[:3]) @ rotation, shift + step[3:]
    return rotation, shift


def _weighed(
    basis: _Basis,
    weights: Points,
    centred: Points,
    rotation: Points,
    shift: Points,
    focal_px: float,
    noise_px: Points,
) -> Points:
    """Weights of shapes and actions: the ridge regression of what landmarks are off, actions cut to [0, 1]."""
    marks = basis.mean + basis.moves @ weights
    seen, slopes = _projection(marks @ rotation.T + shift, focal_px)
    design = (slopes @ rotation @ basis.moves / noise_px[:, None, None]).reshape(-1, len(weights))
    wanted = ((centred - seen) / noise_px[:, None]).reshape(-1) + design @ weights
    least = np.where(np.arange(len(weights)) < basis.first_action, -np.inf, 0.0)
    most = np.where(np.arange(len(weights)) < basis.first_action, np.inf, 1.0)
    held = design.T @ design + np.diag(1 / basis.spread**2)
    return _bounded(held, design.T @ wanted, weights, least, most)


@jit()
def _bounded(held: Points, pull: Points, start: Points, least: Points, most: Points) -> Points:
    """The least of ``w held w / 2 - pull w`` within bounds, coordinate by coordinate from ``start``."""
    weights = start.copy()
    for _ in range(SWEEPS):
        largest = 0.0
        for at in range(len(weights)):
            slope = -pull[at]
            for other in range(len(weights)):
                slope += held[at, other] * weights[other]
            moved = min(max(weights[at] - slope / held[at, at], least[at]), most[at])
            largest = max(largest, abs(moved - weights[at]))
            weights[at] = moved
        if largest < SETTLED:
            break
    return weights


def _projection(points: Points, focal_px: float) -> tuple[Points, Points]:
    """Points (n, 2) from the principal point in px, and their slopes (n, 2, 3) in the points."""
    x, y, z = points.T
    zero = np.zeros_like(x)
    seen = focal_px * points[:, :2] / z[:, None]
    slopes = focal_px * np.stack([[1 / z, zero, -x / z**2], [zero, 1 / z, -y / z**2]]).transpose(2, 0, 1)
    return seen, slopes


def _split(rotation: Points, shift: Points) -> tuple[Pose, Points]:
    """The pose of the head, and where its shoulders then are, of what brings the skull before the camera."""
    pose = _limited(*angles(DOWN @ FACING.T @ rotation @ DOWN))
    return pose, shift - FACING @ skull(pose)[:3, 3]


def _limited(*degrees: float) -> Pose:
    """The pose of yaw, pitch and roll, cut to what a neck allows."""
    return Pose(*(float(np.clip(angle, -most, most)) for angle, most in zip(degrees, LIMITS.values(), strict=True)))


def _whole(fitted: Fitted) -> tuple[Points, Points]:
    placed = skull(fitted.pose)
    return FACING @ placed[:3, :3], fitted.shift + FACING @ placed[:3, 3]


def _fitted(weights: Points, rotation: Points, shift: Points, focal_px: float, size: tuple[int, int]) -> Fitted:
    head, basis = rig(), _basis()
    shapes = weights[: basis.first_action]
    actions = np.zeros(len(head.action_names))
    actions[basis.acting] = weights[basis.first_action :]
    neutral = head.vertices + np.tensordot(shapes.astype(np.float32), head.shapes, axes=1)
    pose, base = _split(rotation, shift)
    return Fitted(np.asarray(neutral, np.float64), shapes, actions, pose, base, focal_px, size)
