"""Distances of points on a graphics card: a thread takes one point, or one face. NaN stays NaN."""

import math

import numpy as np

from thgeval.kernels.cuda_target import cuda, launch, spread
from thgeval.kernels.places import DeviceArray


@cuda.jit
def _centred(faces, moved):
    for at in range(cuda.grid(1), faces.shape[0] * 2, cuda.gridsize(1)):
        face, axis = at // 2, at % 2
        total = 0.0
        for point in range(faces.shape[1]):
            total += faces[face, point, axis]
        for point in range(faces.shape[1]):
            moved[face, point, axis] = faces[face, point, axis] - total / faces.shape[1]


@cuda.jit
def _apart(generated, reference, mean, distances):
    for at in range(cuda.grid(1), distances.size, cuda.gridsize(1)):
        x, y = generated[at, 0] - reference[at, 0], generated[at, 1] - reference[at, 1]
        distances[at] = (abs(x) + abs(y)) / 2 if mean else math.sqrt(x * x + y * y)


@cuda.jit
def _between(faces, first, second, distances):
    for face in range(cuda.grid(1), distances.size, cuda.gridsize(1)):
        x = faces[face, first, 0] - faces[face, second, 0]
        y = faces[face, first, 1] - faces[face, second, 1]
        distances[face] = math.sqrt(x * x + y * y)


def centred(points: DeviceArray) -> DeviceArray:
    """Points (..., points, 2) about their own mean."""
    faces = points.reshape(-1, *points.shape[-2:])
    moved = faces.empty(faces.shape, np.float64)
    launch(_centred, (spread(2 * len(faces)),), faces, moved)
    return moved.reshape(*points.shape)


def points_apart(generated: DeviceArray, reference: DeviceArray, distance: str) -> DeviceArray:
    """How far each point is from its partner, (..., points, 2) -> (..., points)."""
    sides = [side.reshape(-1, 2) for side in (generated, reference)]
    distances = generated.empty((len(sides[0]),), np.float64)
    launch(_apart, (spread(len(distances)),), *sides, distance == "l1", distances)
    return distances.reshape(*generated.shape[:-1])


def between(points: DeviceArray, first: int, second: int) -> DeviceArray:
    """How far one point of a face is from another, (..., points, 2) -> (...)."""
    faces = points.reshape(-1, *points.shape[-2:])
    distances = faces.empty((len(faces),), np.float64)
    launch(_between, (spread(len(faces)),), faces, first, second, distances)
    return distances.reshape(*points.shape[:-2])
