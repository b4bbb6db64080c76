"""Dense motion from keypoints: affine motions round them, blended; and which pixels the source can't show.

Every keypoint has a place in the source, a place in the frame that is made, and a Jacobian: how its surroundings are
stretched and turned, fitted to the keypoints of its part of the face. The motion of any other point is the mean of all
keypoints' affine motions, the near ones before the far ones. It is wanted backwards (which source point a pixel shows)
and forwards (where a source point goes). A pixel is hidden where going back and forth doesn't return to it, and where
the backward motion folds: there the source is read twice, or from its rear.

Source: Siarohin et al., "First Order Motion Model for Image Animation", NeurIPS 2019 (local affine motions and their
blend, eq. 4; relative transfer); Shepard, "A two-dimensional interpolation function", ACM 1968 (the weights).
Departs: keypoints are landmarks, and nothing is learnt; weights fall with the fourth power of distance, so that
keypoints arrive exactly; the mask of hidden pixels comes from the motion alone.
Conventions: points are (x, y) in px, pixel centres at whole numbers.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit
from thgeval_baselines.photo.portrait import Points

STEP = 3
"""Pixels between the points at which motion is blended; between them it is interpolated."""
BLUR = 0.03
"""Within how many eye distances of it a keypoint rules alone."""
RIDGE = 0.02
"""How strongly a Jacobian is held to the identity, in squared eye distances."""
RETURNS_PX, LOST_PX = 1.5, 3.5
"""Up to where a point that went back and forth counts as returned, and from where as lost, at 256 px."""
FOLDED, WHOLE = 0.05, 0.2
"""Of an area in the frame, how much of the source it shows: below which it is folded, and from where it isn't."""

Field = NDArray[np.float32]

PARTS: tuple[tuple[int, ...], ...] = (
    (0, 1, 2, 3, 4),
    (5, 6, 7, 8, 9, 10, 11),
    (12, 13, 14, 15, 16),
    (17, 18, 19, 20, 21),
    (22, 23, 24, 25, 26),
    tuple(range(27, 36)),
    tuple(range(36, 42)),
    tuple(range(42, 48)),
    (48, 49, 50, 51, 52, 53, 54, 60, 61, 62, 63, 64),
    (55, 56, 57, 58, 59, 65, 66, 67),
)
"""Landmarks that share a Jacobian: jaw in three, brows, nose, eyes, upper lip with the corners, lower lip."""


@dataclass(frozen=True, eq=False)
class Motion:
    """``back`` (rows, columns, 2) px: which source point each pixel shows; ``hidden`` (rows, columns), 0 to 1, where
    the source doesn't have what belongs there.
    """

    back: Field
    hidden: Field


def jacobians(before: Points, after: Points, part: NDArray[np.intp], *, unit_px: float) -> Points:
    """How the part of each keypoint is deformed, (keypoints, 2, 2): fitted to the keypoints of the same ``part``.

    Maps steps from ``before`` to steps from ``after``.
    """
    found = np.empty((len(before), 2, 2))
    for number in np.unique(part):
        members = part == number
        x, y = (points[members] - points[members].mean(axis=0) for points in (before, after))
        held = RIDGE * unit_px**2 * np.eye(2)
        found[members] = np.linalg.solve(x.T @ x + held, x.T @ y + held).T
    return found


def motion(source: Points, moved: Points, part: NDArray[np.intp], *, unit_px: float, size: int) -> Motion:
    """The motion that brings keypoints from ``source`` to ``moved`` (keypoints, 2), each of a ``part`` (keypoints,)."""
    backward, forward = (
        _field(at, there, jacobians(at, there, part, unit_px=unit_px), size, (BLUR * unit_px) ** 2)
        for at, there in ((moved, source), (source, moved))
    )
    returned = cv2.remap(forward, backward[..., 0], backward[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    columns, rows = np.meshgrid(np.arange(size, dtype=np.float32), np.arange(size, dtype=np.float32))
    away = np.hypot(returned[..., 0] - columns, returned[..., 1] - rows) * np.float32(256 / size)
    lost = np.clip((away - RETURNS_PX) / (LOST_PX - RETURNS_PX), 0, 1)
    (xy, xx), (yy, yx) = (np.gradient(backward[..., axis]) for axis in (0, 1))
    folded = np.clip((WHOLE - (xx * yy - xy * yx)) / (WHOLE - FOLDED), 0, 1)
    return Motion(backward, np.asarray(np.maximum(lost, folded), np.float32))


def _field(at: Points, there: Points, jacobian: Points, size: int, blur_px2: float) -> Field:
    """The blend of affine motions at every pixel (size, size, 2), by the keypoints' places ``at`` and ``there``."""
    count = (size - 1) // STEP + 2
    coarse = np.empty((count, count, 2), np.float32)
    _blend(
        at.astype(np.float32),
        there.astype(np.float32),
        jacobian.astype(np.float32),
        np.float32(blur_px2),
        np.float32(STEP),
        coarse,
    )
    return np.asarray(
        cv2.warpAffine(
            coarse,
            np.array([[1 / STEP, 0, 0], [0, 1 / STEP, 0]]),
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        ),
        np.float32,
    )


@jit(fastmath=True)
def _blend(at: Field, there: Field, jacobian: Field, blur_px2: np.float32, step: np.float32, field: Field) -> None:
    for row in range(field.shape[0]):
        for column in range(field.shape[1]):
            x, y = np.float32(column) * step, np.float32(row) * step
            total = to_x = to_y = np.float32(0)
            for n in range(len(at)):
                dx, dy = x - at[n, 0], y - at[n, 1]
                away = dx * dx + dy * dy + blur_px2
                weight = np.float32(1) / (away * away)
                total += weight
                to_x += weight * (there[n, 0] + jacobian[n, 0, 0] * dx + jacobian[n, 0, 1] * dy)
                to_y += weight * (there[n, 1] + jacobian[n, 1, 0] * dx + jacobian[n, 1, 1] * dy)
            field[row, column, 0], field[row, column, 1] = to_x / total, to_y / total
