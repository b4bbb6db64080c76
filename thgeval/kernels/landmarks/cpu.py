"""Distances of points with numpy."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def centred(points: Array) -> Array:
    """Points (..., points, 2) about their own mean."""
    return np.asarray(points - points.mean(axis=-2, keepdims=True))


def points_apart(generated: Array, reference: Array, distance: str) -> Array:
    """How far each point is from its partner, (..., points, 2) -> (..., points)."""
    if distance == "l1":
        return np.asarray(np.abs(generated - reference).mean(axis=-1))
    return np.asarray(np.sqrt(((generated - reference) ** 2).sum(axis=-1)))


def between(points: Array, first: int, second: int) -> Array:
    """How far one point of a face is from another, (..., points, 2) -> (...)."""
    return np.asarray(np.sqrt(((points[..., first, :] - points[..., second, :]) ** 2).sum(axis=-1)))
