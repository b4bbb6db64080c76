"""A mouth that stands still while the head moves, on any video: the first frame's lower face, pasted where it belongs.

Landmarks are dlib's 68 (the extra ``faces``). What the mouth doesn't move (bridge of the nose, corners of the eyes,
ends of the jaw) says how the lower face of the first frame lies in each other one: a similarity, smoothed a little in
time. Inside a mask with soft edges around mouth and chin the frame shows the first one's pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval_baselines.controls.frames import Frames

Points = NDArray[np.float64]

STEADY = (0, 16, 27, 28, 29, 30, 36, 39, 42, 45)
"""Landmarks that speech doesn't move: ends of the jaw, bridge of the nose, corners of the eyes."""
JAW = tuple(range(3, 14))
MOUTH = tuple(range(48, 68))
SMOOTH_FRAMES = 1.0
FEATHER = 0.06
"""How soft the mask's edge is, in distances between the outer corners of the eyes."""


def marked(frames: Frames) -> Points:
    """The 68 landmarks of the one face in every frame, gaps bridged in time; (frames, 68, 2) px.

    Raises InputError, reason ``no face``, if fewer than half of the frames show one, or the first doesn't.
    """
    from thgeval.features.faces.dlib_models import detected_enlarged, landmarks68_x4

    found: list[Points | None] = []
    for frame in frames:
        boxes = detected_enlarged(frame).boxes
        found.append(np.asarray(landmarks68_x4(frame, boxes[:1])[0], np.float64) if len(boxes) else None)
    seen = [index for index, points in enumerate(found) if points is not None]
    if found[0] is None or 2 * len(seen) < len(found):
        raise InputError(
            f"a face is found in {len(seen)} of {len(found)} frames, or not in the first", reason="no face"
        )
    known = np.stack([points for points in found if points is not None]).reshape(len(seen), -1)
    index = np.arange(len(found))
    return np.stack([np.interp(index, seen, column) for column in known.T], axis=-1).reshape(-1, 68, 2)


def frozen_mouth(frames: Frames) -> Frames:
    """The same frames with the first one's mouth throughout."""
    points = marked(frames)
    ways = _smoothed(np.stack([_similarity(points[0][list(STEADY)], each[list(STEADY)]) for each in points]))
    height, width = frames.shape[1:3]
    mask = _mask(points[0], (height, width))
    made = [frames[0]]
    for frame, way in zip(frames[1:], ways[1:], strict=True):
        matrix = way.reshape(2, 3)
        pasted = cv2.warpAffine(
            frames[0], matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        soft = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)[..., None]
        made.append(np.rint(frame * (1 - soft) + np.asarray(pasted, np.float32) * soft).astype(np.uint8))
    return np.stack(made)


def _similarity(source: Points, target: Points) -> Points:
    """The similarity that takes one set of points to the other, by least squares: six numbers, two rows of three."""
    centre, aim = source.mean(axis=0), target.mean(axis=0)
    ours, theirs = source - centre, target - aim
    power = float((ours**2).sum())
    a = float((ours * theirs).sum()) / power
    b = float((ours[:, 0] * theirs[:, 1] - ours[:, 1] * theirs[:, 0]).sum()) / power
    turn = np.array([[a, -b], [b, a]])
    return np.concatenate([turn, (aim - turn @ centre)[:, None]], axis=1).reshape(-1)


def _smoothed(ways: Points) -> Points:
    from scipy.ndimage import gaussian_filter1d

    return np.asarray(gaussian_filter1d(ways, SMOOTH_FRAMES, axis=0, mode="nearest"))


def _mask(points: Points, shape: tuple[int, int]) -> NDArray[np.float32]:
    """How much of the lower face is taken at each pixel, 0 to 1: below the nose, inside the jaw."""
    nose = points[33]
    below = nose + 0.25 * (points[51] - nose)
    jaw = points[list(JAW)]
    inward = jaw + 0.12 * (points[list(MOUTH)].mean(axis=0) - jaw)
    hull = cv2.convexHull(np.rint(np.concatenate([inward, below[None]])).astype(np.int32))
    mask = np.zeros(shape, np.float32)
    cv2.fillConvexPoly(mask, hull, 1.0)
    sigma = FEATHER * float(np.linalg.norm(points[45] - points[36]))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.5)), np.float32)
