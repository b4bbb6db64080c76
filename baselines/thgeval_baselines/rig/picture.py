"""Pictures of the rig: a camera, a light, and the colours of a person who is nobody.

A frame is drawn with light at the corners of triangles (Gouraud), times a texture that is painted once per person:
skin, lips, brows and cropped hair. Eyeballs are spheres that turn as the eight ``eyeLook`` actions say.

Conventions: the rig's own (decimetres, y up, z to the viewer); cameras follow OpenCV; colours are RGB in [0, 1].
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig.model import Points, Rig, rig
from thgeval_baselines.rig.raster import rasterise

TEXTURE_PX = 1024
SAMPLES = 2


@dataclass(frozen=True)
class Camera:
    """A camera that looks at ``target`` (dm) from ``distance`` dm, ``azimuth`` degrees to the person's left.

    ``focal`` is the focal length as a share of the picture's width; ``size`` (height, width) px.
    """

    size: tuple[int, int] = (256, 256)
    azimuth: float = 0.0
    elevation: float = 0.0
    distance: float = 14.0
    focal: float = 5.2
    target: tuple[float, float, float] = (0.0, 0.05, 0.6)

    def turn(self) -> Points:
        """The rotation (3, 3) from the rig's coordinates to the camera's (x right, y down, z into the scene)."""
        azimuth, elevation = np.deg2rad([self.azimuth, self.elevation])
        about_y = np.array(
            [[np.cos(azimuth), 0, -np.sin(azimuth)], [0, 1, 0], [np.sin(azimuth), 0, np.cos(azimuth)]],
        )
        about_x = np.array(
            [[1, 0, 0], [0, np.cos(elevation), -np.sin(elevation)], [0, np.sin(elevation), np.cos(elevation)]],
        )
        return np.asarray(np.diag([1.0, -1.0, -1.0]) @ about_x @ about_y)

    def project(self, points: Points) -> Points:
        """(points, 3): x px, y px, and the distance along the camera's axis in dm."""
        x, y, z = ((points - np.array(self.target)) @ self.turn().T + [0, 0, self.distance]).T
        height, width = self.size
        px = self.focal * width
        return np.stack([(width - 1) / 2 + px * x / z, (height - 1) / 2 + px * y / z, z], axis=-1)


@dataclass(frozen=True)
class Colours:
    """The colours of one person, RGB in [0, 1]."""

    skin: tuple[float, float, float]
    lips: tuple[float, float, float]
    hair: tuple[float, float, float]
    iris: tuple[float, float, float]
    shirt: tuple[float, float, float]

    @classmethod
    def of(cls, seed: int) -> "Colours":
        """Colours drawn from a seed."""
        rng = np.random.default_rng([seed, 1])
        tone = rng.random()
        skin = (1 - tone) * np.array([0.89, 0.72, 0.63]) + tone * np.array([0.42, 0.28, 0.21])
        lips = skin * np.array([0.9, 0.66, 0.66])
        hair = np.array([0.06, 0.045, 0.04]) + rng.random() ** 2 * (1 - tone) * np.array([0.4, 0.27, 0.15])
        iris = np.array([0.22, 0.13, 0.07]) + rng.random() * (1 - tone) * np.array([0.1, 0.22, 0.3])
        return cls(*(_rgb(colour) for colour in (skin, lips, hair, iris, rng.uniform(0.15, 0.6, 3))))


