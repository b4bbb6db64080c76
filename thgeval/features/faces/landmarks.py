"""Sixty-eight points on every face that was found: iBUG 300-W's, in px of the frame.

A *chain* is a detector and a landmark model that belong together; its name stands in signatures, and so do its weights.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import feature
from thgeval.features.faces.detection import DLIB, SLOTS, Backend, Faces, bytes_of, faces
from thgeval.media.frames import FrameBatch
from thgeval.networks import TORCH
from thgeval.requirements import Weights

Mark = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.float32]]


class Chain(NamedTuple):
    """A landmark model and the detector whose boxes it was made for."""

    detector: str
    landmarks: Backend


DLIB_68 = (DLIB, Weights("dlib-68"))
BASIS_3DDFA = ("3ddfa-mean-shape", "3ddfa-shape-basis", "3ddfa-expression-basis")

CHAINS: Mapping[str, Chain] = MappingProxyType(
    {
        "dlib": Chain("dlib", Backend("dlib_models:landmarks68", DLIB_68)),
        "dlib-709": Chain("dlib-709", Backend("dlib_models:landmarks68_in_709", DLIB_68)),
        "dlib-detected-x2": Chain("dlib-x2", Backend("dlib_models:landmarks68", DLIB_68)),
        "dlib-x4": Chain("dlib", Backend("dlib_models:landmarks68_x4", DLIB_68)),
        "mediapipe": Chain("mediapipe", Backend("face_mesh:landmarks68", reads="face_mesh:face_mesh")),
        "fan": Chain("s3fd", Backend("fan:landmarks68", (TORCH, Weights("fan-2d")))),
        "3ddfa": Chain("yunet", Backend("tddfa:landmarks68", tuple(map(Weights, BASIS_3DDFA)), reads="tddfa:tddfa")),
    }
)
"""Landmark functions take a (height, width, 3) uint8 RGB frame and (faces, 4) boxes and give (faces, 68, 2); those that
read what a network has seen give (frames, SLOTS, 68, 2)."""


GIVEN = "npz"
"""Landmarks that a file beside the clip holds: see ``given``."""

MODELS = (*CHAINS, GIVEN)


def detector_of(model: str) -> str:
    """The detector of a chain; a detector's own name stands for itself, where no landmarks are needed."""
    if model == GIVEN:
        raise ProtocolError(f"landmarks={GIVEN} finds no faces, which this needs; choose one of {', '.join(CHAINS)}")
    return CHAINS[model].detector if model in CHAINS else model


@feature(
    lambda model, follow: CHAINS[model].landmarks.source(follow),
    lambda model, follow: faces(detector=CHAINS[model].detector, follow=follow),
    version=1,
    requires=lambda model, **_: CHAINS[model].landmarks.requires,
)
def landmarks(source: Any, found: Faces, *, model: str = "dlib", follow: str = "every") -> NDArray[np.float32]:
    """68 points of every face in every frame: (frames, SLOTS, 68, 2), NaN where there is no face."""
    backend = CHAINS[model].landmarks
    if backend.reads:
        seen: NDArray[np.float32] = backend.load()(source)
        return seen
    return marked(source, found, backend.load())


def marked(frames: FrameBatch, found: Faces, mark: Mark) -> NDArray[np.float32]:
    """What ``mark`` finds in each frame's faces, NaN in slots without one: (frames, SLOTS, 68, 2)."""
    points = np.full((len(frames), SLOTS, 68, 2), np.nan, np.float32)
    for frame, pixels in enumerate(bytes_of(frames)):
        held = ~np.isnan(found.boxes[frame, :, 0])
        if held.any():
            points[frame, held] = mark(pixels, found.boxes[frame, held])
    return points


FIVE = ((36, 39), (42, 45), (30,), (48,), (54,))
"""The 68 landmarks whose means are the five points."""


@feature(
    lambda of, follow: (
        landmarks(model=of, follow=follow) if of in CHAINS else faces(detector=detector_of(of), follow=follow)
    ),
    version=1,
)
def five_points(source: Any, *, of: str, follow: str = "every") -> NDArray[np.float32]:
    """Eyes, tip of the nose and corners of the mouth of every face, by a chain or a detector: (frames, SLOTS, 5, 2).

    Those of a chain are means of its 68 landmarks, an eye's those of its two corners; a detector has its own.
    """
    if isinstance(source, Faces):
        return source.points
    return np.stack([source[:, :, list(points)].mean(axis=2) for points in FIVE], axis=2)
