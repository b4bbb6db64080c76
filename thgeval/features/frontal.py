"""Landmarks without the head's motion: each face turned to the front, in one size, at one place.

The rigid points of a generic face (``template``) are fitted to the landmarks of every frame; its rotation,
scale and shift are then taken off all 68. As a picture has no depth, points keep the depth they have on the generic
face. What stays is the shape of the face and its expression.

Units are eye distances of the generic face; x is to the right, y down, and the root of the nose is near the origin.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.features.alignment import Alignment, aligned
from thgeval.features.people import of_shapes
from thgeval.features.template import EYE_DISTANCE, FACE, RIGID

Array = NDArray[np.float64]


class Turned(NamedTuple):
    """``points`` (frames, people, 68, 2) turned to the front, and the (frames, people, 3, 3) ``rotation`` taken off."""

    points: Array
    rotation: Array


@of_shapes(version=1)
def frontal(points: Array) -> Turned:
    """The chosen people's landmarks turned to the front, NaN where there is no face."""
    flat = points.reshape(-1, 68, 2)
    alignment = aligned(flat[:, [*RIGID]], FACE[[*RIGID]], np.array([*RIGID.values()]))
    turned = _unturned(flat, alignment, FACE[:, 2]) / EYE_DISTANCE
    return Turned(turned.reshape(points.shape), alignment.rotation.reshape(*points.shape[:2], 3, 3))


def _unturned(points: Array, alignment: Alignment, depth: Array) -> Array:
    """X and y of (faces, points, 2) on a face whose (points,) depths are known."""
    seen = (points - alignment.shift[:, None]) / alignment.scale[:, None, None]
    seen = seen - depth[:, None] * alignment.rotation[:, None, :2, 2]
    return np.asarray(np.linalg.solve(alignment.rotation[:, None, :2, :2], seen[..., None])[..., 0])