def _rgb(colour: Points) -> tuple[float, float, float]:
    return float(colour[0]), float(colour[1]), float(colour[2])


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame: ``image`` (height, width, 3) uint8 RGB, and ``depth`` (height, width) dm, infinite off the head."""

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]


def shot(face: Points, camera: Camera, texture: NDArray[np.float32], colours: Colours) -> Shot:
    """A picture of one face (V, 3) dm from a camera, in the colours of a person and their painted ``texture``."""
    head = rig()
    eyes = _eyeballs(face, head, colours)
    points = np.concatenate([face[head.drawn], eyes.points])
    corners = np.concatenate([head.triangles, eyes.triangles + len(head.drawn)]).astype(np.int32)
    light = np.concatenate([_lit(_normals(face, head.drawn[head.triangles])[head.drawn]), _lit(eyes.normals)])
    painted = np.concatenate([np.column_stack([head.uv, np.zeros((len(head.uv), 3))]), eyes.colours])
    two_sided = np.concatenate([head.part[head.triangles[:, 0]] >= head.parts.index("upper lashes"), eyes.one_sided])
    fragments = rasterise(
        camera.project(points), corners, size=camera.size, samples=SAMPLES, two_sided=two_sided.astype(np.bool_)
    )
    values = fragments.of(corners, np.column_stack([light, painted]).astype(np.float32))
    on_eye = fragments.triangle >= len(head.triangles)
    rows = ((1 - values[..., 2]) * (TEXTURE_PX - 1)).astype(np.intp)
    columns = (values[..., 1] * (TEXTURE_PX - 1)).astype(np.intp)
    colour = np.where(on_eye[..., None], values[..., 3:], texture[rows, columns])
    colour = np.where(fragments.triangle[..., None] < 0, np.float32(0.55), colour * values[..., :1])
    height, width = camera.size
    mean = np.clip(colour, 0, 1).reshape(height, SAMPLES, width, SAMPLES, 3).mean(axis=(1, 3))
    depth = fragments.depth.reshape(height, SAMPLES, width, SAMPLES).min(axis=(1, 3))
    return Shot(np.rint(255 * mean).astype(np.uint8), depth)


@dataclass(frozen=True, eq=False)
class _Eyes:
    points: Points
    normals: Points
    triangles: NDArray[np.int32]
    colours: Points
    one_sided: NDArray[np.bool_]


_RINGS_DEG = np.array([0.0, 8, 14, 15, 20, 26, 29, 31, 36, 50, 70, 90])
_SPOKES = 24


def _eyeballs(face: Points, head: Rig, colours: Colours) -> _Eyes:
    """Both eyeballs as half spheres about their centres, looking where the moved vertices of the rig's own look."""
    rings, spokes = np.deg2rad(_RINGS_DEG), 2 * np.pi * np.arange(_SPOKES) / _SPOKES
    across = np.stack([np.cos(spokes), np.sin(spokes)], axis=-1)
    aside = np.sin(rings)[:, None, None] * across
    ahead = np.broadcast_to(np.cos(rings)[:, None, None], (len(rings), _SPOKES, 1))
    unit = np.concatenate([aside, ahead], axis=-1).reshape(-1, 3)
    number = np.arange(len(unit)).reshape(len(rings), _SPOKES)
    a, b = number[:-1], number[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    once = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    white, pupil = np.array([0.86, 0.83, 0.81]), np.array([0.02, 0.02, 0.02])
    ring = np.where(
        _RINGS_DEG[:, None] < 14.5, pupil, np.where(_RINGS_DEG[:, None] < 30, np.array(colours.iris), white)
    )
    points, normals, triangles = [], [], []
    for at, eye in enumerate(head.eyes):
        centre, rest = face[eye].mean(axis=0), head.vertices[eye] - head.vertices[eye].mean(axis=0)
        moved = face[eye] - centre
        u, _, v = np.linalg.svd(rest.T @ moved)
        turn = v.T @ np.diag([1, 1, np.sign(np.linalg.det(v.T @ u.T))]) @ u.T
        radius = 0.99 * np.median(np.linalg.norm(moved, axis=1))
        normals.append(unit @ turn.T)
        points.append(centre + radius * normals[-1])
        triangles.append(once + at * len(unit))
    colour = np.tile(np.repeat(ring, _SPOKES, axis=0), (2, 1))
    every = np.concatenate(triangles).astype(np.int32)
    flat = np.column_stack([np.zeros((len(colour), 2)), colour])
    return _Eyes(np.concatenate(points), np.concatenate(normals), every, flat, np.zeros(len(every), np.bool_))


def _normals(points: Points, triangles: NDArray[np.intp]) -> Points:
    """Unit normals (V, 3): of each vertex's triangles, weighted by area."""
    a, b, c = points[triangles].transpose(1, 0, 2)
    faces = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, triangles[:, corner], faces)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def _lit(normals: Points) -> Points:
    """Light at normals: a key light from above left, a fill from the right, and the room's."""
    key, fill = (np.array(to) / np.linalg.norm(to) for to in ((-0.35, 0.5, 0.8), (0.7, 0.1, 0.6)))
    return np.asarray(0.34 + 0.74 * np.clip(normals @ key, 0, 1) + 0.2 * np.clip(normals @ fill, 0, 1))


