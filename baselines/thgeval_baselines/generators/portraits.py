"""The portrait that a generator animates: cut to the picture that is wanted, and its landmarks as dlib reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.limits import content
from thgeval.media.image import portrait
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.ordered import in_order_of

NO_FACE = "no face"


@dataclass(frozen=True, eq=False)
class Face:
    """A picture (height, width, 3) uint8 RGB of one person, and the 68 landmarks (68, 2) of the largest face, in px."""

    image: NDArray[np.uint8]
    landmarks: NDArray[np.float64]


def portrait_of(inputs: Inputs) -> Face:
    """The source image of an item, in the size that is wanted; InputError (``no face``) if nobody is seen in it."""
    if inputs.source_image is None:
        raise InputError(f"{inputs.item} has no source image, which is to be animated", reason="missing")
    path = inputs.source_image
    image = fitting(portrait(content(path, "image_bytes"), path.name), inputs.size)
    found = landmarks_in(image)
    if found is None:
        raise InputError(
            f"{path}: no face is found in the source image; give one that looks to the camera and is 80 "
            "px wide or more",
            reason=NO_FACE,
        )
    return Face(image, found)


def landmarks_in(image: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """The landmarks (68, 2) px of the largest face that dlib finds in a picture, None if it finds none."""
    return _read(_found(image))


def landmarks_of(images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float64] | None]:
    """The same of each picture in order: faces are found by the caller's thread while others read their landmarks."""
    return in_order_of(_read, map(_found, images))


Seen = tuple[NDArray[np.uint8], NDArray[np.float32]]


def _found(image: NDArray[np.uint8]) -> Seen:
    """A picture and the box of the largest face in it: (1, 4), or (0, 4) if there is none."""
    from thgeval.features.faces import dlib_models

    boxes = dlib_models.detected(image).boxes.astype(np.float32)
    return image, boxes[np.argsort(-(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), kind="stable")[:1]]


def _read(seen: Seen) -> NDArray[np.float64] | None:
    from thgeval.features.faces import dlib_models

    marks = dlib_models.landmarks68_x4(*seen)
    return np.asarray(marks[0], np.float64) if len(marks) else None


def fitting(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of a picture in the shape that is wanted, brought to that size (height, width)."""
    height, width = image.shape[:2]
    share = min(height / size[0], width / size[1])
    high, wide = round(size[0] * share), round(size[1] * share)
    top, left = (height - high) // 2, (width - wide) // 2
    cut = image[top : top + high, left : left + wide]
    if cut.shape[:2] == size:
        return np.ascontiguousarray(cut)
    way = cv2.INTER_AREA if share > 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (size[1], size[0]), interpolation=way), np.uint8)
