"""Landmarks without the head's motion: each face turned to the front, in one size, at one place.

The rigid points of a face are fitted to the landmarks of every frame; its rotation, scale and shift are then taken off
all 68. The face is a generic one (``template``) whose rigid points have moved to where the person's are: they follow
the landmarks of all frames of the clip together (of those that a pair shares: ``rest``), as far as they outweigh the
generic places (``HELD``). As a picture
has no depth, points keep the depth they have on the generic face. What stays is the shape of the face and its
expression.

Units are eye distances of the generic face; x is to the right, y down, and the root of the nose is near the origin.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import derived_from
from thgeval.features.faces.alignment import Alignment, alignments_with
from thgeval.features.faces.people import shapes
from thgeval.features.faces.template import EYE_DISTANCE, GENERIC_FACE, RIGID
from thgeval.features.heads.rest import Rest, people_there

Array = NDArray[np.float64]
HELD, ROUNDS = 0.1, 3
"""Chosen on the synthetic heads 0 to 7 and 16 to 31 of ``thgeval_baselines``; see docs/faces.md for others."""


class Turned(NamedTuple):
    """``points`` (frames, people, 68, 2) turned to the front, and the (frames, people, 3, 3) ``rotation`` taken off."""

    points: Array
    rotation: Array


@derived_from(shapes, version=1)
def frontal(points: Array) -> Turned:
    """The chosen people's landmarks turned to the front, NaN where there is no face."""
    return turned(points, people_there(points))


def turned(points: Array, rest: Rest) -> Turned:
    """Landmarks (frames, people, 68, 2) turned to the front, people's faces being those of the ``rest``."""
    each = [_person(own, still) for own, still in zip(points.swapaxes(0, 1), rest.T, strict=True)]
    return Turned(*(np.stack(values, axis=1) for values in zip(*each, strict=True)))


def _person(points: Array, rest: Rest) -> tuple[Array, Array]:
    """One person's landmarks (frames, 68, 2) turned to the front, and the rotations taken off."""
    rigid, weights = points[:, [*RIGID]], np.array([*RIGID.values()])
    own = GENERIC_FACE[[*RIGID]]
    for _ in range(ROUNDS):
        own = _own_face(rigid[rest], alignments_with(rigid[rest], own, weights))
    alignment = alignments_with(rigid, own, weights)
    return _unturned(points, alignment, GENERIC_FACE[:, 2]) / EYE_DISTANCE, alignment.rotation


def _own_face(seen: Array, alignment: Alignment) -> Array:
    """Where the rigid points of a person are: (points, 3), from (frames, points, 2) as they were aligned.

    The least squares of what all frames show, with ``HELD`` of their weight on the generic place.
    """
    there = ~np.isnan(alignment.scale)
    generic = GENERIC_FACE[[*RIGID]]
    if not there.any():
        return generic
    cameras = alignment.scale[there, None, None] * alignment.rotation[there, :2]
    wanted = seen[there] - alignment.shift[there, None]
    held = HELD * np.square(alignment.scale[there]).sum() * np.eye(3)
    normal = np.einsum("nij,nik->jk", cameras, cameras) + held
    return np.asarray(np.linalg.solve(normal, (np.einsum("nij,npi->pj", cameras, wanted) + generic @ held).T).T)


def _unturned(points: Array, alignment: Alignment, depth: Array) -> Array:
    """X and y of (faces, points, 2) on a face whose (points,) depths are known."""
    seen = (points - alignment.shift[:, None]) / alignment.scale[:, None, None]
    seen = seen - depth[:, None] * alignment.rotation[:, None, :2, 2]
    return np.asarray(np.linalg.solve(alignment.rotation[:, None, :2, :2], seen[..., None])[..., 0])
