"""How far each eye is open: the eye aspect ratio of Soukupova and Cech.

The mean distance of the lids over the distance of the corners, from six landmarks an eye; about 0.3 for an open eye,
below 0.2 when it is shut. Both lengths are taken in the picture, so that a turned head changes it a little.

Source: Soukupova, Cech, "Real-Time Eye Blink Detection using Facial Landmarks", CVWW 2016.
"""

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import derived_from
from thgeval.features.faces.people import shapes

LEFT, RIGHT = slice(36, 42), slice(42, 48)
"""Landmarks of the eye on the left and on the right of the picture: corner, upper lid, corner, lower lid."""


@derived_from(shapes, version=1)
def eyes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eye aspect ratio of the eye on the left and on the right: (frames, people, 2), NaN where there is no face."""
    return np.stack([aspect(points[..., eye, :]) for eye in (LEFT, RIGHT)], axis=-1)


def aspect(eye: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height over width of eyes, from (..., 6, 2) landmarks: (...)."""
    heights = _length(eye[..., 1, :] - eye[..., 5, :]) + _length(eye[..., 2, :] - eye[..., 4, :])
    return np.asarray(heights / (2 * _length(eye[..., 0, :] - eye[..., 3, :])))


def _length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(vectors, axis=-1))
