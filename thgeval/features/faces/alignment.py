"""Head pose from landmarks: the rotation, scale and shift that put a rigid face over the points of a picture.

The camera is scaled-orthographic (no perspective, which is small where a face fills a picture and unknown without the
focal length). The least-squares fit is exact: it starts at the nearest rotation to the best affine map and goes on with
Gauss-Newton steps.

Coordinates are x to the right, y down, z towards the viewer. A rotation is roll after pitch after yaw, see ``pose``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS = 12


class Alignment(NamedTuple):
    """``p = scale * (rotation @ x)[:2] + shift`` for points x of a face: (...), (..., 3, 3) and (..., 2)."""

    rotation: Array
    scale: Array
    shift: Array


def alignments_with(points: Array, face: Array, weights: Array) -> Alignment:
    """The alignments of (faces, points, 2) with a face (points, 3); NaN where points are NaN.

    ``weights`` (points,) say how much each squared miss counts.
    """
    weights = weights / weights.sum()
    there = ~np.isnan(points).any(axis=(1, 2))
    rotation, scale = np.full((len(points), 3, 3), np.nan), np.full(len(points), np.nan)
    middle, centre = np.einsum("p,npd->nd", weights, points), weights @ face
    if there.any():
        rotation[there], scale[there] = _fitted(points[there] - middle[there, None], face - centre, weights)
    shift = middle - scale[:, None] * (rotation[:, :2] @ centre)
    return Alignment(rotation, scale, shift)


def _fitted(points: Array, face: Array, weights: Array) -> tuple[Array, Array]:
    """Rotations (faces, 3, 3) and scales (faces,) of centred points."""
    weighted = weights[:, None] * face
    affine = np.einsum("npd,pj->ndj", points, weighted) @ np.linalg.inv(face.T @ weighted)
    left, values, right = np.linalg.svd(affine, full_matrices=False)
    rows, scale = left @ right, values.mean(axis=1)
    rotation = np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
    for _ in range(STEPS):
        turned = np.einsum("ndj,pj->npd", rotation, face)
        slopes = _slopes(turned, scale)
        misses = points - scale[:, None, None] * turned[..., :2]
        normal = np.einsum("p,npdi,npdj->nij", weights, slopes, slopes)
        step = np.linalg.solve(normal, np.einsum("p,npdi,npd->ni", weights, slopes, misses)[..., None])[..., 0]
        rotation, scale = _turn(step[:, :3]) @ rotation, scale + step[:, 3]
    return rotation, scale


def _slopes(turned: Array, scale: Array) -> Array:
    """How projected points move with a turn about each axis and with scale: (faces, points, 2, 4)."""
    x, y, z = np.moveaxis(turned, -1, 0)
    size, none = scale[:, None], np.zeros_like(x)
    across = np.stack([none, size * z, -size * y, x], axis=-1)
    down = np.stack([-size * z, none, size * x, y], axis=-1)
    return np.stack([across, down], axis=2)


def _turn(vectors: Array) -> Array:
    """Rotations (..., 3, 3) about vectors (..., 3) by their length in radians (Rodrigues)."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    none = np.zeros_like(x)
    cross = np.stack([none, -z, y, z, none, -x, -y, x, none], axis=-1).reshape(*x.shape, 3, 3)
    half = np.sinc(angle / (2 * np.pi))
    return np.asarray(np.eye(3) + np.sinc(angle / np.pi) * cross + half**2 / 2 * (cross @ cross))


def downwards(rotation: Array) -> Array:
    """Rotations (..., 3, 3) of coordinates whose y goes up, for those whose y goes down."""
    mirror = np.diag([1.0, -1.0, 1.0])
    return np.asarray(mirror @ rotation @ mirror)


def angles(rotation: Array) -> Array:
    """Yaw, pitch and roll of rotations (..., 3, 3) in degrees: (..., 3)."""
    yaw = np.arctan2(-rotation[..., 2, 0], rotation[..., 2, 2])
    pitch = np.arctan2(rotation[..., 2, 1], np.hypot(rotation[..., 2, 0], rotation[..., 2, 2]))
    roll = np.arctan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    return np.asarray(np.rad2deg(np.stack([yaw, pitch, roll], axis=-1)))
