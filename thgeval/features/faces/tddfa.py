"""3DDFA V2: a morphable face fitted to every face by one small network: pose, shape, expression and landmarks.

The face is cut out around a detector's box as the authors do, black beyond the frame. Shapes and landmarks also need
the 68-point face of 3DDFA, which derives from the Basel Face Model; pose and expression coefficients do without it.

Sources: Guo et al., ECCV 2020; cleardusk/3DDFA_V2 ``TDDFA.py`` (4947e04dcf25), ``utils/functions.py`` (the crop) and
``utils/pose.py`` (19f79c9b9baf).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.feature import Feature, feature
from thgeval.features.faces.alignment import angles, downwards
from thgeval.features.faces.crops import window
from thgeval.features.faces.detection import SLOTS, Faces, bytes_of, faces
from thgeval.features.faces.landmarks import BASIS_3DDFA, detector_of
from thgeval.features.faces.people import of_slots
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Weights, weights

WEIGHTS = "3ddfa-mb05"
SIDE_PX = 120
PARAMETERS = 62
DECIMETRE = 1e5  # in the model's units


class Fitted(NamedTuple):
    """Parameters (frames, SLOTS, 62) in the model's units, and the squares they were read from, (frames, SLOTS, 4)."""

    parameters: NDArray[np.float32]
    squares: NDArray[np.float32]


@feature(
    rgb,
    lambda detector, follow: faces(detector=detector, follow=follow),
    version=1,
    requires=(networks.TORCH, Weights(WEIGHTS)),
)
def tddfa(frames: FrameBatch, found: Faces, *, detector: str = "yunet", follow: str = "every") -> Fitted:
    """The morphable face of every face in every frame, NaN where there is none."""
    from thgeval_models.tddfa import crop_px

    count = len(frames)
    fitted = Fitted(
        np.full((count, SLOTS, PARAMETERS), np.nan, np.float32), np.full((count, SLOTS, 4), np.nan, np.float32)
    )
    there = ~np.isnan(found.boxes[..., 0])
    if there.any():
        fitted.squares[there] = [crop_px(*(float(value) for value in box)) for box in found.boxes[there]]
        pixels = bytes_of(frames)
        squares = (np.rint(fitted.squares[frame, slot]) for frame, slot in np.argwhere(there))
        crops = [window(pixels[f], s, SIDE_PX) for (f, _), s in zip(np.argwhere(there), squares, strict=True)]
        fitted.parameters[there] = _regressed(np.stack(crops))
    return fitted


def _regressed(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    from thgeval_models.tddfa import MEAN, SPREAD

    images = networks.as_images(crops[..., ::-1], 255.0, white=255.0)
    outputs = networks.rows(networks.published(WEIGHTS), images)
    return outputs * np.array(SPREAD, np.float32) + np.array(MEAN, np.float32)


def basis() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The 68-point face: its mean (204,), shapes (204, 40) and expressions (204, 10), x, y, z point by point."""

    def load() -> tuple[NDArray[np.float64], ...]:
        from thgeval_models.tddfa import read_numbers

        found = []
        for name in BASIS_3DDFA:
            with weights.opened(name) as file:
                found.append(read_numbers(file).numpy().astype(np.float64))
        return tuple(found)

    mean, shapes, expressions = networks.loaded(("3ddfa basis", *(weights.token(name) for name in BASIS_3DDFA)), load)
    return mean, shapes, expressions


def landmarks68(fitted: Fitted) -> NDArray[np.float32]:
    """The model's 68 points in the frame: (frames, SLOTS, 68, 2) in px."""
    mean, shapes, expressions = basis()
    parameters, squares = fitted.parameters.astype(np.float64), fitted.squares.astype(np.float64)
    pose = parameters[..., :12].reshape(*parameters.shape[:2], 3, 4)
    face = (mean + parameters[..., 12:52] @ shapes.T + parameters[..., 52:] @ expressions.T).reshape(
        *parameters.shape[:2], 68, 3
    )
    x, y = np.moveaxis(face @ pose[..., :2, :3].swapaxes(-1, -2) + pose[..., None, :2, 3], -1, 0)
    in_square = np.stack([x - 1, SIDE_PX - y], axis=-1)
    side = (squares[..., 2] - squares[..., 0])[..., None, None]
    return (in_square * side / SIDE_PX + squares[..., None, :2]).astype(np.float32)


def rotations(parameters: NDArray[Any]) -> NDArray[np.float64]:
    """The rotation in (..., 62) parameters: (..., 3, 3), y upwards and z towards the viewer."""
    rows = parameters[..., :12].astype(np.float64).reshape(*parameters.shape[:-1], 3, 4)[..., :2, :3]
    rows = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.concatenate([rows, np.cross(rows[..., 0, :], rows[..., 1, :])[..., None, :]], axis=-2)


def _of_all(landmarks: str, follow: str) -> tuple[Feature[Fitted], str]:
    detector = detector_of(landmarks)
    return tddfa(detector=detector, follow=follow), detector


@of_slots(_of_all, version=1)
def pose_3ddfa(fitted: Fitted) -> NDArray[np.float64]:
    """Yaw, pitch and roll in degrees, as ``pose`` has them."""
    return angles(downwards(rotations(fitted.parameters)))


@of_slots(_of_all, version=1)
def expression_3ddfa(fitted: Fitted) -> NDArray[np.float32]:
    """The ten expression coefficients, in the model's units."""
    return fitted.parameters[..., 52:]


@of_slots(_of_all, version=1, requires=tuple(map(Weights, BASIS_3DDFA)))
def vertices_3ddfa(fitted: Fitted) -> NDArray[np.float64]:
    """The 68 points of each person's own face, without pose and expression: (..., 68, 3) in decimetres."""
    mean, shapes, _ = basis()
    flat = mean + fitted.parameters[..., 12:52].astype(np.float64) @ shapes.T
    return flat.reshape(*flat.shape[:-1], 68, 3) / DECIMETRE
