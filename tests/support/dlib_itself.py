"""dlib without the toolkit around it, loaded once: reading its two models takes over half a second."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest


@cache
def models():
    """Its detector of frontal faces and its predictor of 68 landmarks; skips the test where one is missing."""
    dlib, package = pytest.importorskip("dlib"), find_spec("face_recognition_models")
    if package is None:
        pytest.skip("the package face_recognition_models is not installed")
    file = Path(package.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
    return dlib.get_frontal_face_detector(), dlib.shape_predictor(str(file))


def points(shape):
    """The landmarks that the predictor gives, (68, 2) float64."""
    return np.array([(point.x, point.y) for point in shape.parts()], float)
