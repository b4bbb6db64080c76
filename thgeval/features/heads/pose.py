"""Head pose: yaw, pitch and roll in degrees.

Positive yaw moves the nose to the right of the picture, positive pitch moves it up, positive roll turns the head
clockwise as seen. The head is turned by yaw first, then pitch, then roll, about axes of the picture: with x to the
right, y down and z towards the viewer the rotation is ``Rz(roll) @ Rx(pitch) @ Ry(yaw)``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, Parameter, chosen_from, derived_from
from thgeval.features.faces.alignment import angles
from thgeval.features.faces.face_mesh import pose_mediapipe
from thgeval.features.faces.supplied import pose_given
from thgeval.features.faces.tddfa import pose_3ddfa
from thgeval.features.heads.deep3d import pose_deep3d
from thgeval.features.heads.frontal import Turned, frontal, turned
from thgeval.features.heads.openface import pose_openface, pose_openface_binary
from thgeval.features.heads.rest import Both, over_one_rest

Angles = NDArray[np.float64]


@derived_from(frontal, version=1)
def pose_pnp(turned: Turned) -> Angles:
    """Pose by fitting a generic rigid face to landmarks, see ``frontal``."""
    return angles(turned.rotation)


ESTIMATORS: Mapping[str, Callable[..., Feature[Angles]]] = MappingProxyType(
    {
        "pnp": pose_pnp,
        "mediapipe": pose_mediapipe,
        "3ddfa": pose_3ddfa,
        "deep3d": pose_deep3d,
        "openface": pose_openface,
        "openface-binary": pose_openface_binary,
        "npz": pose_given,
    }
)
"""Each row takes the parameters of ``people.shapes``, and leaves alone what it doesn't need."""


def pose_of_both(*, estimator: str = "pnp", **chosen: Parameter) -> Feature[Both[Angles]] | None:
    """Pose of both sides where it is measured from a person's rest; None where each frame stands for itself."""
    if estimator != "pnp":
        return None
    return over_one_rest(pose_pnp(**chosen), lambda points, rest: angles(turned(points, rest).rotation), **chosen)


def pose(*, estimator: str = "pnp", **chosen: Parameter) -> Feature[Angles]:
    """Pose of the chosen people by one of ``ESTIMATORS``: (frames, people, 3) degrees, NaN where there is no face."""
    return chosen_from(ESTIMATORS, estimator=estimator)(**chosen)
