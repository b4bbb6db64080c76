"""Triangles to samples: a z-buffer without holes or double edges, and the same picture on every machine's one thread.

Corners are put on a grid of 1/256 sample and edges decided in whole numbers, ties by the top-left rule, so that two
triangles that share an edge never both own a sample on it and never both miss it. Depth and weights are interpolated
in perspective. Nothing is clipped: a triangle with a corner nearer than ``NEAR``, or far off the picture, is left out.

Conventions: cameras follow OpenCV (x to the right, y down, z into the scene); pixel centres are whole numbers.
Source: Pineda, "A Parallel Algorithm for Polygon Rasterization", SIGGRAPH 1988.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit

NEAR = 1e-3
_GRID = 256
_WIDEST = 16384.0


@dataclass(frozen=True, eq=False)
class Fragments:
    """What each sample of a picture sees.

    ``triangle`` (rows, columns) int32, -1 where there is nothing; ``weights`` (rows, columns, 3) float32 of its
    corners, summing to 1; ``nearness`` (rows, columns) float64, one over the distance along the camera's axis, 0 where
    there is nothing. Rows and columns are pixels times ``samples``.
    """

    triangle: NDArray[np.int32]
    weights: NDArray[np.float32]
    nearness: NDArray[np.float64]
    samples: int

    @property
    def depth(self) -> NDArray[np.float32]:
        """The distance along the camera's axis (rows, columns), infinite where there is nothing."""
        with np.errstate(divide="ignore"):
            return (1 / self.nearness).astype(np.float32)

    def of(self, corners: NDArray[np.int32], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """``values`` (points, channels) interpolated at every sample, (rows, columns, channels); 0 where nothing is."""
        return _interpolated(self.triangle, self.weights, corners, np.ascontiguousarray(values, np.float32))


def rasterise(
    points: NDArray[np.float64],
    corners: NDArray[np.int32],
    *,
    size: tuple[int, int],
    samples: int = 1,
    two_sided: NDArray[np.bool_] | None = None,
) -> Fragments:
    """Which of ``corners`` (triangles, 3) each sample sees, of ``points`` (points, 3): x px, y px, z.

    ``size`` is (height, width) in pixels, each of ``samples`` times ``samples`` samples. A triangle that is seen from
    behind (its corners run clockwise on the screen) is left out, unless ``two_sided`` (triangles,) says so.
    """
    rows, columns = size[0] * samples, size[1] * samples
    placed = np.asarray(points, np.float64).copy()
    placed[:, :2] = (placed[:, :2] + 0.5) * samples - 0.5
    both = np.zeros(len(corners), np.bool_) if two_sided is None else two_sided
    triangle = np.full((rows, columns), -1, np.int32)
    weights = np.zeros((rows, columns, 3), np.float32)
    nearness = np.zeros((rows, columns))
    _fill(placed, corners, both, triangle, weights, nearness)
    return Fragments(triangle, weights, nearness, samples)


def seen(fragments: Fragments, corners: NDArray[np.int32], points: int) -> NDArray[np.bool_]:
    """Which of so many points belong to a triangle that some sample sees: (points,)."""
    visible = np.zeros(points, np.bool_)
    shown = np.unique(fragments.triangle)
    visible[corners[shown[shown >= 0]]] = True
    return visible


@jit()
def _fill(
    points: NDArray[np.float64],
    corners: NDArray[np.int32],
    two_sided: NDArray[np.bool_],
    triangle: NDArray[np.int32],
    weights: NDArray[np.float32],
    nearness: NDArray[np.float64],
) -> None:
    rows, columns = triangle.shape
    for number in range(len(corners)):
        a, b, c = corners[number, 0], corners[number, 1], corners[number, 2]
        if not (points[a, 2] > NEAR and points[b, 2] > NEAR and points[c, 2] > NEAR):
            continue
        widest = max(
            max(abs(points[a, 0]), abs(points[b, 0]), abs(points[c, 0])),
            max(abs(points[a, 1]), abs(points[b, 1]), abs(points[c, 1])),
        )
        if not widest < _WIDEST:
            continue
        ax, ay = int(np.rint(points[a, 0] * _GRID)), int(np.rint(points[a, 1] * _GRID))
        bx, by = int(np.rint(points[b, 0] * _GRID)), int(np.rint(points[b, 1] * _GRID))
        cx, cy = int(np.rint(points[c, 0] * _GRID)), int(np.rint(points[c, 1] * _GRID))
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)  # y is down: negative for what faces the camera
        if area == 0 or (area > 0 and not two_sided[number]):
            continue
        turned = area < 0
        if turned:
            b, c = c, b
            bx, by, cx, cy = cx, cy, bx, by
            area = -area
        left = max(0, -((-min(ax, bx, cx)) // _GRID))
        right = min(columns - 1, max(ax, bx, cx) // _GRID)
        top = max(0, -((-min(ay, by, cy)) // _GRID))
        bottom = min(rows - 1, max(ay, by, cy) // _GRID)
        # an edge owns its samples if it is a left or a top one; the others must be passed strictly
        own_a = 0 if (cy < by or (cy == by and cx > bx)) else -1
        own_b = 0 if (ay < cy or (ay == cy and ax > cx)) else -1
        own_c = 0 if (by < ay or (by == ay and bx > ax)) else -1
        near_a, near_b, near_c = 1 / points[a, 2], 1 / points[b, 2], 1 / points[c, 2]
        share = 1.0 / area
        for row in range(top, bottom + 1):
            y = row * _GRID
            edge_a = (cx - bx) * (y - by) - (cy - by) * (left * _GRID - bx)
            edge_b = (ax - cx) * (y - cy) - (ay - cy) * (left * _GRID - cx)
            edge_c = (bx - ax) * (y - ay) - (by - ay) * (left * _GRID - ax)
            for column in range(left, right + 1):
                if edge_a + own_a >= 0 and edge_b + own_b >= 0 and edge_c + own_c >= 0:
                    w_a, w_b, w_c = edge_a * share * near_a, edge_b * share * near_b, edge_c * share * near_c
                    near = w_a + w_b + w_c
                    if near > nearness[row, column]:
                        nearness[row, column] = near
                        triangle[row, column] = number
                        weights[row, column, 0] = w_a / near
                        weights[row, column, 1] = (w_c if turned else w_b) / near
                        weights[row, column, 2] = (w_b if turned else w_c) / near
                edge_a -= (cy - by) * _GRID
                edge_b -= (ay - cy) * _GRID
                edge_c -= (by - ay) * _GRID


@jit()
def _interpolated(
    triangle: NDArray[np.int32],
    weights: NDArray[np.float32],
    corners: NDArray[np.int32],
    values: NDArray[np.float32],
) -> NDArray[np.float32]:
    rows, columns = triangle.shape
    channels = values.shape[1]
    shown = np.zeros((rows, columns, channels), np.float32)
    for row in range(rows):
        for column in range(columns):
            number = triangle[row, column]
            if number < 0:
                continue
            a, b, c = corners[number, 0], corners[number, 1], corners[number, 2]
            w_a, w_b, w_c = weights[row, column, 0], weights[row, column, 1], weights[row, column, 2]
            for channel in range(channels):
                shown[row, column, channel] = (
                    w_a * values[a, channel] + w_b * values[b, channel] + w_c * values[c, channel]
                )
    return shown
