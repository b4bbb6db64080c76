"""dlib's models of faces: the HOG detector, the 68 landmarks and the face descriptor.

The detector is part of dlib; the files of the others come with the package ``face_recognition_models``, whose own
import is never run. The landmark model was trained on iBUG 300-W, whose terms exclude commercial use.

Sources: Dalal, Triggs, CVPR 2005; King, arXiv:1502.00046 (the detector); Kazemi, Sullivan, CVPR 2014 (landmarks);
King, "High Quality Face Recognition with Deep Metric Learning", 2017 (descriptor); dlib 20.0.
"""

import pickle
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.descriptor_worker import SIDE_PX
from thgeval.features.faces.descriptors import descriptors_of
from thgeval.features.faces.detection import Found
from thgeval.networks.memory import once, own, read_once

X4 = 4
MARGIN = 0.35
"""How much of a box's width is enlarged on each side of it, so that no landmark looks beyond the picture."""

WEIGHTS_709 = np.array([0.2125, 0.7154, 0.0721])

STARTS = 0.03 * np.array([(-1, -1), (1, -1), (-1, 1), (1, 1)])
"""Where the four boxes lie beside the detector's, in its widths: the model starts from a box and never quite leaves
where it started, so that the mean of four is steadier than one. Chosen on the synthetic heads 0 to 7 and 16 to 31."""


def _detector() -> Any:
    """The detector of this thread: it keeps its pyramid in itself, so that two threads would mix up their frames.

    It is made once, which takes 0.6 s, and copied for each thread, which takes a millisecond.
    """
    return own("dlib detector", lambda: pickle.loads(once("dlib detector", _made)))  # noqa: S301 - our own bytes


def ready() -> None:
    """Load the detector and the predictor of landmarks side by side, for whoever needs both at once."""
    with ThreadPoolExecutor(1) as beside:
        found = beside.submit(copy_context().run, once, "dlib detector", _made)
        predictor()
        found.result()


def _made() -> bytes:
    import dlib

    return pickle.dumps(dlib.get_frontal_face_detector())


def detected(frame: NDArray[np.uint8], *, upsample: int = 0) -> Found:
    """Faces of 80 px and more in a (height, width, 3) frame, in the detector's order: highest score first."""
    rectangles, scores, _ = _detector().run(_grey(frame), upsample, 0.0)
    boxes = [(r.left(), r.top(), r.right(), r.bottom()) for r in rectangles]
    return Found(np.array(boxes, np.float64).reshape(-1, 4), np.array(scores, np.float64))


def detected_enlarged(frame: NDArray[np.uint8]) -> Found:
    """Faces of 40 px and more, looked for in the frame at twice its size; boxes in px of the frame itself."""
    return detected(frame, upsample=1)


def detected_in_709(frame: NDArray[np.uint8]) -> Found:
    """As ``detected``, in the grey of scikit-image's rgb2gray."""
    return detected(_grey_709(frame))


def landmarks68(frame: NDArray[np.uint8], boxes: NDArray[Any]) -> NDArray[np.float32]:
    """The 68 landmarks of iBUG 300-W in whole px for (faces, 4) boxes of one frame: (faces, 68, 2)."""
    import dlib

    grey, predict = _grey(frame), predictor()
    shapes = [predict(grey, dlib.rectangle(*(int(value) for value in np.rint(box)))) for box in boxes]
    return np.array([[(p.x, p.y) for p in shape.parts()] for shape in shapes], np.float32).reshape(-1, 68, 2)


def landmarks68_in_709(frame: NDArray[np.uint8], boxes: NDArray[Any]) -> NDArray[np.float32]:
    """As ``landmarks68``, in the grey of scikit-image's rgb2gray."""
    return landmarks68(_grey_709(frame), boxes)


def landmarks68_x4(
    frame: NDArray[np.uint8], boxes: NDArray[Any], *, starts: NDArray[np.float64] = STARTS
) -> NDArray[np.float32]:
    """As ``landmarks68``, finer: each face is enlarged four times (bilinear), and the mean of four readings taken.

    Whole px are coarse for an eyelid; and the predictor compares single pixels, which enlarging smooths. ``starts``
    (readings, 2) are where the readings begin beside the box, in its widths; each takes 3 ms.
    """
    grey = _grey(frame)
    fine = [_fine(grey, box, starts) for box in np.asarray(boxes, np.float64)]
    return np.array(fine, np.float32).reshape(-1, 68, 2)


def _fine(grey: NDArray[np.uint8], box: NDArray[np.float64], starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 68 landmarks of the face in one box."""
    import dlib

    width, predict = box[2] - box[0], predictor()
    around = np.rint(box + MARGIN * width * np.array([-1, -1, 1, 1]))
    left, top, right, bottom = (int(value) for value in np.clip(around, 0, np.tile(grey.shape[::-1], 2)))
    large = cv2.resize(grey[top:bottom, left:right], None, fx=X4, fy=X4, interpolation=cv2.INTER_LINEAR)
    corner = np.array([left, top])
    begun = (box - np.tile(corner, 2) + width * np.tile(starts, 2) + 0.5) * X4 - 0.5
    shapes = [predict(large, dlib.rectangle(*start)) for start in np.rint(begun).astype(int).tolist()]
    points = np.array([[(p.x, p.y) for p in shape.parts()] for shape in shapes])
    return np.asarray((points.mean(axis=0) + 0.5) / X4 - 0.5 + corner)


def descriptors(frame: NDArray[np.uint8], points: NDArray[Any]) -> NDArray[np.float32]:
    """Dlib's face descriptors for (faces, 68, 2) landmarks of one frame: (faces, 128), compared by distance.

    Two pictures of one person are nearer than 0.6 as a rule. Takes about 65 ms a face and core.
    """
    import dlib

    faces = np.empty((len(points), SIDE_PX, SIDE_PX, 3), np.uint8)
    for face, marks in zip(faces, np.rint(points).astype(int), strict=True):
        around = dlib.rectangle(*(int(value) for value in (*marks.min(axis=0), *marks.max(axis=0))))
        shape = dlib.full_object_detection(around, [dlib.point(int(x), int(y)) for x, y in marks])
        face[:] = dlib.get_face_chip(frame, shape, size=SIDE_PX)
    return descriptors_of(faces)


def predictor() -> Any:
    """The predictor of 68 landmarks, read once."""
    import dlib

    return read_once("dlib-68", lambda file: dlib.shape_predictor(str(file)))


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)


def _grey_709(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same frame in grey, three equal channels, of BT.709's weights as scikit-image has them, rounded."""
    grey = np.rint((frame / 255.0) @ WEIGHTS_709 * 255.0).astype(np.uint8)
    return np.asarray(grey[..., None].repeat(3, axis=-1), np.uint8)
