"""Distances between two sets of 68 landmarks, and what they are made of.

Landmarks are iBUG 300-W's, (..., 68, 2) in px, x right and y down. What isn't there is NaN and stays NaN. Everything is
float64. They lie in memory, or on a graphics card (see ``thgeval.kernels.places``), both sides alike.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.landmarks import cpu
from thgeval.kernels.places import in_order, loops, on_card, readable

Array = NDArray[np.float64]

FACE_PARTS: Mapping[str, NDArray[np.intp]] = MappingProxyType(
    {
        "mouth": np.arange(48, 68),
        "face": np.arange(68),
        "mouth-twice": np.r_[48:55, 64:59:-1, 54:60, 48, 60, 67, 66, 65, 64],
    }
)
"""Which points are compared. ``mouth-twice`` is the package face_recognition's: upper and lower lip, 12 points each, so
that the corners of the mouth, outer and inner, count twice."""

DISTANCES = ("l2", "l1")
SCALES = ("px", "interocular")
REDUCTIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"mean": lambda distances: distances.mean(axis=-1), "sum": lambda distances: distances.sum(axis=-1)}
)
"""Over the points of a face: (..., points) -> (...)."""
OUTER_CORNERS = (36, 45)


def centred(points: Array) -> Array:
    """Points (..., points, 2) about their own mean."""
    moved: Array = loops(cpu, points).centred(_ordered(points))
    return moved


def points_apart(generated: Array, reference: Array, *, distance: str) -> Array:
    """How far each point is from its partner, (..., points, 2) -> (..., points).

    ``l2`` is the Euclidean distance, ``l1`` the mean of the absolute differences in x and in y.
    """
    sides = _ordered(generated), _ordered(reference)
    distances: Array = loops(cpu, *sides).points_apart(*sides, distance)
    return distances


def interocular(points: Array) -> Array:
    """Distance of the outer corners of the eyes, (..., 68, 2) -> (...)."""
    distances: Array = loops(cpu, points).between(_ordered(points), *OUTER_CORNERS)
    return distances


def _ordered(points: Array) -> Array:
    """Points as the loops take them."""
    ordered: Array = in_order(readable(points)) if on_card(points) else points
    return ordered
