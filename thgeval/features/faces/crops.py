"""Faces cut out of frames: turned, scaled and moved so that named points come to lie on a template.

The five points are the eyes' centres, the tip of the nose and the corners of the mouth, from left to right as seen.
``ARCFACE_PX`` is where recognisers of the ArcFace family expect them in a square of 112 px.

Sources: deepinsight/insightface ``python-package/insightface/utils/face_align.py`` (the template, the similarity, black
beyond the frame); Umeyama, IEEE TPAMI 13(4), 1991 (the similarity of least squares).
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

ARCFACE_PX = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
ARCFACE_SIDE_PX = 112

Points = NDArray[np.floating]
Image = NDArray[np.uint8]


def similarity(points: Points, template: Points) -> NDArray[np.float64]:
    """Rotation, scale and shift, (2, 3), that bring points nearest to a template, both (n, 2), in squared distance.

    It never mirrors. In the plane this is one complex division: Umeyama's solution wherever his doesn't mirror either.
    """
    source, target = (np.asarray(values, np.float64) @ (1, 1j) for values in (points, template))
    centre, goal = source.mean(), target.mean()
    source, target = source - centre, target - goal
    turn = np.vdot(source, target) / np.vdot(source, source).real
    shift = goal - turn * centre
    return np.array([(turn.real, -turn.imag, shift.real), (turn.imag, turn.real, shift.imag)])


def warped(frame: Image, matrix: NDArray[np.float64], side_px: int) -> Image:
    """A square of the frame under a (2, 3) map from frame to square, bilinear, black beyond the frame."""
    return np.asarray(cv2.warpAffine(frame, matrix, (side_px, side_px), borderValue=0), np.uint8)


def arcface(frame: Image, points: Points) -> Image:
    """The face with these five points on the ArcFace template: (112, 112, 3)."""
    return warped(frame, similarity(points, ARCFACE_PX), ARCFACE_SIDE_PX)


def boxed(frame: Image, box: Points, side_px: int) -> Image:
    """What a box holds of the frame, one px at least, averaged into a square: (side, side, 3)."""
    height, width = frame.shape[:2]
    left, top, right, bottom = (int(value) for value in box)
    left, top = int(np.clip(left, 0, width - 1)), int(np.clip(top, 0, height - 1))
    held = frame[top : max(bottom, top + 1), left : max(right, left + 1)]
    return np.asarray(cv2.resize(held, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def window(frame: Image, corners: Iterable[float], side_px: int) -> Image:
    """What lies between whole corners (left, top, right, bottom), black beyond the frame: (side, side, 3), bilinear."""
    left, top, right, bottom = (int(value) for value in corners)
    height, width = frame.shape[:2]
    held = np.zeros((max(bottom - top, 1), max(right - left, 1), 3), np.uint8)
    inside = frame[max(top, 0) : max(min(bottom, height), 0), max(left, 0) : max(min(right, width), 0)]
    down, across = max(-top, 0), max(-left, 0)
    held[down : down + inside.shape[0], across : across + inside.shape[1]] = inside
    return np.asarray(cv2.resize(held, (side_px, side_px), interpolation=cv2.INTER_LINEAR), np.uint8)
