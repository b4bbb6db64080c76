"""Pictures of the rig: light at the corners of triangles (Gouraud), times the texture of a person.

Conventions: the rig's own (decimetres, y up, z to the viewer); cameras follow OpenCV; colours are RGB in [0, 1].
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval_baselines.rig import eyeballs
from thgeval_baselines.rig.camera import Camera
from thgeval_baselines.rig.colours import Colours
from thgeval_baselines.rig.eyeballs import Eyeballs
from thgeval_baselines.rig.light import Light
from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.raster import Fragments, rasterise

SAMPLES = 2
GREY = (0.55, 0.55, 0.55)


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame.

    ``image`` (height, width, 3) uint8 RGB; ``depth`` (height, width) dm along the camera's axis, of the nearest thing
    in each pixel, infinite off the head; ``cover`` (height, width) the share of each pixel that the head fills;
    ``normals`` (height, width, 3) of what is shown in the camera's coordinates, 0 off the head, None if not asked for.
    """

    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    cover: NDArray[np.float32]
    normals: NDArray[np.float32] | None = None


def shot(
    face: Points,
    camera: Camera,
    texture: NDArray[np.uint8],
    colours: Colours,
    *,
    light: Light | None = None,
    background: tuple[float, float, float] = GREY,
    normals: bool = False,
) -> Shot:
    """A picture of one face (V, 3) dm from a camera, in the colours of a person and their painted ``texture``."""
    head, eyes = rig(), Eyeballs.of(face)
    points = np.concatenate([face[head.drawn], eyes.points])
    corners, two_sided = _surface()
    fragments = rasterise(camera.project(points), corners, size=camera.size, samples=SAMPLES, two_sided=two_sided)
    on_skin = normals_of(face)
    lamp = Light() if light is None else light
    lit = np.concatenate([lamp.on(on_skin)[head.drawn], lamp.on(eyes.normals) * eyeballs.colours_of(colours)])
    image, depth, cover = coloured(fragments, corners, lit, _places(), texture, background)
    facing = None
    if normals:
        facing = _facing(fragments, corners, np.concatenate([on_skin[head.drawn], eyes.normals]) @ camera.turn().T)
    return Shot(image, depth, cover, facing)


