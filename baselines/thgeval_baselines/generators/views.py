"""Stills of one person from known cameras, as ``fit_views`` gives them: pictures beside a ``cameras.json``.

``cameras.json``: ``size`` (height, width) px, and ``views``, each with ``file``, ``intrinsics`` (3, 3) in shares of the
picture's sides, ``camera_pose`` (4, 4) from the camera (OpenCV's axes) to the world, ``skull`` (4, 4) from the head's
coordinates to the world, and ``actions`` by name in [0, 1]. The unit is a decimetre and a head lies in its coordinates
as the rig's does (``rig.camera``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.limits import content
from thgeval.media.image import portrait

REASON = "bad views"
RIGID = 1e-3
"""How far a rotation times its transpose may be off the identity."""
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Views:
    """``images`` (views, height, width, 3) uint8 RGB, ``intrinsics`` (views, 3, 3), ``cameras`` and ``skulls`` (views,
    4, 4), and ``actions`` (views, names).
    """

    images: NDArray[np.uint8]
    intrinsics: Array
    cameras: Array
    skulls: Array
    actions: Array

    def __len__(self) -> int:
        return len(self.images)

    def picked(self, which: Sequence[int]) -> "Views":
        """Some of them."""
        at = np.asarray(which, np.int64)
        return Views(self.images[at], self.intrinsics[at], self.cameras[at], self.skulls[at], self.actions[at])


def read_views(folder: Path, *, names: Sequence[str], px: int) -> Views:
    """The views of a folder, brought to ``px`` by ``px``, with the actions of these names (0 where a view lacks one).

    Raises ``InputError`` (``bad views``) where the folder isn't such a one, or holds fewer than two views.
    """
    path = folder / "cameras.json"
    try:
        rows: list[dict[str, Any]] = json.loads(content(path, "companion_bytes"))["views"]
        matrices = {key: np.array([row[key] for row in rows], np.float64) for key in _SHAPES}
        actions = np.array([[float(row["actions"].get(name, 0.0)) for name in names] for row in rows])
        files = [str(row["file"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} says no cameras: {type(error).__name__} {error}", reason=REASON) from None
    if len(rows) < 2:
        raise InputError(f"{path} has {len(rows)} views, a radiance field needs two or more", reason=REASON)
    for key, shape in _SHAPES.items():
        if matrices[key].shape[1:] != shape or not np.isfinite(matrices[key]).all():
            raise InputError(f"{path}: {key} must be a finite matrix of {shape} in each view", reason=REASON)
    for key in ("camera_pose", "skull"):
        turns = matrices[key][:, :3, :3]
        if np.abs(turns @ turns.swapaxes(1, 2) - np.eye(3)).max() > RIGID or np.linalg.det(turns).min() < 0:
            raise InputError(f"{path}: {key} must turn and shift without stretching in each view", reason=REASON)
    if any(Path(name).name != name for name in files):
        raise InputError(f"{path}: each file must lie beside it, named without a folder", reason=REASON)
    images = [portrait(content(folder / name, "image_bytes"), name) for name in files]
    if len({image.shape for image in images}) > 1 or images[0].shape[0] != images[0].shape[1]:
        raise InputError(f"{folder}: views must be square and of one size", reason=REASON)
    small = np.stack([cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA) for image in images])
    return Views(small.astype(np.uint8), matrices["intrinsics"], matrices["camera_pose"], matrices["skull"], actions)


_SHAPES = {"intrinsics": (3, 3), "camera_pose": (4, 4), "skull": (4, 4)}


def rays(intrinsics: Array, camera: Array, skull: Array, px: int) -> tuple[Array, Array]:
    """A picture's rays in the head's coordinates: where they begin and their unit directions, (px * px, 3) each."""
    share = (np.arange(px) + 0.5) / px
    across, down = np.meshgrid(share, share)
    x = (across - intrinsics[0, 2]) / intrinsics[0, 0]
    y = (down - intrinsics[1, 2]) / intrinsics[1, 1]
    seen = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
    placed = np.linalg.inv(skull) @ camera
    way = seen @ placed[:3, :3].T
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    return np.broadcast_to(placed[:3, 3], way.shape).copy(), way


def looked_at(views: Views) -> tuple[Array, float]:
    """The point that cameras look at, in world coordinates (3,), and half the width that they see there."""
    axes, places = views.cameras[:, :3, 2], views.cameras[:, :3, 3]
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    centre = np.linalg.lstsq(across.sum(0), np.einsum("nij,nj->i", across, places), rcond=None)[0]
    distance = np.linalg.norm(places - centre, axis=1).mean()
    return centre, float(0.5 * distance / views.intrinsics[:, 0, 0].mean())
