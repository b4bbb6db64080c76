"""dlib's models of faces: the HOG detector and the 68 landmarks.

The detector is part of dlib; the landmark file comes with the package ``face_recognition_models``, whose own import is
never run. The landmark model was trained on iBUG 300-W, whose terms exclude commercial use.

Sources: Dalal, Triggs, CVPR 2005; King, arXiv:1502.00046 (the detector); Kazemi, Sullivan, CVPR 2014 (landmarks);
dlib 20.0.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval import weights
from thgeval.features.faces import Found
from thgeval.features.networks import once


@cache
def _detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()


def detected(frame: NDArray[np.uint8], *, upsample: int = 0) -> Found:
    """Faces of 80 px and more in a (height, width, 3) frame, in the detector's order: highest score first."""
    rectangles, scores, _ = _detector().run(_grey(frame), upsample, 0.0)
    boxes = [(r.left(), r.top(), r.right(), r.bottom()) for r in rectangles]
    return Found(np.array(boxes, np.float64).reshape(-1, 4), np.array(scores, np.float64))


def landmarks68(frame: NDArray[np.uint8], boxes: NDArray[Any]) -> NDArray[np.float32]:
    """The 68 landmarks of iBUG 300-W in whole px for (faces, 4) boxes of one frame: (faces, 68, 2)."""
    import dlib

    grey, predict = _grey(frame), _predictor()
    shapes = [predict(grey, dlib.rectangle(*(int(value) for value in np.rint(box)))) for box in boxes]
    return np.array([[(p.x, p.y) for p in shape.parts()] for shape in shapes], np.float32).reshape(-1, 68, 2)


def _predictor() -> Any:
    def load() -> Any:
        import dlib

        return dlib.shape_predictor(str(weights.path("dlib-68")))

    return once(("dlib-68", weights.token("dlib-68")), load)


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