def coloured(
    fragments: Fragments,
    corners: NDArray[np.int32],
    light: NDArray[np.float32],
    places: NDArray[np.float32],
    texture: NDArray[np.uint8],
    background: tuple[float, float, float],
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Image, depth and cover as a ``Shot`` has them, of what the samples see.

    ``light`` (points, 3) multiplies the texture (rows, columns, 3) uint8 at ``places`` (the first points, 2), which are
    shares of its width and height from the top left; points beyond those bring their colour themselves.
    """
    image, cover, depth = _shown(
        fragments.triangle,
        fragments.weights,
        fragments.nearness,
        corners,
        np.ascontiguousarray(light, np.float32),
        np.ascontiguousarray(places, np.float32),
        texture,
        np.array(background, np.float32),
        fragments.samples,
    )
    return image, depth, cover


def normals_of(face: Points) -> Points:
    """Unit normals (V, 3): of each vertex's triangles, weighted by area; 0 where a vertex has none."""
    return _normals(np.ascontiguousarray(face, np.float64), _vertices())


@cache
def _surface() -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Triangles (F, 3) of skin and what is in the mouth, then of the eyeballs; and which of them show both sides."""
    head, balls = rig(), eyeballs.triangles()
    corners = np.concatenate([head.triangles, balls + len(head.drawn)]).astype(np.int32)
    lashes = head.part[head.triangles[:, 0]] >= head.parts.index("upper lashes")
    return corners, np.concatenate([lashes, np.zeros(len(balls), np.bool_)])


@cache
def _vertices() -> NDArray[np.intp]:
    return np.ascontiguousarray(rig().drawn[rig().triangles])


@cache
def _places() -> NDArray[np.float32]:
    """Where each corner lies in the texture (R, 2), as shares of its width and height from the top left."""
    return np.column_stack([rig().uv[:, 0], 1 - rig().uv[:, 1]]).astype(np.float32)


def _facing(fragments: Fragments, corners: NDArray[np.int32], normals: Points) -> NDArray[np.float32]:
    values = fragments.of(corners, normals.astype(np.float32))
    rows, columns = values.shape[0] // SAMPLES, values.shape[1] // SAMPLES
    mean = values.reshape(rows, SAMPLES, columns, SAMPLES, 3).sum(axis=(1, 3))
    length = np.linalg.norm(mean, axis=-1, keepdims=True)
    return np.asarray(mean / np.maximum(length, 1e-6), np.float32)


@jit()
def _normals(points: NDArray[np.float64], triangles: NDArray[np.intp]) -> NDArray[np.float64]:
    normals = np.zeros_like(points)
    for number in range(len(triangles)):
        a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        for corner in (a, b, c):
            normals[corner, 0] += uy * vz - uz * vy
            normals[corner, 1] += uz * vx - ux * vz
            normals[corner, 2] += ux * vy - uy * vx
    for vertex in range(len(points)):
        x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
        length = max(np.sqrt(x * x + y * y + z * z), 1e-12)
        for axis in range(3):
            normals[vertex, axis] /= length
    return normals


@jit()
def _shown(
    triangle: NDArray[np.int32],
    weights: NDArray[np.float32],
    nearness: NDArray[np.float64],
    corners: NDArray[np.int32],
    light: NDArray[np.float32],
    places: NDArray[np.float32],
    texture: NDArray[np.uint8],
    background: NDArray[np.float32],
    samples: int,
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Image, cover and depth of pixels; corners beyond those that have a place in the texture bring their colour."""
    height, width = triangle.shape[0] // samples, triangle.shape[1] // samples
    image = np.zeros((height, width, 3), np.uint8)
    cover = np.zeros((height, width), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    across, down = np.float32(texture.shape[1] - 1), np.float32(texture.shape[0] - 1)
    share, level = np.float32(1 / (samples * samples)), np.float32(1 / 255)
    for row in range(height):
        for column in range(width):
            red = green = blue = np.float32(0)
            nearest = 0.0
            for at in range(samples * samples):
                y, x = row * samples + at // samples, column * samples + at % samples
                number = triangle[y, x]
                if number < 0:
                    red, green, blue = red + background[0], green + background[1], blue + background[2]
                    continue
                cover[row, column] += share
                nearest = max(nearest, nearness[y, x])
                a, b, c = corners[number, 0], corners[number, 1], corners[number, 2]
                w_a, w_b, w_c = weights[y, x, 0], weights[y, x, 1], weights[y, x, 2]
                r = w_a * light[a, 0] + w_b * light[b, 0] + w_c * light[c, 0]
                g = w_a * light[a, 1] + w_b * light[b, 1] + w_c * light[c, 1]
                blu = w_a * light[a, 2] + w_b * light[b, 2] + w_c * light[c, 2]
                if a < len(places):
                    u = int((w_a * places[a, 0] + w_b * places[b, 0] + w_c * places[c, 0]) * across + np.float32(0.5))
                    v = int((w_a * places[a, 1] + w_b * places[b, 1] + w_c * places[c, 1]) * down + np.float32(0.5))
                    r, g, blu = (
                        r * texture[v, u, 0] * level,
                        g * texture[v, u, 1] * level,
                        blu * texture[v, u, 2] * level,
                    )
                red += min(r, np.float32(1))
                green += min(g, np.float32(1))
                blue += min(blu, np.float32(1))
            image[row, column, 0] = int(red * share * 255 + np.float32(0.5))
            image[row, column, 1] = int(green * share * 255 + np.float32(0.5))
            image[row, column, 2] = int(blue * share * 255 + np.float32(0.5))
            if nearest > 0:
                depth[row, column] = 1 / nearest
    return image, cover, depth
