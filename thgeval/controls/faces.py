"""What is pasted by landmarks, on any video with a face: a mouth that stands still, eyes that never shut.

Landmarks are dlib's 68 (the extra ``faces``). What speech and lids don't move (bridge of the nose, corners of the eyes,
ends of the jaw) says how the face of one frame lies in another: a similarity, smoothed a little in time. Inside a mask
with soft edges the frame shows the other one's pixels.

Frames are (height, width, 3) ``uint8`` RGB, read more than once from the first to the last: arrays, or anything else
that begins anew with every ``iter``.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError

Levels: TypeAlias = NDArray[np.uint8]
Points: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.float32]

STEADY = (0, 16, 27, 28, 29, 30, 36, 39, 42, 45)
"""Landmarks that speech and lids don't move: ends of the jaw, bridge of the nose, corners of the eyes."""
JAW = tuple(range(3, 14))
MOUTH = tuple(range(48, 68))
EYES = (tuple(range(36, 42)), tuple(range(42, 48)))
BROWS = (tuple(range(17, 22)), tuple(range(22, 27)))
SMOOTH_FRAMES = 1.0
FEATHER = 0.06
"""How soft the mask's edge is, in distances between the outer corners of the eyes."""
SHUT = 0.8
"""Eyes are shut, or on their way, below this share of the median of their aspect ratio in the clip."""
AROUND_FRAMES = 2
"""Frames beside a blink in which the lids may move already."""


def marked(frames: Iterable[Levels]) -> Points:
    """The 68 landmarks of the one face in every frame, gaps bridged in time; (frames, 68, 2) px.

    Raises InputError, reason ``no face``, if fewer than half of the frames show one, or the first doesn't.
    """
    from thgeval.features.faces.dlib_models import detected_enlarged, landmarks68_x4

    found: list[Points | None] = []
    for frame in frames:
        boxes = detected_enlarged(frame).boxes
        found.append(np.asarray(landmarks68_x4(frame, boxes[:1])[0], np.float64) if len(boxes) else None)
    seen = [index for index, points in enumerate(found) if points is not None]
    if not found or found[0] is None or 2 * len(seen) < len(found):
        raise InputError(
            f"a face is found in {len(seen)} of {len(found)} frames, or not in the first", reason="no face"
        )
    known = np.stack([points for points in found if points is not None]).reshape(len(seen), -1)
    index = np.arange(len(found))
    return np.stack([np.interp(index, seen, column) for column in known.T], axis=-1).reshape(-1, 68, 2)


def with_frozen_mouth(frames: Iterable[Levels], points: Points) -> Iterator[Levels]:
    """The same frames with the first one's mouth throughout; ``points`` are their landmarks (``marked``)."""
    first = next(iter(frames))
    mask = _lower_face(points[0], first.shape[:2])
    ways = _smoothed(np.stack([_similarity(points[0], each) for each in points]))
    for index, (frame, way) in enumerate(zip(frames, ways, strict=True)):
        yield _pasted(frame, first, mask, way) if index else frame


def without_blinks(frames: Iterable[Levels], points: Points) -> Iterator[Levels]:
    """The same frames with the eyes of the last frame before each blink; of the first one after it where none is.

    ``points`` are their landmarks (``marked``). Raises InputError, reason ``eyes shut``, where eyes never open.
    """
    eyes_of = open_eyed(points)
    later = eyes_of[0]
    held = next(islice(iter(frames), int(later), None))
    source = int(later)
    for index, frame in enumerate(frames):
        wanted = int(eyes_of[index])
        if wanted == index:
            held, source = frame, index
            yield frame
            continue
        way = _similarity(points[source], points[index])
        yield _pasted(frame, held, _around_eyes(points[source], frame.shape[:2]), way)


def open_eyed(points: Points) -> NDArray[np.intp]:
    """For each frame, by its landmarks (frames, 68, 2), the one whose eyes it is to show: its own, or an open one's."""
    from thgeval.features.faces.eyes import aspect

    ratios = np.mean([aspect(points[:, list(eye)]) for eye in EYES], axis=0)
    is_shut = ratios < SHUT * np.median(ratios)
    near = [is_shut[max(0, at - AROUND_FRAMES) : at + AROUND_FRAMES + 1].any() for at in range(len(points))]
    opened = np.flatnonzero(~np.array(near, bool))
    if not len(opened):
        raise InputError("there is no frame whose eyes are open", reason="eyes shut")
    before = np.searchsorted(opened, np.arange(len(points)), side="right") - 1
    return np.asarray(opened[np.maximum(before, 0)])


def _pasted(frame: Levels, other: Levels, mask: Mask, way: Points) -> Levels:
    """A frame with what another shows inside a mask of that other one, brought there by a similarity."""
    matrix, (height, width) = way.reshape(2, 3), frame.shape[:2]
    moved = cv2.warpAffine(other, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    soft = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_LINEAR)[..., None]
    return np.rint(frame * (1 - soft) + np.asarray(moved, np.float32) * soft).astype(np.uint8)


def _similarity(source: Points, target: Points) -> Points:
    """The similarity that takes the steady landmarks of one face to another's: six numbers, two rows of three."""
    source, target = source[list(STEADY)], target[list(STEADY)]
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


def _lower_face(points: Points, shape: tuple[int, ...]) -> Mask:
    """How much of the lower face is taken at each pixel, 0 to 1: below the nose, inside the jaw."""
    nose = points[33]
    below = nose + 0.25 * (points[51] - nose)
    jaw = points[list(JAW)]
    inward = jaw + 0.12 * (points[list(MOUTH)].mean(axis=0) - jaw)
    return _soft([np.concatenate([inward, below[None]])], points, shape)


def _around_eyes(points: Points, shape: tuple[int, ...]) -> Mask:
    """How much of the eyes is taken at each pixel, 0 to 1: from below the brows to as far below the lids."""
    areas = []
    for eye, brow in zip(EYES, BROWS, strict=True):
        own = points[list(eye)]
        middle = own.mean(axis=0)
        upward = points[list(brow)].mean(axis=0) - middle
        wider = middle + 1.25 * (own - middle)
        areas.append(np.concatenate([wider, wider + 0.45 * upward, wider - 0.35 * upward]))
    return _soft(areas, points, shape)


def _soft(areas: list[Points], points: Points, shape: tuple[int, ...]) -> Mask:
    """The hulls of some areas with edges as soft as the face is large."""
    mask = np.zeros(shape, np.float32)
    for area in areas:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(area).astype(np.int32)), 1.0)
    sigma = FEATHER * float(np.linalg.norm(points[45] - points[36]))
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(sigma, 0.5)), np.float32)
