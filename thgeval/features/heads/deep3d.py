"""Deep3DFaceRecon: 257 coefficients of a morphable face, from five points and a crop of 224 px.

The frame is scaled and cut so that the five points fit those of a standard face, as the authors' ``align_img`` does:
Pillow's bicubic, black beyond the frame. Coefficients are 80 of identity, 64 of expression, 80 of texture, 3 angles in
radians, 27 of lighting, 3 of translation.

Sources: Deng et al., CVPRW 2019; sicxu/Deep3DFaceRecon_pytorch ``util/preprocess.py`` (3730e1348b65), ``models/bfm.py``
and ``util/load_mats.py`` (147e60d1e658); the five standard points are those of its ``similarity_Lm3D_all.mat``.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval import networks
from thgeval.errors import WeightsError
from thgeval.feature import Feature, feature
from thgeval.features.faces.detection import SLOTS, bytes_of
from thgeval.features.faces.landmarks import detector_of, five_points
from thgeval.features.faces.people import of_slots
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.networks.memory import read_once
from thgeval.requirements import Weights

WEIGHTS = "deep3d"
SHAPES = "bfm09"
SIDE_PX = 224
COEFFICIENTS = 257
EXPRESSION = slice(80, 144)
ANGLES = slice(224, 227)
IDENTITIES = 80
UNITS = 1e5  # of the Basel Face Model in a decimetre
EVERY = 16

STANDARD = np.array(
    [
        (-0.31148657, 0.29036078, 0.13377953),
        (0.30979887, 0.28972036, 0.13179526),
        (0.0032535, -0.04617932, 0.55244243),
        (-0.25216928, -0.38133916, 0.22405732),
        (0.2484662, -0.38128236, 0.22235769),
    ]
)
"""Eyes, tip of the nose, corners of the mouth of the standard face: y upwards, z towards the viewer."""
RESCALE = 102.0


@feature(
    rgb,
    lambda landmarks, follow: five_points(of=landmarks, follow=follow),
    version=1,
    requires=(networks.TORCH, Weights(WEIGHTS)),
)
def deep3d(
    frames: FrameBatch, points: NDArray[np.float32], *, landmarks: str = "yunet", follow: str = "every"
) -> NDArray[np.float32]:
    """The coefficients of every face in every frame: (frames, SLOTS, 257), NaN where there is none."""
    rows = np.full((len(frames), SLOTS, COEFFICIENTS), np.nan, np.float32)
    there = ~np.isnan(points[..., 0, 0])
    if there.any():
        pixels = bytes_of(frames)
        crops = np.stack([standing(pixels[frame], points[frame, slot]) for frame, slot in np.argwhere(there)])
        rows[there] = networks.rows(networks.published(WEIGHTS), networks.as_images(crops, 255.0))
    return rows


def standing(frame: NDArray[np.uint8], points: NDArray[Any]) -> NDArray[np.uint8]:
    """The frame around five points, (5, 2), as the network wants to see it: (224, 224, 3)."""
    height, width = frame.shape[:2]
    upwards = np.asarray(points, np.float64) * (1, -1) + (0, height - 1)
    shift, scale = fitted(upwards)
    scale = RESCALE / scale
    size = int(width * scale), int(height * scale)
    left = int(size[0] / 2 - SIDE_PX / 2 + (shift[0] - width / 2) * scale)
    top = int(size[1] / 2 - SIDE_PX / 2 + (height / 2 - shift[1]) * scale)
    scaled = Image.fromarray(frame).resize(size, resample=Image.Resampling.BICUBIC)
    return np.asarray(scaled.crop((left, top, left + SIDE_PX, top + SIDE_PX)), np.uint8)


def fitted(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Shift, (2,), and scale of the affine camera that brings the standard face nearest to (5, 2) points."""
    face = np.column_stack([STANDARD, np.ones(len(STANDARD))])
    camera = np.linalg.lstsq(face, points, rcond=None)[0]
    return camera[3], float(np.linalg.norm(camera[:3], axis=0).mean())


def _of_all(landmarks: str, follow: str) -> tuple[Feature[NDArray[np.float32]], str]:
    return deep3d(landmarks=landmarks, follow=follow), detector_of(landmarks)


@of_slots(_of_all, version=1)
def pose_deep3d(coefficients: NDArray[np.float32]) -> NDArray[np.float64]:
    """The model's own three angles, in degrees and with the signs of ``pose``: yaw, pitch, roll.

    They are taken about the axes of the picture, pitch first, then yaw, then roll. Their differences are those of the
    published angles.
    """
    pitch, yaw, roll = np.moveaxis(np.rad2deg(coefficients[..., ANGLES].astype(np.float64)), -1, 0)
    return np.stack([yaw, -pitch, -roll], axis=-1)


@of_slots(_of_all, version=1)
def expression_deep3d(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """The 64 expression coefficients."""
    return coefficients[..., EXPRESSION]


@of_slots(_of_all, version=1, requires=(Weights(SHAPES),))
def vertices_deep3d(coefficients: NDArray[np.float32]) -> NDArray[np.float64]:
    """Every sixteenth vertex of each person's own face in the Basel Face Model 2009: (..., 3344, 3) in decimetres."""
    mean, directions = faces_of_basel()
    flat = mean + coefficients[..., :IDENTITIES].astype(np.float64) @ directions.T
    return flat.reshape(*flat.shape[:-1], -1, 3)


def faces_of_basel() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The mean of every sixteenth vertex, (3n,), and its 80 directions of identity, (3n, 80), in decimetres."""

    def read(file: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        from scipy.io import loadmat

        try:  # loadmat raises NotImplementedError for MATLAB's later formats
            model = loadmat(file, variable_names=["shapeMU", "shapePC", "shapeEV"])
            mean = model["shapeMU"].reshape(-1, 3)[::EVERY].reshape(-1)
            directions = model["shapePC"][:, :IDENTITIES] * model["shapeEV"].reshape(-1)[:IDENTITIES]
        except (KeyError, ValueError, NotImplementedError, TypeError) as error:
            raise WeightsError(
                f"{file} is not the Basel Face Model 2009 ({error}); get its 01_MorphableModel.mat"
            ) from None
        thinned = directions.reshape(-1, 3, IDENTITIES)[::EVERY].reshape(-1, IDENTITIES)
        return mean.astype(np.float64) / UNITS, thinned.astype(np.float64) / UNITS

    return read_once(SHAPES, read)