def texture_of(colours: Colours, *, seed: int) -> NDArray[np.float32]:
    """A person's texture (1024, 1024, 3): RGB in [0, 1]."""
    head, (place, kind, regions) = rig(), _places()
    rng = np.random.default_rng([seed, 2])
    coarse = cv2.resize(rng.standard_normal((96, 96)).astype(np.float32), (TEXTURE_PX, TEXTURE_PX))
    fine = rng.standard_normal((TEXTURE_PX, TEXTURE_PX)).astype(np.float32)
    skin = np.array(colours.skin) * (1 + 0.02 * coarse + 0.02 * fine)[..., None]
    painted = _over(skin, regions[..., 0], colours.lips)
    painted = _over(painted, regions[..., 1], (0.08, 0.02, 0.02))
    painted = _over(painted, 0.25 * regions[..., 2], np.array(colours.skin) * 0.7)
    strands = np.clip(0.8 + 0.25 * fine, 0, 1)
    painted = _over(painted, _brows(place, head) * strands, colours.hair)
    painted = _over(painted, _cropped(place) * (1 - regions[..., 3]) * np.clip(0.9 + 0.15 * fine, 0, 1), colours.hair)
    painted = _over(painted, np.clip((-1.35 - place[..., 1]) / 0.03, 0, 1), colours.shirt)
    for name, colour in (
        ("upper teeth", (0.62, 0.58, 0.53)),
        ("lower teeth", (0.5, 0.46, 0.42)),
        ("tongue", (0.2, 0.08, 0.08)),
        ("upper lashes", (0.05, 0.04, 0.04)),
        ("lower lashes", tuple(0.6 * np.array(colours.skin))),
    ):
        painted[kind == head.parts.index(name)] = colour
    return painted.astype(np.float32)


def _over(below: Points, weight: Points, colour: object) -> Points:
    return np.asarray(below + weight[..., None] * (np.asarray(colour) - below))


def _brows(place: Points, head: Rig) -> Points:
    """How much of each place is brow: a band along the landmarks, thinner outwards."""
    weight = np.zeros(place.shape[:2])
    for marks in (range(17, 22), range(22, 27)):
        line = head.vertices[head.landmarks[list(marks)]]
        line = line[np.argsort(line[:, 0])]
        height = np.polyval(np.polyfit(line[:, 0], line[:, 1], 2), place[..., 0]) + 0.01
        inside = (place[..., 0] > line[0, 0]) & (place[..., 0] < line[-1, 0]) & (place[..., 2] > 0.9)
        thick = 0.016 + 0.016 * np.clip(1 - np.abs(place[..., 0]) / 0.55, 0, 1)
        weight = np.maximum(weight, inside * np.clip(1.5 - np.abs(place[..., 1] - height) / thick, 0, 1))
    return 0.85 * weight


def _cropped(place: Points) -> Points:
    """How much of each place is hair: above a line that rises from the nape over the ears to the forehead."""
    line = np.interp(place[..., 2], [-0.6, 0.2, 0.6, 0.75, 1.1, 1.4], [-0.35, 0.1, 0.35, 0.7, 0.95, 0.98])
    return np.asarray(np.clip((place[..., 1] - line) / 0.06, 0, 1))


@cache
def _places() -> tuple[Points, NDArray[np.intp], Points]:
    """For each texel: where on the neutral head it lies (rows, columns, 3), its part, and its regions."""
    head = rig()
    flat = np.column_stack([head.uv[:, 0], 1 - head.uv[:, 1], np.ones(len(head.uv))]) * [
        TEXTURE_PX - 1,
        TEXTURE_PX - 1,
        1,
    ]
    fragments = rasterise(
        flat, head.triangles, size=(TEXTURE_PX, TEXTURE_PX), two_sided=np.ones(len(head.triangles), np.bool_)
    )
    values = np.column_stack([head.vertices[head.drawn], head.regions[head.drawn]]).astype(np.float32)
    shown = fragments.of(head.triangles, values)
    kind = np.where(fragments.triangle < 0, 0, head.part[head.triangles[fragments.triangle, 0]])
    empty = (fragments.triangle < 0).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(nearest.max() + 1, np.intp)
    filled = np.flatnonzero(empty.ravel() == 0)
    source[nearest.ravel()[filled]] = filled
    at = source[nearest]
    shown, kind = shown.reshape(-1, shown.shape[-1])[at], kind.ravel()[at]
    return shown[..., :3].astype(np.float64), kind, shown[..., 3:].astype(np.float64)
