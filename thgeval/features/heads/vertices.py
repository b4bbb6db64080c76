"""The shape of a person's face without what it does and where it looks: points of a morphable model, in decimetres."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Parameter, chosen_from
from thgeval.features.faces.supplied import vertices_given
from thgeval.features.faces.tddfa import vertices_3ddfa
from thgeval.features.heads.deep3d import vertices_deep3d

Vertices = NDArray[np.float64]

VERTEX_MODELS: Mapping[str, Callable[..., Feature[Vertices]]] = MappingProxyType(
    {"3ddfa": vertices_3ddfa, "deep3d": vertices_deep3d, "npz": vertices_given}
)
"""Each row takes the parameters of ``people.shapes``."""


def vertices(*, model: str = "3ddfa", **chosen: Parameter) -> Feature[Vertices]:
    """Points of the chosen people's faces by one of ``MODELS``: (frames, people, points, 3), NaN without a face."""
    return chosen_from(VERTEX_MODELS, model=model)(**chosen)
