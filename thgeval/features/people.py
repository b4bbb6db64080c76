"""Who is measured: one face of each frame, or all of them, chosen from boxes over the whole clip.

``who`` is the policy:

``largest``  the face with the largest box of each frame
``first``    the one that the detector lists first
``track``    one face followed through the clip: it begins with the largest face of the first frame that has any, and
             goes on with the face whose box overlaps the last one most, if any does
``all``      every face, from left to right; a frame with another number of faces than most has none

Arrays of people are (frames, people, ...): one person, or as many as most frames show under ``all``. What isn't there
is NaN.
"""

from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, Grain, feature
from thgeval.features.faces import Faces, faces
from thgeval.features.landmarks import CHAINS, landmarks

POLICIES = ("largest", "first", "track", "all")

Slots = NDArray[np.int64]


def _faces_of(landmarks: str, follow: str, **_: Any) -> Feature[Faces]:
    return faces(detector=CHAINS[landmarks].detector, follow=follow)


@feature(_faces_of, version=1, grain=Grain.CLIP)
def people(
    found: Faces, *, landmarks: str = "dlib", follow: str = "every", who: str = "largest", min_px: int = 0
) -> Slots:
    """The slots of the chosen faces: (frames, people), -1 where there is none.

    Faces whose box is less than ``min_px`` wide or high are not there at all.
    """
    if who not in POLICIES:
        raise ProtocolError(f"who must be one of {', '.join(POLICIES)}, not {who!r}")
    boxes = found.boxes.astype(np.float64)
    sides = np.minimum(boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1])
    boxes[~(sides >= min_px)] = np.nan
    return CHOICES[who](boxes)


@feature(
    lambda landmarks, follow, **_: _landmarks(landmarks, follow),
    lambda fill, **chosen: people(**chosen),
    version=1,
    grain=Grain.CLIP,
)
def shapes(
    points: NDArray[np.float32],
    slots: Slots,
    *,
    landmarks: str = "dlib",
    follow: str = "every",
    who: str = "largest",
    min_px: int = 0,
    fill: int = 0,
) -> NDArray[np.float64]:
    """68 landmarks of the chosen people in px: (frames, people, 68, 2), NaN where there is no face.

    Gaps of at most ``fill`` frames between two frames with a face are filled along straight lines.
    """
    return filled(taken(points, slots), fill)


def _landmarks(model: str, follow: str) -> Feature[NDArray[np.float32]]:
    return landmarks(model=model, follow=follow)


def taken(values: NDArray[Any], slots: Slots) -> NDArray[np.float64]:
    """Values of slots, (frames, SLOTS, ...), as values of people, (frames, people, ...); NaN where there is none."""
    frames = np.arange(len(slots))[:, None]
    chosen = values[frames, np.maximum(slots, 0)].astype(np.float64)
    chosen[slots < 0] = np.nan
    return chosen


def filled(values: NDArray[np.float64], gap: int) -> NDArray[np.float64]:
    """The same values, (frames, people, ...), with gaps of at most ``gap`` frames bridged by straight lines."""
    if not gap:
        return values
    values = values.copy()
    for person in range(values.shape[1]):
        own = values[:, person]
        there = np.flatnonzero(~np.isnan(own.reshape(len(own), -1)).any(axis=1))
        for before, after in pairwise(there):
            if 1 < after - before <= gap + 1:
                share = np.arange(1, after - before) / (after - before)
                steps = share.reshape(-1, *([1] * (own.ndim - 1)))
                own[before + 1 : after] = own[before] + steps * (own[after] - own[before])
    return values


def _largest(boxes: NDArray[np.float64]) -> Slots:
    return _best((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))[:, None]


def _first(boxes: NDArray[np.float64]) -> Slots:
    order = np.where(np.isnan(boxes[..., 0]), np.nan, -np.arange(boxes.shape[1], dtype=np.float64))
    return _best(order)[:, None]


def _best(scores: NDArray[np.float64]) -> Slots:
    """The slot with the highest score in each frame, the first of equals, -1 in frames without any: (frames,)."""
    there = ~np.isnan(scores)
    return np.where(there.any(axis=1), np.where(there, scores, -np.inf).argmax(axis=1), -1)


def _track(boxes: NDArray[np.float64]) -> Slots:
    slots = np.full((len(boxes), 1), -1, np.int64)
    last: NDArray[np.float64] | None = None
    largest = _largest(boxes)[:, 0]
    for frame, found in enumerate(boxes):
        if last is None:
            slot = int(largest[frame])
        else:
            overlaps = overlap(found, last)
            slot = int(np.nanargmax(overlaps)) if np.nanmax(overlaps, initial=0.0) > 0 else -1
        if slot >= 0:
            slots[frame, 0], last = slot, found[slot]
    return slots


def _all(boxes: NDArray[np.float64]) -> Slots:
    there = ~np.isnan(boxes[..., 0])
    counts = there.sum(axis=1)
    seen = counts[counts > 0]
    if not len(seen):
        return np.full((len(boxes), 1), -1, np.int64)
    usual = int(np.bincount(seen).argmax())
    order = np.argsort(np.where(there, boxes[..., 0] + boxes[..., 2], np.inf), axis=1, kind="stable")[:, :usual]
    return np.where((counts == usual)[:, None], order, -1)


def overlap(boxes: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of (boxes, 4) with one (4,); NaN for boxes that are not there."""
    width = np.minimum(boxes[:, 2], other[2]) - np.maximum(boxes[:, 0], other[0])
    height = np.minimum(boxes[:, 3], other[3]) - np.maximum(boxes[:, 1], other[1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    union = area + (other[2] - other[0]) * (other[3] - other[1]) - shared
    return np.asarray(shared / union)


CHOICES = MappingProxyType({"largest": _largest, "first": _first, "track": _track, "all": _all})
