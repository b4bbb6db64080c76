"""MediaPipe's Face Landmarker: 478 points, 52 blendshapes and a rigid transform of every face; free for any use.

It reads each frame as a picture of its own, so that chunks can't change anything, and finds its own faces. It was made
for faces within two metres; small ones escape it.

Newer releases of the package send reports of their use to its makers, whatever they work on; those are refused.

Sources: Kartynnik et al., CVPRW 2019 (the mesh); Bazarevsky et al., CVPRW 2019 (the detector); google-ai-edge/mediapipe
0.10.31, ``face_landmarker.task``, float16, version 1.
"""

import atexit
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError, install_line
from thgeval.feature import Feature, feature
from thgeval.features.faces.alignment import angles, downwards
from thgeval.features.faces.chatter import without
from thgeval.features.faces.detection import SLOTS, Faces, bytes_of
from thgeval.features.faces.people import of_slots
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.networks.memory import read_once
from thgeval.requirements import Package, Weights

WEIGHTS = "face-landmarker"
SILENT = ("0.10.31", "0.10.32", "0.10.33")
"""Releases that were watched to connect to nothing."""

CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|[IW]\d{4} \d\d:|INFO: Created TensorFlow Lite "
)
"""How the lines begin that MediaPipe and its TensorFlow Lite write when they start: notes and warnings, no errors."""

POINTS, BLENDSHAPES = 478, 52
FACE_POINTS = 468  # the rest are irises

# fmt: off
LANDMARKS_68 = np.array([
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 6, 195, 4, 240, 97, 2, 326, 460,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,  # mouth
])
# fmt: on
"""Which points of the mesh stand for the 68 landmarks of iBUG 300-W.

No one has defined this. On the contours of eyes and lips the choice is plain; elsewhere it is the pair of mirrored
points, of the face's outline for the jaw, that lies nearest to dlib's landmarks on seven real clips: 0.03 eye distances
off on average, 0.06 on the jaw, which the mesh takes along the side of the face and 300-W along what is seen of it.
"""


class Mesh(NamedTuple):
    """The faces of consecutive frames, NaN in slots without one.

    ``points`` is (frames, SLOTS, 478, 3) in px, z growing away from the viewer at the scale of x; ``blendshapes``
    (frames, SLOTS, 52) in [0, 1]; ``transforms`` (frames, SLOTS, 4, 4) bring a face in cm, y up and z towards the
    viewer, before a camera of 63 degrees; ``size`` (frames, 2) is the width and height of the frame.
    """

    points: NDArray[np.float32]
    blendshapes: NDArray[np.float32]
    transforms: NDArray[np.float32]
    counts: NDArray[np.int64]
    size: NDArray[np.int64]


@feature(rgb, version=1, requires=(Package("mediapipe", extra="mediapipe"), Weights(WEIGHTS)))
def face_mesh(frames: FrameBatch, *, follow: str = "every") -> Mesh:
    """All faces of every frame; it looks at every one."""
    if follow != "every":
        raise ProtocolError(f"mediapipe looks at every frame; follow must be every, not {follow!r}")
    count, (height, width) = len(frames), frames.new.shape[1:3]
    mesh = Mesh(
        np.full((count, SLOTS, POINTS, 3), np.nan, np.float32),
        np.full((count, SLOTS, BLENDSHAPES), np.nan, np.float32),
        np.full((count, SLOTS, 4, 4), np.nan, np.float32),
        np.zeros(count, np.int64),
        np.tile(np.array([width, height], np.int64), (count, 1)),
    )
    for frame, pixels in enumerate(bytes_of(frames)):
        seen = _seen(pixels)
        mesh.counts[frame] = len(seen.face_landmarks)
        for slot in range(len(seen.face_landmarks)):
            points = [(point.x, point.y, point.z) for point in seen.face_landmarks[slot]]
            mesh.points[frame, slot] = np.array(points) * (width, height, width)
            mesh.blendshapes[frame, slot] = [shape.score for shape in seen.face_blendshapes[slot]]
            mesh.transforms[frame, slot] = seen.facial_transformation_matrixes[slot]
    return mesh


def _seen(pixels: NDArray[np.uint8]) -> Any:
    return read_once(WEIGHTS, _landmarker, shared=False).detect(_picture(pixels))


def _picture(pixels: NDArray[np.uint8]) -> Any:
    import mediapipe

    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels))


def _landmarker(file: Path) -> Any:
    """A landmarker, which threads mustn't share."""
    check_silent(version("mediapipe"))
    from mediapipe.tasks.python import BaseOptions, vision

    content = file.read_bytes()  # of a path it would map the file, and see what is written there later
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_buffer=content),
        num_faces=SLOTS,
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    with without(CHATTER):
        made = vision.FaceLandmarker.create_from_options(options)
        made.detect(_picture(np.zeros((64, 64, 3), np.uint8)))  # some lines come with the first picture
    # It closes itself with the help of a thread, of which there is none once Python is shutting down.
    atexit.register(vars(made).update, _handle=None)
    return made


def check_silent(release: str) -> None:
    """Raise ProtocolError for a release of mediapipe that isn't known to connect to nothing."""
    if release not in SILENT:
        raise ProtocolError(
            f"mediapipe {release} may send reports of its use over the network; "
            f"for one that doesn't: {install_line('mediapipe')}"
        )


def detected(mesh: Mesh) -> Faces:
    """The faces of a mesh: the boxes around them, all of score 1, and their five points."""
    outline = mesh.points[:, :, :FACE_POINTS, :2]
    boxes = np.concatenate([outline.min(axis=2), outline.max(axis=2)], axis=2)
    scores = np.where(np.isnan(boxes[..., 0]), np.nan, 1.0).astype(np.float32)
    at = mesh.points[..., :2]
    eyes = [at[:, :, [33, 133]].mean(axis=2), at[:, :, [362, 263]].mean(axis=2)]
    points = np.stack([*eyes, at[:, :, 4], at[:, :, 61], at[:, :, 291]], axis=2)
    return Faces(boxes, scores, points, mesh.counts, mesh.size)


def landmarks68(mesh: Mesh) -> NDArray[np.float32]:
    """The points that stand for the 68 landmarks: (frames, SLOTS, 68, 2) in px."""
    return np.ascontiguousarray(mesh.points[:, :, LANDMARKS_68, :2])


def _of_all(landmarks: str, follow: str) -> tuple[Feature[Mesh], str]:
    return face_mesh(follow=follow), "mediapipe"


@of_slots(_of_all, version=1)
def pose_mediapipe(mesh: Mesh) -> NDArray[np.float64]:
    """Yaw, pitch and roll from the rigid transforms, in degrees, as ``pose`` has them."""
    return angles(downwards(mesh.transforms[..., :3, :3].astype(np.float64)))


@of_slots(_of_all, version=1)
def expression_blendshapes(mesh: Mesh) -> NDArray[np.float32]:
    """The 52 blendshapes, in [0, 1]."""
    return mesh.blendshapes
