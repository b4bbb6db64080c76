"""Blinks in a sequence of how far an eye is open: runs of frames below a threshold, or fast falls."""

from itertools import zip_longest
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Blinks(NamedTuple):
    """Blinks in order of time, each (blinks,).

    ``frames`` is how many frames each one lasts; ``whole`` says whether an open eye is seen right before and right
    after, so that this is how long it lasted.
    """

    frames: NDArray[np.int64]
    whole: NDArray[np.bool_]


def blinks(openness: NDArray[np.float64], *, threshold: float, least: int) -> Blinks:
    """Blinks in the (frames,) openness of one person's eyes, NaN where there is no face.

    A blink is a run of frames below ``threshold``, at least ``least`` of them. Frames without a face between two of
    them belong to it; at its ends they leave its length unknown, as the ends of the clip do.
    """
    seen = np.flatnonzero(~np.isnan(openness))
    edges = np.diff((openness[seen] < threshold).astype(np.int8), prepend=0, append=0)
    first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    counted = last - first + 1 >= least
    first, last = first[counted], last[counted]
    before, after = np.r_[-2, seen][first], np.r_[seen, -2][last + 1]
    begins, ends = seen[first], seen[last]
    return Blinks(ends - begins + 1, (before == begins - 1) & (after == ends + 1))


def falls(openness: NDArray[np.float64], *, drop: float, apart: int) -> Blinks:
    """Blinks in the (frames,) openness of one person's eyes, where it falls fast: from open to open again.

    A blink is a peak, of at least ``drop``, of how much the openness falls from one frame to the next; of peaks fewer
    than ``apart`` frames from a higher one none counts. It begins and ends at the peaks of the openness nearest to it
    that lie above the middle of its range, no later than the next fall, and lasts from one to the other; a fall that is
    followed by another before the eye is open again belongs to that one. A blink that begins or ends with the clip is
    whole. Frames without a face must be filled beforehand: ValueError.

    Source: DinoMan/blink-detector at 325e301, ``process_video``.
    """
    if np.isnan(openness).any():
        raise ValueError("every frame needs a value")
    if len(openness) < 2:
        return Blinks(np.empty(0, np.int64), np.empty(0, np.bool_))
    middle = (openness.min() + openness.max()) / 2
    points = _peaks(-np.diff(openness), height=drop, distance=apart).tolist()
    lengths = [
        end - _begin(openness, point, middle)
        for point, following in zip_longest(points, points[1:])
        if (end := _end(openness, point, following, middle)) is not None
    ]
    found = np.array([length for length in lengths if length > 0], np.int64)
    return Blinks(found, np.ones(len(found), np.bool_))


def _begin(openness: NDArray[np.float64], point: int, middle: float) -> int:
    if openness[point - 1] <= openness[point]:
        return point
    before = _peaks(openness[: point + 1], height=middle)
    return int(before[-1]) if len(before) else 0


def _end(openness: NDArray[np.float64], point: int, following: int | None, middle: float) -> int | None:
    after = _peaks(openness[point:following], height=middle)
    if len(after):
        return int(point + after[0])
    return len(openness) - 1 if following is None else None


def _peaks(values: NDArray[np.float64], *, height: float, distance: int | None = None) -> NDArray[np.intp]:
    from scipy.signal import find_peaks  # takes half a second to import

    found, _ = find_peaks(values, height=height, distance=distance)
    return np.asarray(found)
