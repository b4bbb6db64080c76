"""A portrait bent to landmarks: two layers, a mesh of triangles on the front one, lids and the inside of the mouth.

    bent = Bent.of(portrait)
    frame = bent.frame(landmarks, blinks=(0.0, 1.0))          # (size, size, 3) uint8 RGB, lips where landmarks are

The mesh has the landmarks of jaw, brows, nose and lips, and a lattice over everything else: what lies above the chin
moves as the head does (the affine map that takes the steady landmarks to where they are), the shoulders stay, and the
neck does what is between. Eyes move as a whole: lids are pulled over them (``photo.eyelids``).

Source: piecewise affine warping as in Matthews and Baker, "Active Appearance Models Revisited", IJCV 60(2), 2004.
Conventions: points are (x, y) in px, pixel centres at whole numbers; lengths in eye distances.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from thgeval_baselines.photo.eyelids import LIDS, Eyelid
from thgeval_baselines.photo.layers import Layers
from thgeval_baselines.photo.mouth import Lips, Mouth
from thgeval_baselines.photo.portrait import Image, Points, Portrait
from thgeval_baselines.rig.raster import rasterise

LIPS = 60
"""Landmarks before this one are corners of the mesh as they are; inner lips (60-67) enter as finer curves."""
STEADY = np.array([0, 1, 2, 14, 15, 16, 27, 28, 29, 30, 36, 39, 42, 45])
"""Landmarks that speech and lids leave where the head has them."""
EYES = (np.arange(36, 42), np.arange(42, 48))
CELL, CLEAR, BEYOND = 0.3, 0.16, 0.6
"""The lattice's step, how far from landmarks it stays, and how far beyond the picture it goes, in eye distances."""
FOREHEAD = 0.45
NECK, LEAST = (0.1, 0.9), 0.2
"""Where the neck begins and ends below the chin, in eye distances; it ends in the picture, but is no shorter."""
PARTING = 0.002
NEARER = 1e-4
"""How much nearer the middle of the face is than what is an eye distance away: it covers what folds behind it."""


@dataclass(frozen=True, eq=False)
class Bent:
    """A portrait with everything that drawing it needs; use ``Bent.of``."""

    portrait: Portrait
    layers: Layers
    source: Points
    corners: NDArray[np.int32]
    distance: Points
    follow: Points
    mouth: Mouth
    lids: tuple[Eyelid, ...]

    @classmethod
    def of(cls, portrait: Portrait) -> "Bent":
        """Prepare a portrait: its layers, its mesh, teeth and eyelids."""
        marks, unit = portrait.landmarks, portrait.eye_distance_px
        source = np.concatenate([_corners(marks), _lattice(portrait)])
        corners = np.asarray(Delaunay(source).simplices, np.int32)
        neck = _neck(source[:, 1], portrait)
        return cls(
            portrait=portrait,
            layers=Layers.of(portrait),
            source=source,
            corners=corners,
            distance=1 + NEARER * np.linalg.norm(source - marks[30], axis=1) / unit,
            follow=1 - neck**2 * (3 - 2 * neck),
            mouth=Mouth.of(portrait),
            lids=tuple(Eyelid.of(portrait, upper, lower) for upper, lower in LIDS),
        )

    def frame(self, landmarks: Points, blinks: tuple[float, float] = (0.0, 0.0)) -> Image:
        """The portrait with its landmarks at (68, 2): (size, size, 3) uint8 RGB.

        ``blinks`` (left and right as seen) are 0 for eyes as the portrait has them to 1 for shut ones.
        """
        there = Placed.of(self.portrait, landmarks)
        moved = self.source + self.follow[:, None] * (applied(there.head, self.source) - self.source)
        on_face = np.concatenate([there.marks[:LIPS], there.lips.outline])
        moved[: len(on_face)] = on_face
        fragments = rasterise(
            np.column_stack([moved, self.distance]),
            self.corners,
            size=(self.portrait.size, self.portrait.size),
            two_sided=np.ones(len(self.corners), np.bool_),
        )
        read_at = fragments.of(self.corners, self.source.astype(np.float32))
        read_at[fragments.triangle < 0] = np.nan
        picture = self.layers.composed(read_at, self.layers.blinking(self.lids, blinks, self.portrait.image))
        self.mouth.paint(picture, there.at_rest, there.lips)
        return picture


