"""From boxes of faces in every frame to tracks of one face each, and to the square crops that SyncNet looks at.

Boxes are (left, top, right, bottom) in px. Everything follows ``run_pipeline.py`` of joonson/syncnet_python (6efbb1c):

Tracks   Within a scene the first face not yet used starts a track. In each later frame the track takes the face that
         overlaps its last box by more than one half (intersection over union), as long as no more than 25 frames were
         missed. It is kept if it has more than ``min_track`` detections and its mean width or height exceeds 100 px.
         Missed frames are interpolated linearly. Scenes shorter than ``min_track`` frames are passed over.
Squares  Half side s = max(width, height) / 2 and the centre of each box run through a median of 13 frames with zeros
         beyond the ends, so that the first and last six frames are biased low: at the very first the median is the
         smallest of seven values.
Crops    The square of side 2.8 s around the face: from the top of the face's own square to 0.8 s below it, 0.4 s to
         either side. What lies outside the frame is grey 110. Bilinear to 224 px.

With a strided detector only every n-th frame has boxes, so that a track needs n times fewer detections.

``tracker`` is ``any``, as above, or ``first``: only the best face of a frame that no track has yet is looked at, as in
``syncnet_pipeline.py`` of congwei1230/MoChaBench (043908d). Where two faces change places in that order, a track misses
its own, and may be lost or go on after a gap.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

TRACKERS = ("any", "first")
OVERLAP, MOST_MISSED, SMALLEST_FACE_PX = 0.5, 25, 100
SMOOTHED_OVER = 13
MARGIN, GREY, SIDE_PX = 0.4, 110, 224

Boxes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FaceBoxes:
    """Boxes of every frame, each (faces, 4), best first; frames where a scene ends; and how many frames were skipped.

    ``every`` is the stride of the detector: other frames have no boxes. ``end`` is where the last scene ends, if not
    with the last frame.
    """

    boxes: tuple[Boxes, ...]
    cuts: tuple[int, ...] = ()
    every: int = 1
    end: int | None = None

    @property
    def found(self) -> int:
        """In how many frames there is a face."""
        return sum(len(boxes) > 0 for boxes in self.boxes)

    def scenes(self) -> Iterator[tuple[int, int]]:
        """First frame and end of every scene."""
        bounds = (0, *self.cuts, len(self.boxes) if self.end is None else self.end)
        yield from pairwise(bounds)


@dataclass(frozen=True, eq=False)
class Track:
    """One face from frame ``first`` on: boxes (frames, 4), and in how many frames it was really ``detected``."""

    first: int
    boxes: Boxes
    detected: int

    @property
    def size_px(self) -> float:
        """Mean width or height, whichever is larger."""
        return float((self.boxes[:, 2:] - self.boxes[:, :2]).mean(axis=0).max())


def tracks(faces: FaceBoxes, *, min_track: int, tracker: str = "any") -> list[Track]:
    """The tracks that are long and large enough, in the order the module says."""
    followed = all_tracks(faces, min_track=min_track, tracker=tracker)
    found = [track for track in followed if is_long(track, faces, min_track=min_track)]
    return [track for track in found if track.size_px > SMALLEST_FACE_PX]


def is_long(track: Track, faces: FaceBoxes, *, min_track: int) -> bool:
    """Whether a track has more than ``min_track`` detections, or the like share of a strided detector's."""
    return track.detected * faces.every > min_track


def all_tracks(faces: FaceBoxes, *, min_track: int, tracker: str = "any") -> Iterator[Track]:
    """Every track of scenes that have at least ``min_track`` frames, however short."""
    for start, end in faces.scenes():
        if end - start >= min_track:
            unused = [list(boxes) for boxes in faces.boxes[start:end]]
            while any(unused):
                yield _next_track(unused, start, tried=1 if tracker == "first" else None)


def overlap(a: Boxes, b: Boxes) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    return shared / float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared)


def _next_track(unused: list[list[Boxes]], start: int, *, tried: int | None) -> Track:
    """Takes the faces of one track out of ``unused``, looking at the first ``tried`` of each frame; None: at all."""
    frames: list[int] = []
    boxes: list[Boxes] = []
    for frame, candidates in enumerate(unused):
        if frames and frame - frames[-1] > MOST_MISSED:
            break
        for i, box in enumerate(candidates[:tried]):
            if not frames or overlap(box, boxes[-1]) > OVERLAP:
                frames.append(frame)
                boxes.append(candidates.pop(i))
                break
    known = np.stack(boxes)
    every = np.arange(frames[0], frames[-1] + 1)
    filled = np.stack([np.interp(every, frames, column) for column in known.T], axis=1)
    return Track(start + frames[0], filled, len(frames))


def squares(boxes: Boxes) -> NDArray[np.float64]:
    """Centre x, centre y and half side of each face's square after the running median: (frames, 3)."""
    from scipy.signal import medfilt  # takes half a second to import

    sides = boxes[:, 2:] - boxes[:, :2]
    raw = [(boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2, sides.max(axis=1) / 2]
    return np.stack([medfilt(series, SMOOTHED_OVER) for series in raw], axis=1)


def bounds(square: Sequence[float] | NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the crop in px of the frame, which it may exceed."""
    x, y, s = (float(value) for value in square)
    pad = int(s * (1 + 2 * MARGIN))
    below, beside = s * (1 + 2 * MARGIN), s * (1 + MARGIN)
    edges = (y + pad - s, y + pad + below, x + pad - beside, x + pad + beside)
    top, bottom, left, right = (int(edge) - pad for edge in edges)
    return top, bottom, left, right


def cropped(frame: NDArray[Any], square: Sequence[float] | NDArray[np.float64]) -> NDArray[np.uint8]:
    """The face in a frame, (height, width, 3) uint8, as (224, 224, 3)."""
    top, bottom, left, right = bounds(square)
    height, width = frame.shape[:2]
    face = np.full((bottom - top, right - left, 3), GREY, np.uint8)
    rows = slice(max(top, 0), max(min(bottom, height), 0))
    columns = slice(max(left, 0), max(min(right, width), 0))
    inside = frame[rows, columns]
    if inside.size:
        down, along = rows.start - top, columns.start - left
        face[down : down + inside.shape[0], along : along + inside.shape[1]] = inside
    return np.asarray(cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR), np.uint8)
