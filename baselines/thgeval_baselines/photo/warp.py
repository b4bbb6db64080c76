"""Moving a picture with a triangle mesh: which source pixel each output pixel shows.

The mesh is triangulated once, over the source points. For every frame the triangles are painted, far ones first, into
a map of triangle numbers; each triangle's affine map (output to source) is solved, all in one call, and looked up per
pixel. What is in front hides what is behind, so a turned head covers its own far side.

Conventions: points are (x, y) pixels, pixel centres at whole numbers; depth grows towards the viewer.
Source: piecewise affine warping as in Matthews and Baker, "Active Appearance Models Revisited", IJCV 60(2), 2004.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from thgeval_baselines.photo.portrait import Image, Points

_SUBPIXEL_BITS = 4
_SMALLEST_AREA_PX2 = 0.02


@dataclass(frozen=True, eq=False)
class Mesh:
    """Source points (points, 2) and triangles (triangles, 3) of indices into them, all turning the same way."""

    points: Points
    triangles: NDArray[np.intp]

    @classmethod
    def over(cls, points: Points, *, hole: NDArray[np.intp]) -> "Mesh":
        """Triangulate (Delaunay), leaving out the triangles inside the polygon with corners ``points[hole]``."""
        triangles = np.asarray(Delaunay(points).simplices, np.intp)
        turned = _doubled_areas(points[triangles]) < 0
        triangles[turned] = triangles[turned][:, ::-1]
        outline = points[hole].astype(np.float32)
        centres = points[triangles].mean(axis=1)
        outside = [cv2.pointPolygonTest(outline, (float(x), float(y)), False) < 0 for x, y in centres]
        return cls(points, triangles[np.array(outside)])

    def warped(self, image: Image, moved: Points, depth: Points) -> Image:
        """The picture with every mesh point at its ``moved`` place (points, 2); ``depth`` (points,) orders overlaps.

        Triangles that turned their back or have no area are left out; pixels that no triangle covers stay in place.
        """
        corners = moved[self.triangles]
        seen = np.flatnonzero(_doubled_areas(corners) > 2 * _SMALLEST_AREA_PX2)
        order = seen[np.argsort(depth[self.triangles[seen]].mean(axis=1), kind="stable")]
        numbers = _painted(corners[order], image.shape[0])
        maps = self._to_source(corners[order], order)
        columns = np.arange(image.shape[1], dtype=np.float32)
        rows = np.arange(image.shape[0], dtype=np.float32)[:, None]
        x, y = (
            np.take(along[0], numbers) * columns + np.take(along[1], numbers) * rows + np.take(along[2], numbers)
            for along in (maps[:, :, 0].T, maps[:, :, 1].T)
        )
        shown = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(shown, np.uint8)

    def _to_source(self, corners: Points, order: NDArray[np.intp]) -> NDArray[np.float32]:
        """Affine maps (1 + triangles, 3, 2) from output pixels to source pixels; the first changes nothing."""
        ones = np.ones((*corners.shape[:2], 1))
        solved = np.linalg.solve(np.concatenate([corners, ones], axis=2), self.points[self.triangles[order]])
        in_place = np.array([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
        return np.ascontiguousarray(np.concatenate([in_place, solved]), np.float32)


def _doubled_areas(corners: Points) -> Points:
    """Twice the signed area of each of (triangles, 3, 2)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])


def _painted(corners: Points, size: int) -> NDArray[np.int32]:
    """A (size, size) map of 1 + the number of the last triangle that covers each pixel, 0 where there is none."""
    numbers = np.zeros((size, size), np.int32)
    fixed_point = np.rint(corners * 2**_SUBPIXEL_BITS).astype(np.int32)
    for number, corner in enumerate(fixed_point, start=1):
        cv2.fillConvexPoly(numbers, corner, number, lineType=cv2.LINE_8, shift=_SUBPIXEL_BITS)
    return numbers
