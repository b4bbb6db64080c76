"""What a face does, without who it is turned to: one row of numbers per face and frame."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Parameter, chosen_from, derived_from
from thgeval.features.faces.face_mesh import expression_blendshapes
from thgeval.features.faces.supplied import expression_given
from thgeval.features.faces.tddfa import expression_3ddfa
from thgeval.features.heads.deep3d import expression_deep3d
from thgeval.features.heads.frontal import Turned, frontal, turned
from thgeval.features.heads.rest import Both, over_one_rest

Rows = NDArray[np.float64]

EXPRESSIVE = np.array([*range(6, 11), *range(17, 27), *range(36, 68)])
"""Landmarks that expressions move: chin, brows, eyes and lips."""


@derived_from(frontal, version=1)
def expression_landmarks(turned: Turned) -> Rows:
    """X and y of 47 landmarks turned to the front, in eye distances: (frames, people, 94)."""
    return _rows(turned)


def _rows(turned: Turned) -> Rows:
    return turned.points[..., EXPRESSIVE, :].reshape(*turned.points.shape[:2], -1)


def expression_of_both(*, source: str = "landmarks", **chosen: Parameter) -> Feature[Both[Rows]] | None:
    """Expression of both sides where it is measured from a person's rest; None where each frame stands for itself."""
    if source != "landmarks":
        return None
    return over_one_rest(expression_landmarks(**chosen), lambda points, rest: _rows(turned(points, rest)), **chosen)


EXPRESSION_SOURCES: Mapping[str, Callable[..., Feature[Rows]]] = MappingProxyType(
    {
        "landmarks": expression_landmarks,
        "blendshapes": expression_blendshapes,
        "3ddfa": expression_3ddfa,
        "deep3d": expression_deep3d,
        "npz": expression_given,
    }
)
"""Each row takes the parameters of ``people.shapes``, and leaves alone what it doesn't need."""


def expression(*, source: str = "landmarks", **chosen: Parameter) -> Feature[Rows]:
    """Expression of the chosen people from one of ``SOURCES``: (frames, people, dimensions), NaN without a face."""
    return chosen_from(EXPRESSION_SOURCES, source=source)(**chosen)
