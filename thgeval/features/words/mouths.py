"""Mouths as lip readers see them: the largest face of each frame turned upright, and its mouth cut out.

Two ways, one for each family of readers:

``lipnet``  the 51 landmarks from brows to lips are brought onto LipNet's mean face by the similarity that keeps their
            spread; 160 x 80 px around the mean mouth, scaled to 128 x 64, in colour
``lrw``     landmarks 33, 36, 39, 42 and 45 are brought onto the mean face of LRW by the similarity of least squares;
            96 x 96 px around the clip's own mouth, of which readers take the middle 88 x 88, in grey

Sources: VIPL LipNet-PyTorch ``demo.py`` (f3d09c59844d); mpc001/Lipreading_using_Temporal_Convolutional_Networks
``preprocessing/`` (66ca851163e4), which also smooths landmarks over 12 frames; this doesn't, as
facial-animation-evaluation doesn't. OpenCV turns the frames, where the latter two take scikit-image.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, WeightsError
from thgeval.feature import Requirements, feature
from thgeval.features.faces.detection import Faces, bytes_of, faces
from thgeval.features.faces.landmarks import CHAINS, landmarks
from thgeval.features.frames.frames import rgb
from thgeval.files import npy
from thgeval.media.frames import FrameBatch
from thgeval.networks.memory import read_once
from thgeval.requirements import Weights

CANVAS_PX = 256
STEADY = (33, 36, 39, 42, 45)
LRW_FACE = "lrw-mean-face"
RATE = 25.0

Points = NDArray[np.float64]


class Mouths(NamedTuple):
    """Mouths of consecutive frames, uint8 of (frames, height, width[, 3]), which frames have one, and their rates.

    A frame's rate is the clip's, frames a second, or NaN where nobody said it or the frame is shown at another time.
    """

    pixels: NDArray[np.uint8]
    held: NDArray[np.bool_]
    rates: NDArray[np.float64]


class MouthCrop(NamedTuple):
    """How a mouth is cut out of a frame given its 68 landmarks, what comes out, and what it needs."""

    cut: Callable[[NDArray[np.uint8], Points], NDArray[np.uint8]]
    shape: tuple[int, ...]
    requires: Requirements = ()


@feature(
    rgb,
    lambda model, **_: faces(detector=CHAINS[model].detector),
    lambda model, **_: landmarks(model=model),
    version=1,
    requires=lambda crop, **_: CROPS[crop].requires,
)
def mouths(
    frames: FrameBatch, found: Faces, points: NDArray[np.float32], *, crop: str = "lipnet", model: str = "dlib"
) -> Mouths:
    """The mouth of the largest face of each frame; black where there is none."""
    held = np.asarray(~np.isnan(found.boxes[..., 0]).all(axis=1))
    pixels = np.zeros((len(frames), *CROPS[crop].shape), np.uint8)
    areas = np.prod(found.boxes[..., 2:] - found.boxes[..., :2], axis=2)
    for frame, picture in enumerate(bytes_of(frames)):
        if held[frame]:
            largest = int(np.nanargmax(areas[frame]))
            pixels[frame] = CROPS[crop].cut(picture, points[frame, largest].astype(np.float64))
    return Mouths(pixels, held, _rates(frames))


def _rates(frames: FrameBatch) -> NDArray[np.float64]:
    rates = np.full(len(frames), np.nan if frames.fps is None else float(frames.fps))
    if frames.times is not None:
        late = frames.times - (frames.start + np.arange(len(frames))) / rates
        rates[np.abs(late) >= 0.5 / rates] = np.nan
    return rates


def complete(found: Mouths, reader: str) -> NDArray[np.uint8]:
    """The mouths of a clip that a reader can read.

    Raises InputError: "face lost" where frames have no face, "frame rate" where they are not 25 a second.
    """
    lost = int(np.count_nonzero(~found.held))
    if lost or not len(found.held):
        raise InputError(
            f"{reader} needs the face in every frame; {lost} of {len(found.held)} frames have none", reason="face lost"
        )
    suits = np.abs(found.rates - RATE) < 0.01
    if not suits.all():
        has = "a variable rate" if suits[0] else f"{found.rates[0]:g}"
        raise InputError(
            f"{reader} reads 25 frames per second; this clip has {has}: choose --fps 25 (or --protocol thg256)",
            reason="frame rate",
        )
    return found.pixels


def _of_lipnet(frame: NDArray[np.uint8], points: Points) -> NDArray[np.uint8]:
    from thgeval_models.lipnet import FACE, HEIGHT_PX, WIDTH_PX

    face = FACE * CANVAS_PX
    upright = cv2.warpAffine(frame, similarity(points[17:], face, least_squares=False), (CANVAS_PX, CANVAS_PX))
    x, y = face[-20:].mean(axis=0).astype(int)
    return np.asarray(cv2.resize(upright[y - 40 : y + 40, x - 80 : x + 80], (WIDTH_PX, HEIGHT_PX)), np.uint8)


def _of_lrw(frame: NDArray[np.uint8], points: Points) -> NDArray[np.uint8]:
    turn = similarity(points[list(STEADY)], read_once(LRW_FACE, _mean_face)[list(STEADY)], least_squares=True)
    upright = cv2.warpAffine(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), turn, (CANVAS_PX, CANVAS_PX))
    x, y = np.rint((points[48:] @ turn[:, :2].T + turn[:, 2]).mean(axis=0)).astype(int)
    x, y = (int(np.clip(centre, 48, CANVAS_PX - 48)) for centre in (x, y))
    return np.asarray(upright[y - 48 : y + 48, x - 48 : x + 48], np.uint8)


def _mean_face(path: Path) -> Points:
    try:
        with path.open("rb") as file:
            face = np.asarray(npy.array(file, path.stat().st_size), np.float64)
    except (OSError, ValueError, EOFError) as error:
        raise WeightsError(f"{path} is not an array of landmarks ({error})") from None
    if face.shape != (68, 2) or not np.isfinite(face).all():
        raise WeightsError(f"{path} must hold 68 landmarks, (68, 2), not {face.shape}")
    return face


def similarity(points: Points, target: Points, *, least_squares: bool) -> Points:
    """Turn, scale and shift, (2, 3), that bring points onto their targets, both (points, 2).

    The scale is that of least squares (Umeyama 1991), or else the ratio of the spreads (Procrustes).
    """
    from_mean, to_mean = points.mean(axis=0), target.mean(axis=0)
    centred, wanted = points - from_mean, target - to_mean
    left, sizes, right = np.linalg.svd(wanted.T @ centred)
    kept = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = left @ np.diag(kept) @ right
    scale = (sizes * kept).sum() / (centred**2).sum() if least_squares else wanted.std() / centred.std()
    return np.column_stack([scale * turn, to_mean - scale * turn @ from_mean])


CROPS: Mapping[str, MouthCrop] = MappingProxyType(
    {"lipnet": MouthCrop(_of_lipnet, (64, 128, 3)), "lrw": MouthCrop(_of_lrw, (96, 96), (Weights(LRW_FACE),))}
)
