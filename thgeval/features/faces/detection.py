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

from thgeval.feature import Feature, Requirements, chosen_from, feature
from thgeval.features.faces.tracking import Trail
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.networks import TORCH, as_bytes
from thgeval.requirements import Package, Weights

SLOTS = 8
DLIB = Package("dlib", extra="faces")

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
    """Code behind a name: ``module:function`` below ``thgeval.features``, and what must be there to run it.

    ``reads`` is the ``module:feature`` of a network that has seen all frames and faces already, once for all who ask,
    a feature of frames that takes ``follow``. The function then takes its value instead of pixels.
    """

    where: str
    requires: Requirements = ()
    reads: str = ""

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        found: Callable[..., Any] = _loaded(self.where)
        return found

    def source(self, follow: str) -> Feature[Any]:
        """The feature that the function takes: ``rgb``, or the one that it reads."""
        found: Feature[Any] = _loaded(self.reads)(follow=follow) if self.reads else rgb
        return found


def _loaded(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"thgeval.features.faces.{module}"), name)


DETECTORS: Mapping[str, Backend] = MappingProxyType(
    {
        "dlib": Backend("dlib_models:detected", (DLIB,)),
        "dlib-709": Backend("dlib_models:detected_in_709", (DLIB,)),
        "dlib-x2": Backend("dlib_models:detected_enlarged", (DLIB,)),
        "mtcnn": Backend(
            "mtcnn:detected",
            (
                *(TORCH, Package("torchvision", extra="models"), Package("facenet_pytorch", extra="facenet-pytorch")),
                *map(Weights, ("mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet")),
            ),
        ),
        "yunet": Backend("yunet:detected", (Weights("yunet"),)),
        "s3fd": Backend("fan:detected", (TORCH, Weights("s3fd"))),
        "mediapipe": Backend("face_mesh:detected", reads="face_mesh:face_mesh"),
    }
)
"""Functions from (height, width, 3) uint8 RGB to ``Found``, or from what they read to ``Faces``."""

FOLLOWS: Mapping[str, int] = MappingProxyType({"every": 1, "tracked-8": 8})
"""How faces are followed, and how many frames apart the *key* frames are, at which the detector looks in any case."""


@feature(
    lambda detector, follow: DETECTORS[detector].source(follow),
    version=1,
    halo=lambda follow, **_: chosen_from(FOLLOWS, follow=follow) - 1,
    requires=lambda detector, **_: DETECTORS[detector].requires,
)
def faces(source: Any, *, detector: str = "dlib", follow: str = "every") -> Faces:
    """Faces of every frame.

    ``follow`` is ``every``: the detector looks at each frame by itself; or ``tracked-8``: it looks at every eighth
    frame, and between those boxes move along with what they show (``tracking``), and the detector looks where a face is
    lost, or there was none to follow. Then a face that enters beside others is seen at the next key frame, and scores
    and points are those of the detection, the points moved with their box.
    """
    backend, every = DETECTORS[detector], chosen_from(FOLLOWS, follow=follow)
    if backend.reads:
        seen: Faces = backend.load()(source)
        return seen
    return _looked_for(source, backend.load(), every)


def _looked_for(frames: FrameBatch, detect: Callable[[NDArray[np.uint8]], Found], every: int) -> Faces:
    since_key = frames.start % every
    found = followed(bytes_of(frames, earlier=since_key), every, detect)
    return slotted(found[since_key:], frames.new.shape[1:3])


def followed(pixels: NDArray[np.uint8], keys_every: int, detect: Callable[..., Found]) -> list[Found]:
    """Faces of consecutive frames (frames, height, width, 3), of which the first is a key frame."""
    faces: list[Found] = []
    trail: Trail | None = None
    for index, frame in enumerate(pixels):
        trail = trail.into(frame) if trail is not None and index % keys_every else None
        if trail is None:
            found = detect(frame)
            trail = Trail.of(frame, found.boxes) if keys_every > 1 else None
            faces.append(found)
        else:
            faces.append(_at(found, trail.boxes))
    return faces


def _at(found: Found, boxes: NDArray[np.float64]) -> Found:
    """The same faces at other places, their points moved along."""
    if found.points is None:
        return found._replace(boxes=boxes)
    return found._replace(boxes=boxes, points=found.points + (boxes - found.boxes)[:, None, :2])


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


def bytes_of(frames: FrameBatch, *, earlier: int = 0) -> NDArray[np.uint8]:
    """The new frames, and so many before them, as 8-bit RGB, which detectors read.

    Floats are scaled by their peak and rounded.
    """
    return as_bytes(frames.pixels[frames.lead - earlier :], frames.peak)
