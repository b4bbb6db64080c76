"""Renders of one generated scene from two cameras at two times: what metrics of 3D-aware generators look at.

A bundle lies beside its clip as ``CLIP.views.npz`` and holds four renders, in this order: front at time a, side at
time b, side at time a, front at time b. Cameras follow OpenCV: x to the right, y downwards, z into the scene.

Source: PV3D (Xu et al., ICLR 2023), whose program renders 64 x 64 depths and points with every 512-px image.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.npz import Layout, arrays
from thgeval.features.frames.offered import views_file
from thgeval.requirements import Weights

REASON = "bad bundle of views"
SAME_TIME = ((0, 2), (3, 1))
OTHER_TIME = ((0, 1), (3, 2))
FRONT_AND_SIDE = SAME_TIME + OTHER_TIME
"""Pairs of a front and a side view."""
ALL_PAIRS = (*FRONT_AND_SIDE, (0, 3), (2, 1))
"""The same, then both front views and both side views."""
ARCFACE_PX = 112

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "images": Layout(("4", "height", "width", "3"), "uint8 RGB", required=True),
        "depth": Layout(
            ("4", "rows", "columns"), "distance from the camera's centre along the ray of each pixel", required=True
        ),
        "points": Layout(("4", "rows", "columns", "3"), "x, y, z of the surface in the world's unit", required=True),
        "weights": Layout(("4", "rows", "columns"), "opacity summed along each ray, 0 to 1", required=True),
        "intrinsics": Layout(
            ("4", "3", "3"), "focal lengths, skew and principal point as shares of the image's sides", required=True
        ),
        "poses": Layout(("4", "4", "4"), "from the camera's to the world's coordinates", required=True),
    }
)


class Views(NamedTuple):
    """The arrays of a bundle, as ``LAYOUTS`` says; floats are float64."""

    images: NDArray[np.uint8]
    depth: NDArray[np.float64]
    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    intrinsics: NDArray[np.float64]
    poses: NDArray[np.float64]


@feature(views_file, version=1, grain=Grain.CLIP)
def views(path: Path) -> Views:
    """The bundle beside a clip; InputError (``bad bundle of views``) if it is not one."""
    held = arrays(path, LAYOUTS, reason=REASON)
    images = held.pop("images")
    if images.dtype != np.uint8:
        raise InputError(f"{path}: images must be uint8, not {images.dtype}", reason=REASON)
    numbers = {name: array.astype(np.float64) for name, array in held.items()}
    for name, array in numbers.items():
        if not np.isfinite(array).all():
            raise InputError(f"{path}: {name} holds NaN or infinity", reason=REASON)
    if len({array.shape[1:3] for name, array in numbers.items() if name in ("depth", "points", "weights")}) > 1:
        raise InputError(f"{path}: depth, points and weights must have the same rows and columns", reason=REASON)
    for name in ("intrinsics", "poses"):
        if (np.abs(np.linalg.det(numbers[name])) < 1e-12).any():
            raise InputError(f"{path}: {name} holds a matrix without an inverse", reason=REASON)
    return Views(images, **numbers)


@feature(
    lambda **_: views(),
    version=1,
    grain=Grain.CLIP,
    requires=lambda network: (networks.TORCH, Weights(network)),
)
def view_embeddings(bundle: Views, *, network: str = "arcface-irse50") -> NDArray[np.float64]:
    """What a face recogniser of the manifest makes of each whole image, brought to 112 px: (4, dimensions), length 1.

    Bilinear without smoothing, black at -1 and white at 1; no face is looked for.
    """
    side = (ARCFACE_PX, ARCFACE_PX)
    small = np.stack(
        [cv2.resize(image.astype(np.float32), side, interpolation=cv2.INTER_LINEAR) for image in bundle.images]
    )
    published = networks.published(network)
    with networks.alone():
        rows = networks.rows(published, networks.as_images(small, 127.5) - 1).astype(np.float64)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
