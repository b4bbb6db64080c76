"""A portrait of the user's own: its face is found, its landmarks read, and the picture brought into shape.

    face = given(Path("me.jpg"))
    sized(face, (480, 640))                  # the picture at that size, with its landmarks
    Head.of(framed(face, (480, 640)))        # the same on a square whose upper left it fills
    Head.of(cropped(face, size=256))         # upright, as pseudo-identities are

dlib reads the 68 landmarks (the extra ``faces``; its model excludes commercial use). Conventions: see ``portrait``.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from thgeval.errors import InputError, MissingExtra
from thgeval.limits import content
from thgeval.media.image import portrait as decoded
from thgeval_baselines.photo.portrait import CROP_SIDE, Image, Points, Portrait

NO_FACE = "no face"
"""The reason of an ``InputError`` where nobody is seen."""

EYES_PX = 60.0
"""Distance of the outer eye corners in the photograph that ``CROP_SIDE`` belongs to."""

SMALLEST_EYES_PX = 20.0
PARTING = 0.004
"""How far apart inner lips are at least, in eye distances: readings of closed lips may cross."""

UPPER, LOWER = (61, 62, 63), (67, 66, 65)


@dataclass(frozen=True, eq=False)
class Given:
    """A picture (height, width, 3) RGB and the (68, 2) landmarks of its largest face in px; ``name`` is for errors."""

    image: Image
    landmarks: Points
    name: str = "the picture"


def given(path: Path) -> Given:
    """The picture in a file and the landmarks of the largest face in it.

    Raises ``InputError`` for a file that is no image, and for one without a frontal face that is large enough.
    """
    return found(decoded(content(path, "image_bytes"), path.name), path.name)


def found(image: Image, name: str = "the picture") -> Given:
    """The same for an image (height, width, 3) RGB that is called ``name`` in errors."""
    if find_spec("dlib") is None:
        raise MissingExtra("finding the face of a portrait", extra="faces")
    marks = landmarks_in(image)
    if marks is None:
        marks = landmarks_in(image, small=True)
    if marks is None:
        raise InputError(f"no face is found in {name}, give a picture of one frontal face", reason=NO_FACE)
    eyes_px = float(np.linalg.norm(marks[45] - marks[36]))
    if eyes_px < SMALLEST_EYES_PX:
        raise InputError(
            f"the face in {name} is too small: {eyes_px:.0f} px between the eyes, give {SMALLEST_EYES_PX:.0f} at least",
            reason="small face",
        )
    return Given(image, _parted(marks, eyes_px), name)


def landmarks_in(image: Image, *, small: bool = False) -> Points | None:
    """The landmarks (68, 2) px of the largest face of 80 px and more, or of a ``small`` one from 40 px; None if none.

    They are as they were read: inner lips may cross.
    """
    from thgeval.features.faces import dlib_models as dlib

    boxes = (dlib.detected_enlarged if small else dlib.detected)(image).boxes
    if not len(boxes):
        return None
    largest = boxes[np.argmax((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))][None]
    return np.asarray(dlib.landmarks68_x4(image, largest)[0], np.float64)


def _parted(marks: Points, eyes_px: float) -> Points:
    """The landmarks with the lower inner lip below the upper one, and corners that don't lie between their lips."""
    parted = marks.copy()
    for upper, lower in zip(UPPER, LOWER, strict=True):
        lacking = max(0.0, PARTING * eyes_px - (marks[lower, 1] - marks[upper, 1]))
        parted[upper, 1] -= lacking / 2
        parted[lower, 1] += lacking / 2
    order = np.argsort(parted[[60, 61, 62, 63, 64], 0])
    if not np.array_equal(order, np.arange(5)) or np.any(np.diff(parted[[60, 67, 66, 65, 64], 0]) <= 0):
        spread = np.linspace(parted[48, 0], parted[54, 0], 7)[1:-1]
        parted[[60, 61, 62, 63, 64], 0] = spread
        parted[[67, 66, 65], 0] = spread[1:-1]
    return parted


def cropped(face: Given, *, size: int) -> Portrait:
    """A square of ``size`` px round the face, its eyes level, as large in it as pseudo-identities are."""
    image, landmarks, eyes_px = face.image, face.landmarks, size / CROP_SIDE * EYES_PX
    height, width = image.shape[:2]
    share = eyes_px / float(np.linalg.norm(landmarks[45] - landmarks[36]))
    if share < 1:  # averaged first: a turn alone would leave pixels out
        smaller = max(1, round(height * share)), max(1, round(width * share))
        image = fitting(image, smaller, whole=True)
        landmarks = (landmarks + 0.5) * (np.array(smaller[::-1]) / (width, height)) - 0.5
    between = landmarks[45] - landmarks[36]
    across, down = eyes_px * between / (between @ between)
    turn = np.array([[across, down], [-down, across]])
    shift = (size - 1) / 2 - turn @ ((landmarks[45] + landmarks[36]) / 2)
    to_square = np.concatenate([turn, shift[:, None]], axis=1)
    square = cv2.warpAffine(image, to_square, (size, size), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Portrait(np.asarray(square, np.uint8), landmarks @ turn.T + shift)


def sized(face: Given, size: tuple[int, int]) -> Given:
    """The middle of the picture at ``size`` (height, width), with its landmarks there.

    Raises ``InputError`` where eyes, nose or mouth lie outside the middle.
    """
    (height, width), (top, left, high, wide) = face.image.shape[:2], middle(face.image.shape[:2], size)
    marks = (face.landmarks - (left, top) + 0.5) * (size[1] / wide, size[0] / high) - 0.5
    inner = marks[17:]
    if (inner < 0).any() or (inner > np.array(size[::-1]) - 1).any():
        raise InputError(
            f"the face in {face.name} ({width}x{height}) is cut off at {size[1]}x{size[0]}, which keeps the middle: "
            "cut the picture round the face",
            reason="face cut off",
        )
    return Given(fitting(face.image, size), marks, face.name)


def framed(face: Given, size: tuple[int, int]) -> Portrait:
    """The middle of the picture at ``size`` (height, width), on a square canvas whose upper left it fills."""
    shown = sized(face, size)
    side = max(size)
    square = cv2.copyMakeBorder(shown.image, 0, side - size[0], 0, side - size[1], cv2.BORDER_REPLICATE)
    return Portrait(np.asarray(square, np.uint8), shown.landmarks)


def fitting(image: Image, size: tuple[int, int], *, whole: bool = False) -> Image:
    """The middle of a picture in the shape that is wanted, or the ``whole`` of it, brought to ``size`` (height, width).

    What grows is interpolated by cubics, what shrinks averaged.
    """
    top, left, high, wide = (0, 0, *image.shape[:2]) if whole else middle(image.shape[:2], size)
    cut = image[top : top + high, left : left + wide]
    if cut.shape[:2] == size:
        return np.ascontiguousarray(cut)
    way = cv2.INTER_AREA if high > size[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (size[1], size[0]), interpolation=way), np.uint8)


def middle(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Top, left, height and width of the largest middle of a ``shape`` (height, width) that is shaped like ``size``."""
    share = min(shape[0] / size[0], shape[1] / size[1])
    high, wide = round(size[0] * share), round(size[1] * share)
    return (shape[0] - high) // 2, (shape[1] - wide) // 2, high, wide
