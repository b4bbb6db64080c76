"""Eyeballs: half spheres about the centres of the rig's own, which turn as the eight ``eyeLook`` actions say."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig.colours import Colours
from thgeval_baselines.rig.model import Points, rig

_RINGS_DEG = np.array([0.0, 8, 14, 15, 20, 26, 29, 31, 36, 50, 70, 90])
_SPOKES = 24
_WHITE, _PUPIL = np.array([0.86, 0.83, 0.81]), np.array([0.02, 0.02, 0.02])


@dataclass(frozen=True, eq=False)
class Eyeballs:
    """Both eyeballs: ``points`` (E, 3) dm and their unit ``normals``."""

    points: Points
    normals: Points

    @classmethod
    def of(cls, face: Points) -> "Eyeballs":
        """The eyeballs of a face (V, 3), turned as the vertices of the rig's own have turned."""
        unit = _ball()[0]
        points, normals = [], []
        for eye, rest in zip(rig().eyes, _resting(), strict=True):
            centre = face[eye].mean(axis=0)
            moved = face[eye] - centre
            u, _, v = np.linalg.svd(rest.T @ moved)
            turn = v.T @ np.diag([1, 1, np.sign(np.linalg.det(v.T @ u.T))]) @ u.T
            radius = 0.99 * np.median(np.linalg.norm(moved, axis=1))
            normals.append(unit @ turn.T)
            points.append(centre + radius * normals[-1])
        return cls(np.concatenate(points), np.concatenate(normals))


def triangles() -> NDArray[np.int32]:
    """Triangles (F, 3) of both eyeballs, numbers of their points."""
    once = _ball()[1]
    return np.concatenate([once, once + len(_ball()[0])]).astype(np.int32)


def colours_of(colours: Colours) -> NDArray[np.float32]:
    """The colour (E, 3) of each point of both: pupil, iris and white, in rings."""
    ring = np.where(
        _RINGS_DEG[:, None] < 14.5, _PUPIL, np.where(_RINGS_DEG[:, None] < 30, np.array(colours.iris), _WHITE)
    )
    return np.tile(np.repeat(ring, _SPOKES, axis=0), (2, 1)).astype(np.float32)


def rings_deg() -> Points:
    """Degrees of each point of both (E,) from where the eye looks; the pupil ends at 14, the iris at 30."""
    return np.tile(np.repeat(_RINGS_DEG, _SPOKES), 2)


@cache
def _ball() -> tuple[Points, NDArray[np.intp]]:
    """A half sphere of radius 1 that looks along z: its points, and its triangles."""
    rings, spokes = np.deg2rad(_RINGS_DEG), 2 * np.pi * np.arange(_SPOKES) / _SPOKES
    across = np.stack([np.cos(spokes), np.sin(spokes)], axis=-1)
    aside = np.sin(rings)[:, None, None] * across
    ahead = np.broadcast_to(np.cos(rings)[:, None, None], (len(rings), _SPOKES, 1))
    number = np.arange(len(rings) * _SPOKES).reshape(len(rings), _SPOKES)
    a, b = number[:-1], number[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    corners = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return np.concatenate([aside, ahead], axis=-1).reshape(-1, 3), corners


@cache
def _resting() -> tuple[Points, ...]:
    """The rig's own eyeballs about their centres, looking ahead."""
    return tuple(rig().vertices[eye] - rig().vertices[eye].mean(axis=0) for eye in rig().eyes)
