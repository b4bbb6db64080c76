"""A head that can be posed: one portrait, drawn with any parameters, with landmarks known exactly.

    head = Head.of(portrait(seed=3))
    frame = head.frame(Parameters(aperture=0.5, yaw=10))          # (size, size, 3) uint8 RGB
    points = head.landmarks(Parameters(aperture=0.5, yaw=10))     # (68, 2), where frame shows them

A mesh over landmarks, lips, forehead, a ring round the hair, the neck and the picture's border is bent by the
expression, turned by the pose and painted far to near; eyelids are pulled down before, the mouth is filled after.
The hair follows the pose by nine tenths, the neck by half, the border not at all. Nothing is random.

Conventions: see ``geometry``. Yaw up to about 12 degrees looks natural; ears and hair have no relief of their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.photo.eyelids import LIDS, Eyelid
from thgeval_baselines.photo.geometry import Parameters, expressed, landmark_depth, posed_points, relief
from thgeval_baselines.photo.mouth import Lips, Mouth
from thgeval_baselines.photo.portrait import Image, Points, Portrait
from thgeval_baselines.photo.warp import Mesh

_BEFORE_LIPS = 60  # landmarks 0-59 are mesh points as they are; the inner lips (60-67) enter as finer curves


@dataclass(frozen=True, eq=False)
class Head:
    """A portrait with everything that drawing it needs, computed once; use ``Head.of``."""

    portrait: Portrait
    mesh: Mesh
    around: Points
    depth: Points
    follow: Points
    mouth: Mouth
    lids: tuple[Eyelid, ...]

    @classmethod
    def of(cls, portrait: Portrait) -> "Head":
        """Prepare a portrait: mesh, depths, teeth and eyelids."""
        face = _face_points(portrait.landmarks)
        around, around_depth, follow = _surroundings(portrait)
        flat = landmark_depth(portrait.landmarks, unit_px=portrait.eye_distance_px)
        depth = np.concatenate([flat[:_BEFORE_LIPS], np.full(len(face) - _BEFORE_LIPS, flat[60]), around_depth])
        return cls(
            portrait=portrait,
            mesh=Mesh.over(np.concatenate([face, around]), hole=np.arange(_BEFORE_LIPS, len(face))),
            around=around,
            depth=depth,
            follow=np.concatenate([np.ones(len(face)), follow]),
            mouth=Mouth.of(portrait),
            lids=tuple(Eyelid.of(portrait, upper, lower) for upper, lower in LIDS),
        )

    def landmarks(self, parameters: Parameters) -> Points:
        """Where ``frame`` shows the landmarks: (68, 2) in pixels."""
        neutral, unit_px = self.portrait.landmarks, self.portrait.eye_distance_px
        flat = expressed(neutral, parameters, unit_px=unit_px)
        depth = landmark_depth(neutral, unit_px=unit_px)
        return posed_points(flat, depth, parameters, neutral=neutral, size=self.portrait.size)[0]

    def frame(self, parameters: Parameters) -> Image:
        """The head with these parameters: (size, size, 3) ``uint8`` RGB."""
        neutral = self.portrait.landmarks
        flat = expressed(neutral, parameters, unit_px=self.portrait.eye_distance_px, lids=False)
        bent = np.concatenate([_face_points(flat), self.around])
        turned, depth = posed_points(bent, self.depth, parameters, neutral=neutral, size=self.portrait.size)
        moved = bent + self.follow[:, None] * (turned - bent)
        picture = self.mesh.warped(self._blinking(parameters.blink), moved, depth)
        self.mouth.paint(picture, Lips.of(flat), Lips.around(moved[_BEFORE_LIPS : -len(self.around)]))
        return picture

    def _blinking(self, blink: float) -> Image:
        if blink == 0:
            return self.portrait.image
        picture = self.portrait.image.copy()
        for lid in self.lids:
            lid.close(picture, self.portrait.image, blink)
        return picture


def render(head: Head, track: Sequence[Parameters]) -> tuple[NDArray[np.uint8], Points]:
    """Frames (frames, size, size, 3) ``uint8`` RGB and landmarks (frames, 68, 2) in pixels, of one head over time."""
    frames = np.stack([head.frame(parameters) for parameters in track])
    return frames, np.stack([head.landmarks(parameters) for parameters in track])


def _face_points(landmarks: Points) -> Points:
    """Mesh points on the face: 60 landmarks, then once round the opening of the mouth."""
    return np.concatenate([landmarks[:_BEFORE_LIPS], Lips.of(landmarks).outline])


def _surroundings(portrait: Portrait) -> tuple[Points, Points, Points]:
    """Mesh points off the face (points, 2), their depths and how much of the pose they follow."""
    mark, unit, size = portrait.landmarks, portrait.eye_distance_px, portrait.size
    middle, half_width = (mark[0, 0] + mark[16, 0]) / 2, (mark[16, 0] - mark[0, 0]) / 2
    forehead = _arc(middle, mark[17:27, 1].mean(), 0.8 * half_width, 0.5 * unit, degrees=(200, 340), count=6)
    crown = mark[27, 1] - 0.1 * unit
    hair = _arc(middle, crown, 1.72 * half_width, 1.42 * unit, degrees=(155, 385), count=15)
    beyond = _arc(middle, crown, 2.1 * half_width, 1.62 * unit, degrees=(155, 385), count=15)
    below = np.array([0.0, unit])
    chin = mark[[4, 6, 8, 10, 12]]
    steps = np.linspace(-1.0, size, 9)
    border = np.array([(x, y) for x in steps for y in steps if x in (-1.0, size) or y in (-1.0, size)])
    rings = [
        (forehead, relief(forehead, mark, unit_px=unit), 1.0),
        (hair, np.full(len(hair), -0.25 * unit), 0.9),
        (beyond, np.full(len(beyond), -0.3 * unit), 0.35),
        (chin + 0.28 * below, np.full(len(chin), -0.35 * unit), 0.5),
        (chin + 0.52 * below, np.full(len(chin), -0.4 * unit), 0.1),
        (border, np.full(len(border), -0.5 * unit), 0.0),
    ]
    points = np.concatenate([ring for ring, _, _ in rings])
    depth = np.concatenate([deep for _, deep, _ in rings])
    follow = np.concatenate([np.full(len(ring), weight) for ring, _, weight in rings])
    kept = np.all((points > 3) & (points < size - 4), axis=1) | (follow == 0)
    return points[kept], depth[kept], follow[kept]


def _arc(x: float, y: float, across: float, up: float, *, degrees: tuple[float, float], count: int) -> Points:
    """Points on an ellipse round (x, y), from angle to angle, clockwise as seen and 0 on the right."""
    angles = np.deg2rad(np.linspace(*degrees, count))
    return np.stack([x + across * np.cos(angles), y + up * np.sin(angles)], axis=-1)
