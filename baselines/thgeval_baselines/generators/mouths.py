"""Where the mouth lies in a picture of a face: cut out upright at one scale, and put back with a soft edge.

A face's eyes and the bridge of its nose, which speech doesn't move, say how it lies: a similarity brings them onto
those of the person's mean shape. In that frame the mouth and the chin lie in a square.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

STEADY = (27, 28, 29, 30, 36, 39, 42, 45)
"""Landmarks that say how the face lies: the nose's bridge and the corners of the eyes."""
TURNING = (0, 16, 27, 30, 33)
"""Landmarks whose places beside the steady ones say which way the head is turned."""
LIPS = slice(48, 68)
CHIN = slice(6, 11)
ALL = tuple(range(68))
INNER = ((61, 67), (62, 66), (63, 65))
"""Pairs of landmarks on the upper and the lower lip's inner edge."""
ACROSS, LIPS_BETWEEN, CHIN_TIP, EYES = (48, 54), (51, 57), 8, (36, 45)
EDGE = 0.12
"""The part of the square's side over which its picture passes into the frame's; lips and chin lie inside of it."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where a person's mouth is found: ``shape`` (68, 2) is the mean of the landmarks with the steady ones brought onto
    each other, ``corner`` (2,) and ``side`` the square around lips and chin in it; the unit is px of the fit video.
    """

    WAYS: ClassVar[int] = 2 * len(TURNING)

    shape: Array
    corner: Array
    side: float

    @classmethod
    def of(cls, landmarks: Array) -> "Place":
        """The place in faces with these landmarks (frames, 68, 2)."""
        shape = landmarks[0]
        for _ in range(3):
            shape = np.mean([_moved(each, _similarity(each, shape)) for each in landmarks], axis=0)
        all_marks = np.stack([_moved(each, _similarity(each, shape)) for each in landmarks])
        around = np.concatenate([all_marks[:, LIPS], all_marks[:, CHIN]], axis=1).reshape(-1, 2)
        low, high = np.percentile(around, 2, axis=0), np.percentile(around, 98, axis=0)
        side = float((high - low).max() / (1 - 2 * EDGE))
        return cls(shape, (low + high - side) / 2, side)

    def way(self, landmarks: Array, px: int) -> Array:
        """The similarity (2, 3) from a picture with these landmarks (68, 2) to the square, ``px`` wide."""
        matrix = _similarity(landmarks, self.shape)
        matrix[:, 2] -= self.corner
        matrix *= px / self.side
        matrix[:, 2] += (px / self.side - 1) / 2  # a pixel's coordinates are those of its middle
        return matrix

    def cut(self, image: Image, landmarks: Array, px: int) -> Image:
        """The square of a picture (height, width, 3), as (px, px, 3)."""
        way = self.way(landmarks, px)
        scale = np.hypot(way[0, 0], way[0, 1])
        if scale < 0.7:  # what is to be made smaller is blurred first, as an average of the area would
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 / scale), np.uint8)
        return np.asarray(cv2.warpAffine(image, way, (px, px), borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def put(self, image: Image, landmarks: Array, square: Image) -> Image:
        """The picture with the square's content (px, px, 3) in place of its own, softly passing into it."""
        height, width = image.shape[:2]
        way, flags = self.way(landmarks, square.shape[0]), cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        laid = cv2.warpAffine(square, way, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        share = cv2.warpAffine(mask(square.shape[0]), way, (width, height), flags=cv2.INTER_LINEAR | flags & 16)
        mixed = image + share[..., None] * (laid.astype(np.float32) - image)
        return np.rint(mixed).clip(0, 255).astype(np.uint8)

    def turned(self, landmarks: Array) -> Array:
        """What says which way a head is turned (10,): where its outer marks lie beside the mean's, in eye distances."""
        moved = _moved(landmarks, _similarity(landmarks, self.shape))
        return np.asarray((moved - self.shape)[list(TURNING)].ravel() / self._eyes_apart(), np.float64)

    def spoken(self, landmarks: Array) -> Array:
        """What speech does to a mouth in a clip with these landmarks (frames, 68, 2): (frames, 4), in eye distances.

        The gap between the inner lips, the mouth's width, its height and how low the chin lies, each from its mean over
        the clip. All 68 marks say how a face lies here: a head that turns changes these four least so.
        """
        there = np.stack([_moved(each, _similarity(each, self.shape, ALL)) for each in landmarks])
        gap = np.mean([_apart(there, pair) for pair in INNER], axis=0)
        found = np.stack([gap, _apart(there, ACROSS), _apart(there, LIPS_BETWEEN), there[:, CHIN_TIP, 1]], axis=1)
        return np.asarray((found - found.mean(axis=0)) / self._eyes_apart(), np.float64)

    def _eyes_apart(self) -> float:
        return float(_apart(self.shape[None], EYES)[0])

    def known(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"shape": self.shape.tolist(), "corner": self.corner.tolist(), "side": self.side}

    @classmethod
    def read(cls, known: dict[str, Any]) -> "Place":
        """Out of JSON."""
        return cls(np.array(known["shape"]), np.array(known["corner"]), float(known["side"]))


def mask(px: int) -> NDArray[np.float32]:
    """How much of the square is seen (px, px): all in the middle, nothing at its edges."""
    off = np.abs((np.arange(px) + 0.5) / px - 0.5)
    along = ((0.5 - off) / EDGE).clip(0, 1)
    soft = along * along * (3 - 2 * along)
    return np.asarray(soft[:, None] * soft, np.float32)


def steadied(found: Sequence[Array | None], over: float) -> list[Array | None]:
    """Landmarks (68, 2) of each frame without their trembling, by a Gaussian of ``over`` frames; gaps stay gaps."""
    there = np.flatnonzero([each is not None for each in found])
    if not len(there):
        return list(found)
    known = np.stack([each for each in found if each is not None]).reshape(len(there), -1)
    frames = np.arange(len(found))
    whole = np.stack([np.interp(frames, there, each) for each in known.T], axis=-1)
    smooth = gaussian_filter1d(whole, over, axis=0, mode="nearest").reshape(len(found), -1, 2)
    return [None if each is None else row for each, row in zip(found, smooth, strict=True)]


def _similarity(landmarks: Array, shape: Array, by: Sequence[int] = STEADY) -> Array:
    """The similarity (2, 3) that brings some of the landmarks onto a shape's with the least squares."""
    own, wanted = landmarks[list(by)], shape[list(by)]
    a, b = own - own.mean(0), wanted - wanted.mean(0)
    size = np.sum(a * a)
    along, across = np.sum(a * b) / size, np.sum(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / size
    turn = np.array([[along, -across], [across, along]])
    return np.column_stack([turn, wanted.mean(0) - turn @ own.mean(0)])


def _apart(landmarks: Array, pair: tuple[int, int]) -> Array:
    return np.asarray(np.linalg.norm(landmarks[:, pair[0]] - landmarks[:, pair[1]], axis=-1), np.float64)


def _moved(landmarks: Array, way: Array) -> Array:
    return np.asarray(landmarks @ way[:, :2].T + way[:, 2], np.float64)
