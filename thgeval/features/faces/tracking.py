"""Boxes moved along with what they show, from the frame where they were found.

The patch in each box, reduced to ``SIDE_PX`` across, is laid over a later frame at every shift of up to ``REACH`` box
widths from where it was last; the best normalised correlation wins, to a fraction of a pixel (by a parabola). Where it
stays below ``LOST`` the face is lost. Boxes keep their size.

Source: Lewis, "Fast Normalized Cross-Correlation", Vision Interface 1995, as OpenCV has it.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE_PX = 40
REACH = 0.25
LOST = 0.7

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Trail:
    """Faces to be followed: their boxes (faces, 4) where they were last, and what they showed when they were found."""

    boxes: Array
    patches: tuple[Picture, ...]

    @classmethod
    def of(cls, frame: Picture, boxes: NDArray[Any]) -> "Trail | None":
        """The trail of boxes found in a (height, width, 3) frame; None without any, or if one can't be followed.

        That is one that leaves the frame, or shows nothing but one grey.
        """
        picture = _grey(frame)
        inside = (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= picture.shape[::-1]).all()
        if not len(boxes) or not inside or (boxes[:, 2:] - boxes[:, :2] < 2).any():
            return None
        patches = tuple(_reduced(picture, box, SIDE_PX / (box[2] - box[0])) for box in np.rint(boxes))
        if any(patch.min() == patch.max() for patch in patches):  # OpenCV finds what is flat everywhere
            return None
        return cls(boxes.astype(np.float64), patches)

    def into(self, frame: Picture) -> "Trail | None":
        """The same trail one frame later; None if a face is lost."""
        picture = _grey(frame)
        moved = [_moved(picture, box, patch) for box, patch in zip(self.boxes, self.patches, strict=True)]
        found = [box for box in moved if box is not None]
        return Trail(np.stack(found), self.patches) if len(found) == len(moved) else None


def _moved(picture: Picture, box: Array, patch: Picture) -> Array | None:
    """Where the patch of a box is found in another picture: (4,); None if nowhere near."""
    scale = patch.shape[1] / (box[2] - box[0])
    reach = REACH * (box[2] - box[0])
    around = np.rint(box + reach * np.array([-1, -1, 1, 1]))
    around = np.clip(around, 0, np.tile(picture.shape[::-1], 2))
    window = _reduced(picture, around, scale)
    if window.shape[0] < patch.shape[0] or window.shape[1] < patch.shape[1]:
        return None
    fits = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
    row, column = np.unravel_index(int(fits.argmax()), fits.shape)
    if not fits[row, column] >= LOST:
        return None
    corner = np.array([column + _peak(fits[row], int(column)), row + _peak(fits[:, column], int(row))])
    shift = around[:2] + corner / scale - box[:2]
    return np.asarray(box + np.tile(shift, 2))


def _peak(values: NDArray[Any], at: int) -> float:
    """Where the parabola through a highest value and its neighbours has its top, from -0.5 to 0.5."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * here + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


def _reduced(picture: Picture, box: Array, scale: float) -> Picture:
    left, top, right, bottom = (int(value) for value in box)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    return np.asarray(cv2.resize(picture[top:bottom, left:right], size, interpolation=cv2.INTER_AREA), np.uint8)


def _grey(frame: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
