"""Multi-view warping error: whether a side view, moved into the front camera, shows what the front view shows."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.features.frames.views import FRONT_AND_SIDE, Views, views
from thgeval.kernels.splat import splat
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import PooledMean

NOTHING_SEEN = "no pixel in both views"


@dataclass(frozen=True)
class WE(Metric[PooledMean]):
    """How different the front view is from the side view when its pixels are carried over by depth and cameras.

    Reads    the bundle CLIP.views.npz: images and depths of front and side views at two times, and their cameras
    Returns  mean absolute difference over the pixels that are reached, mean over the four pairs of a front and a side
             view of all clips: in [0, 255], no unit, 0 if views agree. A plain video has one view: nothing is scored
    Source   Xu et al., PV3D, ICLR 2023: bytedance/pv3d, lib/utils/multiview_error at 311d8bdf
    Departs  points behind the front camera are not carried over. As there, what lies behind is not hidden (the last
             pixel written to a place stays), and two of the pairs mix in the motion between the two times
    """

    size_px: int = parameter(256, "side that images and depths are brought to, bilinear", least=1, most=4096)
    leaving: str = parameter(
        "border",
        "what becomes of pixels carried out of the image: ``border``, as the program has it (they "
        "land on the border, and the front pixels at their old places don't count), or ``left-out``",
        of=("border", "left-out"),
    )

    name = "we"
    version = 1
    range = (0.0, 255.0)
    better = Better.LOWER
    cites = ("xu2023pv3d",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "left-out": Preset({"leaving": "left-out"}, "pixels that leave the image are simply not used"),
    }

    needs: ClassVar[Needs] = of_generated(views())

    def measure(self, view: View) -> PooledMean:
        """The error of each pair; a pair of which no pixel is reached has none."""
        bundle = view.generated[views()]
        errors = np.array([self._error(bundle, front=front, side=side) for front, side in FRONT_AND_SIDE])
        return PooledMean.of(view.clip, errors, left_out={NOTHING_SEEN: np.isnan(errors)})

    def _error(self, bundle: Views, *, front: int, side: int) -> float:
        points = unprojected(
            self._resized(bundle.depth[side]), intrinsics=bundle.intrinsics[side], pose=bundle.poses[side]
        )
        places = projected(points, intrinsics=bundle.intrinsics[front], pose=bundle.poses[front])
        image = self._resized(bundle.images[side])
        warped = splat(image, places=places, clamp=self.leaving == "border")
        valid = warped.written & ~warped.leaves if self.leaving == "border" else warped.written
        if not valid.any():
            return math.nan
        target = self._resized(bundle.images[front])
        return float(np.abs(warped.pixels[valid].astype(np.float64) - target[valid]).mean())

    def _resized(self, values: NDArray[Any]) -> NDArray[Any]:
        return cv2.resize(values, (self.size_px, self.size_px), interpolation=cv2.INTER_LINEAR)


def unprojected(
    depth: NDArray[np.float64], *, intrinsics: NDArray[np.float64], pose: NDArray[np.float64]
) -> NDArray[np.float64]:
    """World coordinates of the surface behind each pixel: (rows, columns) distances along rays -> (..., 3)."""
    rows, columns = depth.shape
    u, v = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
    rays = np.stack([u, v, np.ones_like(u)], axis=-1) @ np.linalg.inv(intrinsics).T @ pose[:3, :3].T
    directions = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return np.asarray(pose[:3, 3] + directions * depth[..., None])


def projected(
    points: NDArray[np.float64], *, intrinsics: NDArray[np.float64], pose: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Where a camera sees points: (..., 3) -> (..., 2) shares of the image's sides, NaN behind the camera."""
    to_camera = np.linalg.inv(pose)
    seen = (points @ to_camera[:3, :3].T + to_camera[:3, 3]) @ intrinsics.T
    with np.errstate(divide="ignore", invalid="ignore"):
        places = seen[..., :2] / seen[..., 2:]
    places[seen[..., 2] <= 0] = np.nan
    return np.asarray(places)
