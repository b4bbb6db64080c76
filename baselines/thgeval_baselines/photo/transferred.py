"""A portrait moved by keypoints: dense motion, the mask of what it hides, and what fills it.

    moved = Transferred.of(portrait)
    shot = moved.shot(landmarks)            # shot.image; shot.back and shot.hidden show how it was made

Keypoints are the 68 landmarks, a ring round the head that goes with it, and points of the shoulders that stay. Person
and wall are two surfaces (``photo.layers``): the person moves as the keypoints say, the wall doesn't move. Hidden is
what the head leaves free, what lies between the lips, and where the motion folds (``photo.motion``). The first is
filled with the wall as it is round the head, the second with the portrait's own teeth before a dark cavity, the third
with what is round it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.photo.bent import Placed, applied
from thgeval_baselines.photo.eyelids import LIDS, Eyelid
from thgeval_baselines.photo.filling import spread
from thgeval_baselines.photo.layers import Layers
from thgeval_baselines.photo.motion import PARTS, Field, motion
from thgeval_baselines.photo.mouth import Mouth
from thgeval_baselines.photo.portrait import Image, Points, Portrait

RING, RING_POINTS = (1.0, 1.3), 14
"""Half the width (in half widths of the face) and half the height (in eye distances) of the ring round the head."""
SHOULDERS = 15
"""Points on the shoulders, from side to side."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame: its ``image``; ``back`` (rows, columns, 2), the source point of each pixel; ``hidden``
    (rows, columns), 0 to 1, what the source doesn't show.
    """

    image: Image
    back: Field
    hidden: Field


@dataclass(frozen=True, eq=False)
class Transferred:
    """A portrait with everything that moving it needs; use ``Transferred.of``."""

    portrait: Portrait
    layers: Layers
    around: Points
    follow: Points
    part: NDArray[np.intp]
    mouth: Mouth
    lids: tuple[Eyelid, ...]

    @classmethod
    def of(cls, portrait: Portrait) -> "Transferred":
        """Prepare a portrait: its layers, keypoints, teeth and eyelids."""
        ring, shoulders = _around(portrait)
        part = np.empty(68, np.intp)
        for number, members in enumerate(PARTS):
            part[list(members)] = number
        others = np.repeat([len(PARTS), len(PARTS) + 1], [len(ring), len(shoulders)])
        return cls(
            portrait=portrait,
            layers=Layers.of(portrait),
            around=np.concatenate([ring, shoulders]),
            follow=np.repeat([1.0, 0.0], [len(ring), len(shoulders)]),
            part=np.concatenate([part, others]),
            mouth=Mouth.of(portrait),
            lids=tuple(Eyelid.of(portrait, upper, lower) for upper, lower in LIDS),
        )

    def shot(self, landmarks: Points, blinks: tuple[float, float] = (0.0, 0.0)) -> Shot:
        """The portrait with its landmarks at (68, 2), and eyes shut by ``blinks``, 0 to 1, left and right as seen."""
        neutral, unit = self.portrait.landmarks, self.portrait.eye_distance_px
        there = Placed.of(self.portrait, landmarks)
        away = applied(there.head, self.around) - self.around
        moved = np.concatenate([there.marks, self.around + self.follow[:, None] * away])
        source = np.concatenate([neutral, self.around])
        found = motion(source, moved, self.part, unit_px=unit, size=self.portrait.size)
        person = self.layers.blinking(self.lids, blinks, self.portrait.image)
        picture = self.layers.composed(found.back, person)
        x, y = found.back[..., 0], found.back[..., 1]
        covered: Field = np.asarray(cv2.remap(self.layers.cover, x, y, cv2.INTER_LINEAR), np.float32)
        left_free = np.maximum(self.layers.cover - covered, 0)
        folded = found.hidden * covered
        picture = _filled(picture, folded, covered)
        self.mouth.paint(picture, there.at_rest, there.lips)
        between = np.zeros(folded.shape, np.uint8)
        cv2.fillPoly(between, [np.rint(there.lips.outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        hidden = np.maximum(np.maximum(folded, left_free), between / np.float32(255))
        return Shot(picture, found.back, np.asarray(np.minimum(hidden, 1), np.float32))


def _filled(picture: Image, hidden: Field, covered: Field) -> Image:
    """The picture with what is hidden of the person replaced by what is round it and theirs."""
    if not (hidden > 0).any():
        return picture
    shown = covered * (1 - hidden)
    around = spread(picture.astype(np.float32) * shown[..., None], shown)
    mixed = picture + hidden[..., None] * (around - picture)
    return np.asarray(np.rint(mixed.clip(0, 255)), np.uint8)


def _around(portrait: Portrait) -> tuple[Points, Points]:
    """Keypoints round the head (ring, 2), which go with it, and on the shoulders (n, 2), which stay."""
    marks, unit, size = portrait.landmarks, portrait.eye_distance_px, portrait.size
    middle, half = (marks[0] + marks[16]) / 2, float(np.linalg.norm(marks[16] - marks[0])) / 2
    angles = np.deg2rad(np.linspace(180, 360, RING_POINTS))
    ring = middle + np.stack([1.5 * RING[0] * half * np.cos(angles), RING[1] * unit * np.sin(angles)], axis=-1)
    low = max(marks[8, 1] + 0.25 * unit, min(marks[8, 1] + 0.8 * unit, size - 1))
    shoulders = np.stack([np.linspace(0, size - 1, SHOULDERS), np.full(SHOULDERS, low)], axis=-1)
    return ring, shoulders


def shown(moved: Transferred, shot: Shot, landmarks: Points) -> bytes:
    """How a frame was made, side by side as a JPEG: keypoints with where they came from, flow, what is hidden, frame.

    The flow's colour is its direction, its brightness its length up to a tenth of the picture.
    """
    size = moved.portrait.size
    points = moved.portrait.image.copy()
    for (x, y), (to_x, to_y) in zip(moved.portrait.landmarks, landmarks, strict=True):
        begin, end = (int(x * 16), int(y * 16)), (int(to_x * 16), int(to_y * 16))
        cv2.line(points, begin, end, (255, 210, 60), 1, cv2.LINE_AA, 4)
        cv2.circle(points, end, 24, (90, 255, 170), -1, cv2.LINE_AA, 4)
    columns, rows = np.meshgrid(np.arange(size), np.arange(size))
    steps = np.stack([columns, rows], axis=-1) - shot.back
    degrees = np.rad2deg(np.arctan2(steps[..., 1], steps[..., 0])) / 2 % 180
    length = np.clip(np.hypot(steps[..., 0], steps[..., 1]) / (0.1 * size), 0, 1)
    flow = cv2.cvtColor(
        np.stack([degrees, np.full_like(degrees, 200), 255 * length], axis=-1).astype(np.uint8), cv2.COLOR_HSV2RGB
    )
    mask = np.rint(255 * shot.hidden).astype(np.uint8)[..., None].repeat(3, axis=-1)
    strip = np.concatenate([points, flow, mask, shot.image], axis=1)
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(strip[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
