"""MTCNN: three cascaded networks that find faces with five points each, as facenet-pytorch has them.

facenet-pytorch brings its weights along. Its own defaults hold: faces from 20 px, a pyramid of factor 0.709, and the
three stages' thresholds 0.6, 0.7 and 0.7. Each frame goes through alone.

Source: Zhang, Zhang, Li, Qiao, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
IEEE SPL 2016; facenet-pytorch 2.6.0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.detection import Found
from thgeval.networks import alone, loaded
from thgeval.requirements import weights

SMALLEST_PX = 20
THRESHOLDS = (0.6, 0.7, 0.7)
FACTOR = 0.709
STAGES = {"PNet": "mtcnn-pnet", "RNet": "mtcnn-rnet", "ONet": "mtcnn-onet"}


def detected(frame: NDArray[np.uint8]) -> Found:
    """Faces of a (height, width, 3) frame, the most certain first, with the five points of each."""
    if min(frame.shape[:2]) < SMALLEST_PX:
        return Found(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))
    stages = _stages()
    from facenet_pytorch.models.utils.detect_face import detect_face

    with alone():
        rows, points = detect_face(frame, SMALLEST_PX, *stages, THRESHOLDS, FACTOR, "cpu")
    found, marks = np.asarray(rows[0], np.float64).reshape(-1, 5), np.asarray(points[0], np.float64).reshape(-1, 5, 2)
    order = np.argsort(-found[:, 4], kind="stable")
    return Found(found[order, :4], found[order, 4], marks[order])


def _stages() -> Any:
    def load() -> Any:
        import torch
        from facenet_pytorch.models import mtcnn

        networks = []
        for name, file in STAGES.items():
            network = getattr(mtcnn, name)(pretrained=False)
            with weights.opened(file) as path:
                network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
            networks.append(network.eval())
        return networks

    return loaded(("mtcnn", *(weights.token(file) for file in STAGES.values())), load)
