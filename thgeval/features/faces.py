"""Where faces are: boxes of every face that a detector finds in a frame, in its own order.

Every face is found and measured; who of them counts is chosen afterwards (``people``), so that choosing needs no pixels
and can look at the whole clip.

Boxes are left, top, right, bottom in px of the frame, pixel centres at whole numbers. Faces stand in ``SLOTS`` slots a
frame, in the order the detector lists them; slots without a face are NaN. ``counts`` says how many there were, which
may be more.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Packages, feature
from thgeval.features.frames import rgb
from thgeval.media.frames import FrameBatch

SLOTS = 8

Array = NDArray[np.float32]


class Found(NamedTuple):
    """Faces of one frame as a detector gives them: (faces, 4) boxes, (faces,) scores, (faces, 5, 2) points or None."""

    boxes: NDArray[Any]
    scores: NDArray[Any]
    points: NDArray[Any] | None = None


class Faces(NamedTuple):
    """Faces of consecutive frames.

    ``boxes`` is (frames, SLOTS, 4), ``scores`` (frames, SLOTS), ``points`` (frames, SLOTS, 5, 2): the eyes' centres,
    the tip of the nose and the corners of the mouth, from left to right as seen, NaN if the detector has none;
    ``counts`` (frames,) is how many faces there were and ``size`` (frames, 2) the width and height of the frame.
    """

    boxes: Array
    scores: Array
    points: Array
    counts: NDArray[np.int64]
    size: NDArray[np.int64]


class Backend(NamedTuple):
    """Code behind a name: ``module:function`` below ``thgeval.features``, and what must be there to run it."""

    where: str
    packages: Packages = ()
    weights: tuple[str, ...] = ()

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        module, _, name = self.where.partition(":")
        found: Callable[..., Any] = getattr(import_module(f"thgeval.features.{module}"), name)
        return found


DETECTORS: Mapping[str, Backend] = MappingProxyType(
    {
        "dlib": Backend("dlib_models:detected", packages=(("dlib", "faces"),)),
    }
)
"""Functions from (height, width, 3) uint8 RGB to ``Found``."""

FOLLOWS = ("every",)


@feature(rgb, version=1, packages=lambda detector, **_: DETECTORS[detector].packages)
def faces(frames: FrameBatch, *, detector: str = "dlib", follow: str = "every") -> Faces:
    """Faces of every frame; ``follow`` says in which frames the detector looks (``every``)."""
    if follow not in FOLLOWS:
        raise ProtocolError(f"follow must be one of {', '.join(FOLLOWS)}, not {follow!r}")
    detect = DETECTORS[detector].load()
    return slotted([detect(frame) for frame in bytes_of(frames)], frames.new.shape[1:3])


def slotted(found: list[Found], shape: tuple[int, int]) -> Faces:
    """Faces of single frames side by side in slots; ``shape`` is the frames' height and width."""
    frames = len(found)
    boxes = np.full((frames, SLOTS, 4), np.nan, np.float32)
    scores = np.full((frames, SLOTS), np.nan, np.float32)
    points = np.full((frames, SLOTS, 5, 2), np.nan, np.float32)
    for frame, (where, sure, marks) in enumerate(found):
        used = min(len(where), SLOTS)
        boxes[frame, :used], scores[frame, :used] = where[:used], sure[:used]
        if marks is not None:
            points[frame, :used] = marks[:used]
    counts = np.array([len(where) for where, _, _ in found], np.int64)
    return Faces(boxes, scores, points, counts, np.tile(np.array(shape[::-1], np.int64), (frames, 1)))


def bytes_of(frames: FrameBatch) -> NDArray[np.uint8]:
    """The new frames as 8-bit RGB, which detectors read: floats are scaled by their peak and rounded."""
    if frames.new.dtype == np.uint8:
        return np.asarray(frames.new)
    return np.asarray(np.clip(np.rint(frames.new * (255.0 / frames.peak)), 0, 255), np.uint8)