@dataclass(frozen=True, eq=False)
class Placed:
    """Landmarks as a picture can follow them: lips don't cross, and eyes move as a whole.

    ``marks`` (68, 2); ``head`` (2, 3), the head's affine map from the portrait to there; ``lips`` there, and
    ``at_rest``, without what the head does.
    """

    marks: Points
    head: Points
    lips: Lips
    at_rest: Lips

    @classmethod
    def of(cls, portrait: Portrait, landmarks: Points) -> "Placed":
        """From landmarks (68, 2) as they are wanted."""
        neutral = portrait.landmarks
        head = affine(neutral[STEADY], landmarks[STEADY])
        flat = lips_parted((landmarks - head[:, 2]) @ np.linalg.inv(head[:, :2]).T, portrait.eye_distance_px)
        for eye in EYES:
            flat[eye] = neutral[eye] + (flat[eye[[0, 3]]] - neutral[eye[[0, 3]]]).mean(axis=0)
        at_rest = Lips.of(flat)
        lips = Lips(applied(head, at_rest.upper), applied(head, at_rest.lower))
        return cls(applied(head, flat), head, lips, at_rest)


def lips_parted(landmarks: Points, unit_px: float) -> Points:
    """The landmarks with inner lips that meet where they would cross, and corners outside of them."""
    marks = landmarks.copy()
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        lacking = max(0.0, PARTING * unit_px - (marks[lower, 1] - marks[upper, 1]))
        marks[upper, 1] -= lacking / 2
        marks[lower, 1] += lacking / 2
    step = 0.01 * unit_px
    for row in ((60, 61, 62, 63, 64), (60, 67, 66, 65, 64)):
        for before, after in pairwise(row):
            marks[after, 0] = max(marks[after, 0], marks[before, 0] + step)
    return marks


def mesh(bent: Bent) -> bytes:
    """The mesh on the portrait, twice as large, as a JPEG."""
    large = cv2.resize(bent.portrait.image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    drawn = np.ascontiguousarray(large)
    lines = np.rint(((bent.source[bent.corners] + 0.5) * 2 - 0.5) * 16).astype(np.int32)
    cv2.polylines(drawn, list(lines), isClosed=True, color=(90, 255, 170), lineType=cv2.LINE_AA, shift=4)
    return _jpeg(np.asarray(cv2.addWeighted(drawn, 0.5, large, 0.5, 0), np.uint8))


def layers(bent: Bent) -> bytes:
    """The person on a chequered ground beside the wall without them, as a JPEG."""
    held = bent.layers
    rows, columns = (np.arange(count) // 8 for count in held.cover.shape)
    squares = rows[:, None] + columns
    ground = np.where(squares[..., None] % 2 > 0, 190.0, 230.0)
    cut = held.cover[..., None] * held.person + (1 - held.cover[..., None]) * ground
    return _jpeg(np.concatenate([np.rint(cut.clip(0, 255)).astype(np.uint8), held.wall], axis=1))


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def _corners(landmarks: Points) -> Points:
    """Corners of the mesh on the face: 60 landmarks, then once round the opening of the mouth."""
    return np.concatenate([landmarks[:LIPS], Lips.of(landmarks).outline])


def _lattice(portrait: Portrait) -> Points:
    """Corners of the mesh off the landmarks (points, 2): an even lattice, and an arc over the brows."""
    marks, unit, size = portrait.landmarks, portrait.eye_distance_px, portrait.size
    arc = marks[17:27] - (0, FOREHEAD * unit)
    count = int(np.ceil((size + 2 * BEYOND * unit) / (CELL * unit))) + 1
    steps = np.linspace(-BEYOND * unit, size - 1 + BEYOND * unit, count)
    lattice = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    outline = cv2.convexHull(np.concatenate([marks, arc]).astype(np.float32))
    away = np.array([-cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in lattice])
    return np.concatenate([arc[1:-1:2], lattice[away > CLEAR * unit]])


def _neck(rows: Points, portrait: Portrait) -> Points:
    """0 where the head is, 1 from the shoulders on: (points,) from their rows."""
    chin, unit = portrait.landmarks[8, 1], portrait.eye_distance_px
    first, last = chin + NECK[0] * unit, min(chin + NECK[1] * unit, portrait.size - 1)
    return np.asarray(np.clip((rows - first) / max(last - first, LEAST * unit), 0, 1))


def applied(affinity: Points, points: Points) -> Points:
    """Points (n, 2) under an affine map (2, 3)."""
    return np.asarray(points @ affinity[:, :2].T + affinity[:, 2])


def affine(before: Points, after: Points) -> Points:
    """The (2, 3) affine map that takes ``before`` to ``after`` best, by least squares."""
    ones = np.ones((len(before), 1))
    return np.asarray(np.linalg.lstsq(np.concatenate([before, ones], axis=1), after, rcond=None)[0].T)
