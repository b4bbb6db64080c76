"""The portrait that a generator animates: cut to the picture that is wanted, and its landmarks as dlib reads them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.limits import content
from thgeval.media.image import portrait
from thgeval_baselines.generator import Inputs

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
    from thgeval.features.faces import dlib_models

    boxes = dlib_models.detected(image).boxes
    if not len(boxes):
        return None
    largest = np.argmax((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
    marks = dlib_models.landmarks68_x4(image, boxes[largest : largest + 1].astype(np.float32))
    return np.asarray(marks[0], np.float64)


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
