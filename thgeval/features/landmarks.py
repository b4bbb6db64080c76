"""Sixty-eight points on every face that was found: iBUG 300-W's, in px of the frame.

A *chain* is a detector and a landmark model that belong together; its name stands in signatures, and so do its weights.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import feature
from thgeval.features.faces import SLOTS, Backend, Faces, bytes_of, faces
from thgeval.features.frames import rgb
from thgeval.media.frames import FrameBatch


class Chain(NamedTuple):
    """A landmark model and the detector whose boxes it was made for."""

    detector: str
    landmarks: Backend


CHAINS: Mapping[str, Chain] = MappingProxyType(
    {
        "dlib": Chain("dlib", Backend("dlib_models:landmarks68", packages=(("dlib", "faces"),), weights=("dlib-68",))),
    }
)
"""Landmark functions take a (height, width, 3) uint8 RGB frame and (faces, 4) boxes and give (faces, 68, 2)."""


@feature(
    rgb,
    lambda model, follow: faces(detector=CHAINS[model].detector, follow=follow),
    version=1,
    weights=lambda model, **_: CHAINS[model].landmarks.weights,
    packages=lambda model, **_: CHAINS[model].landmarks.packages,
)
def landmarks(frames: FrameBatch, found: Faces, *, model: str = "dlib", follow: str = "every") -> NDArray[np.float32]:
    """68 points of every face in every frame: (frames, SLOTS, 68, 2), NaN where there is no face."""
    points = np.full((len(frames), SLOTS, 68, 2), np.nan, np.float32)
    mark = CHAINS[model].landmarks.load()
    for frame, pixels in enumerate(bytes_of(frames)):
        held = ~np.isnan(found.boxes[frame, :, 0])
        if held.any():
            points[frame, held] = mark(pixels, found.boxes[frame, held])
    return points
