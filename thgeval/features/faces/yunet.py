"""YuNet: a face detector of 75,000 weights that also marks five points, free for any use.

It runs in OpenCV, at the size of the frame. Faces with a score below ``LEAST_SCORE`` don't count.

Source: Wu, Peng, Yu, Machine Intelligence Research 20, 2023; OpenCV's FaceDetectorYN.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.detection import Found
from thgeval.networks.memory import read_once

WEIGHTS = "yunet"
LEAST_SCORE = 0.7
MOST_OVERLAP = 0.3
CANDIDATES = 5000
ERRORS_ONLY = cv2.utils.logging.LOG_LEVEL_ERROR


def detected(frame: NDArray[np.uint8]) -> Found:
    """Faces of a (height, width, 3) frame with their five points, highest score first."""
    height, width = frame.shape[:2]
    detector = read_once(WEIGHTS, _detector, shared=False)
    detector.setInputSize((width, height))
    found = detector.detect(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1]
    rows = np.empty((0, 15)) if found is None else np.asarray(found, np.float64)
    rows = rows[np.argsort(-rows[:, 14], kind="stable")]
    corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    return Found(corners, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2))


def _detector(file: Path) -> Any:
    """A detector, which remembers the size of the frame and mustn't be shared."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(ERRORS_ONLY)  # OpenCV 5 warns of a target that nobody asked for
    made = cv2.FaceDetectorYN.create(str(file), "", (0, 0), LEAST_SCORE, MOST_OVERLAP, CANDIDATES)
    cv2.utils.logging.setLogLevel(level)
    return made
