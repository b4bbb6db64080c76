"""A portrait of the user's own: its face is found, its landmarks read, and the picture brought into shape.

    face = given(Path("me.jpg"))
    Head.of(cropped(face, size=256))         # upright, as pseudo-identities are
    Head.of(framed(face, (480, 640)))        # as it is, on a square whose upper left is the picture

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

EYES_PX = 60.0
"""Distance of the outer eye corners in the photograph that ``CROP_SIDE`` belongs to."""

SMALLEST_EYES_PX = 20.0
PARTING = 0.004
"""How far apart inner lips are at least, in eye distances: readings of closed lips may cross."""

UPPER, LOWER = (61, 62, 63), (67, 66, 65)


@dataclass(frozen=True, eq=False)
class Given:
    """A picture (height, width, 3) RGB and the (68, 2) landmarks of its largest face in px."""

    image: Image
    landmarks: Points


def given(path: Path) -> Given:
    """The picture in a file and the landmarks of the largest face in it.

    Raises ``InputError`` for a file that is no image, and for one without a frontal face that is large enough.
    """
    return found(decoded(content(path, "image_bytes"), path.name), path.name)


def found(image: Image, name: str = "the picture") -> Given:
    """The same for an image (height, width, 3) RGB that is called ``name`` in errors."""
    if find_spec("dlib") is None:
        raise MissingExtra("finding the face of a portrait", extra="faces")
    from thgeval.features.faces import dlib_models as dlib

    boxes = dlib.detected(image).boxes
    if not len(boxes):
        boxes = dlib.detected_enlarged(image).boxes
    if not len(boxes):
        raise InputError(f"no face is found in {name}, give a picture of one frontal face", reason="no face")
    sides = boxes[:, 2:] - boxes[:, :2]
    largest = boxes[np.argmax(sides.prod(axis=1))][None]
    marks = dlib.landmarks68_x4(image, largest)[0].astype(np.float64)
    eyes_px = float(np.linalg.norm(marks[45] - marks[36]))
    if eyes_px < SMALLEST_EYES_PX:
        raise InputError(
            f"the face in {name} is too small: {eyes_px:.0f} px between the eyes, give {SMALLEST_EYES_PX:.0f} at least",
            reason="small face",
        )
    return Given(image, _parted(marks, eyes_px))


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
    across, down = (face.landmarks[45] - face.landmarks[36]) / np.linalg.norm(face.landmarks[45] - face.landmarks[36])
    scale = size / CROP_SIDE * EYES_PX / float(np.linalg.norm(face.landmarks[45] - face.landmarks[36]))
    turn = scale * np.array([[across, down], [-down, across]])
    centre = (face.landmarks[45] + face.landmarks[36]) / 2
    shift = (size - 1) / 2 - turn @ centre
    to_square = np.concatenate([turn, shift[:, None]], axis=1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    image = cv2.warpAffine(face.image, to_square, (size, size), flags=method, borderMode=cv2.BORDER_REPLICATE)
    return Portrait(np.asarray(image, np.uint8), face.landmarks @ turn.T + shift)


def framed(face: Given, size: tuple[int, int]) -> Portrait:
    """The picture at ``size`` (height, width), on a square canvas whose upper left it fills.

    It is scaled to cover ``size`` and cut evenly where its shape is another.
    """
    height, width = face.image.shape[:2]
    scale = max(size[0] / height, size[1] / width)
    shift = (np.array([size[1], size[0]]) - scale * np.array([width, height])) / 2
    image = face.image
    if scale != 1 or shift.any():
        to_size = np.array([[scale, 0, shift[0] + (scale - 1) / 2], [0, scale, shift[1] + (scale - 1) / 2]])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        scaled = cv2.warpAffine(image, to_size, size[::-1], flags=method, borderMode=cv2.BORDER_REPLICATE)
        image = np.asarray(scaled, np.uint8)
    side = max(size)
    square = cv2.copyMakeBorder(image, 0, side - size[0], 0, side - size[1], cv2.BORDER_REPLICATE)
    return Portrait(np.asarray(square, np.uint8), (face.landmarks + 0.5) * scale - 0.5 + shift)
