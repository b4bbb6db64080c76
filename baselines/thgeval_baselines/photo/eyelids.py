"""Blinking: the portrait's own skin between brow and lashes, pulled down over the eye.

Moving only the landmarks of the lid would squeeze the eye and leave white at full closure. Here the skin above the
lashes is stretched, column by column, while the lashes move down as they are and the eye stays behind them.

Conventions: (x, y) in pixels, pixel centres at whole numbers; lengths in eye distances.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from thgeval_baselines.photo.portrait import Image, Points, Portrait

LIDS = (((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45)))
"""Landmarks of the upper and the lower lid of each eye, from left to right."""

_LASHES = 0.035


@dataclass(frozen=True, eq=False)
class Eyelid:
    """One upper eyelid: the box it moves in, and rows per column where its skin begins and its edge can be."""

    box: tuple[slice, slice]
    fold: Points
    opened: Points
    closed: Points
    unit_px: float

    @classmethod
    def of(cls, portrait: Portrait, upper: tuple[int, ...], lower: tuple[int, ...]) -> "Eyelid":
        """The eyelid whose edge runs through the landmarks ``upper`` and that closes onto ``lower``."""
        unit_px = portrait.eye_distance_px
        left, right = portrait.landmarks[upper[0], 0], portrait.landmarks[upper[-1], 0]
        columns = np.arange(int(left - 0.12 * unit_px), int(right + 0.12 * unit_px) + 1).astype(np.float64)
        inwards = np.clip(np.minimum(columns - left, right - columns) / (0.08 * unit_px), 0, 1)
        edge, rest = (_cubic(portrait.landmarks[list(lid)], np.clip(columns, left, right)) for lid in (upper, lower))
        opened = np.minimum(edge - 0.012 * unit_px * inwards, rest)
        # The corners go down a little too: else the lashes outside the eye would stay up when it closes.
        corners = np.exp(-(((columns[:, None] - (left, right)) / (0.06 * unit_px)) ** 2)).sum(axis=1)
        closed = np.maximum(rest + 0.02 * unit_px * inwards, opened) + 0.03 * unit_px * corners
        brow = np.interp(columns, *portrait.landmarks[17:27].T) + 0.055 * unit_px
        fold = np.minimum(np.maximum(opened - 0.115 * unit_px, brow), opened - 0.06 * unit_px)
        rows = slice(int(fold.min()) - 1, int(np.ceil(closed.max())) + 3)
        return cls((rows, slice(int(columns[0]), int(columns[-1]) + 1)), fold, opened, closed, unit_px)

    def close(self, picture: Image, original: Image, blink: float) -> None:
        """Pull the lid of ``original`` down by ``blink`` (0 to 1) of the way, in ``picture`` (changed in place)."""
        rows, columns = self.box
        y = np.arange(rows.start, rows.stop, dtype=np.float64)[:, None]
        edge = self.opened + blink * (self.closed - self.opened)
        lashes = _LASHES * self.unit_px
        stretch = (self.opened - lashes - self.fold) / (edge - lashes - self.fold)
        read_y = np.where(y < edge - lashes, self.fold + (y - self.fold) * stretch, y - edge + self.opened)
        read_y = np.where(y < self.fold, y, read_y).astype(np.float32)
        read_x = np.broadcast_to(np.arange(columns.start, columns.stop), read_y.shape).astype(np.float32)
        lid = cv2.remap(original, read_x, read_y, cv2.INTER_LINEAR)
        cover = np.clip((edge - y) / max(1.0, 0.014 * self.unit_px) + 0.5, 0, 1)[..., None]
        patch = picture[self.box].astype(np.float64)
        picture[self.box] = np.rint(patch + cover * (lid - patch)).astype(np.uint8)


def _cubic(points: Points, columns: Points) -> Points:
    """Rows of the cubic through four points, at ``columns``."""
    middle = points[:, 0].mean()
    return np.asarray(np.polyval(np.polyfit(points[:, 0] - middle, points[:, 1], 3), columns - middle))
