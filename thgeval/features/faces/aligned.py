"""Faces turned upright in squares of 128 px, as ATVGnet and EAT cut them before they measure landmarks.

The first face of each frame is turned, scaled and moved so that the landmarks of its nose and eyes (27 to 44) lie
nearest to those of a base shape. The original's shapes (``base_68.npy``, another for closed eyes) were never described;
here it is the generic face of ``template``, as wide as faces are in its pictures. So sizes in px are of that kind, and
not the same.

Landmarks of such squares are those of a feature that rests on them: ``resting_on(shapes(...), old=rgb,
new=aligned_faces())``.

Source: yuangan/evaluation_eat ``code/utils_crop.py``, after lelechen63/ATVGnet: warped to 163 x 163, rows and columns 1
to 128 of it kept.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import feature
from thgeval.features.faces.crops import similarity, warped
from thgeval.features.faces.detection import bytes_of
from thgeval.features.faces.landmarks import landmarks
from thgeval.features.faces.template import GENERIC_FACE
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch

SIDE_PX = 128
PX_PER_MM = 0.64
NOSE_ROOT_PX = (64.5, 47.0)
USED = slice(27, 45)

BASE = GENERIC_FACE[:, :2] * PX_PER_MM + NOSE_ROOT_PX
"""The base shape, (68, 2) in px of the square."""


@feature(rgb, lambda model, follow: landmarks(model=model, follow=follow), version=1)
def aligned_faces(
    frames: FrameBatch, points: NDArray[np.float32], *, model: str = "dlib", follow: str = "every"
) -> FrameBatch:
    """The first face of every frame in a square of 128 px, 8-bit; frames without a face are black."""
    pixels: NDArray[Any] = np.zeros((len(frames), SIDE_PX, SIDE_PX, 3), np.uint8)
    for out, frame, marks in zip(pixels, bytes_of(frames), points[:, 0], strict=True):
        if not np.isnan(marks).any():
            out[:] = upright(frame, marks)
    return replace(frames, pixels=pixels, peak=255.0, lead=0)


def upright(frame: NDArray[np.uint8], points: NDArray[Any]) -> NDArray[np.uint8]:
    """The face with these (68, 2) landmarks over the base shape: (128, 128, 3)."""
    return warped(frame, similarity(points[USED], BASE[USED]), SIDE_PX)
