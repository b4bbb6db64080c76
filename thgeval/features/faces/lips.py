"""How a mouth moves, freed of the head it sits in: what the landmark-speech network sees of a clip.

From 68 landmarks in px at any times to rows at 25 Hz, in five steps:

1. straight lines in time bring the landmarks to 25 Hz
2. each frame is turned upright by the line between the eyes and divided by the size of the face (the root of squared
   distances eye to eye and eyes to nose), both averaged over time, so that what jitters there doesn't jitter the mouth
3. the mouth is taken about its own middle, and averaged with its mirror image: yaw and mirrored pictures change nothing
4. the average of two seconds around is subtracted: what is left is motion, whatever the person, pose or detector
5. velocities go beside it

Points are iBUG 300-W's: 36 to 47 are the eyes, 33 is under the nose, 48 to 67 the mouth.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LANDMARKS_HZ = 25
COLUMNS = 40
SIZE_S, ROLL_S, REST_S = 1.0, 0.4, 2.0
"""How much time sizes, angles and rest positions are averaged over."""
GAIN = 10.0

Floats = NDArray[np.float64]

_PAIRS = np.array([(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)])
_MIDDLES = np.array([51, 57, 62, 66])


class Lips(NamedTuple):
    """Rows of lip motion at 25 Hz, (rows, 40) float32, and which of them rest on frames with a face: (rows,)."""

    rows: NDArray[np.float32]
    seen: NDArray[np.bool_]


def lips(points: Floats, times: Floats) -> Lips:
    """The motion of the mouth whose landmarks are ``points``: (frames, 68, 2) px, NaN where there is no face.

    ``times`` (frames,) are the seconds at which they are shown, from 0 on. Rows without a face
    hold what straight lines between the frames around give, and are marked; without any face there are no rows to mark.
    """
    points, seen = at_25_hz(points, times)
    if not seen.any():
        return Lips(np.zeros((len(points), COLUMNS), np.float32), seen)
    shape = mirrored_mean(upright(bridged(points, seen)))
    motion = GAIN * (shape - moving_mean(shape, REST_S))
    return Lips(np.concatenate([motion, velocity(motion)], axis=1).astype(np.float32), seen)


def at_25_hz(points: Floats, times: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """The same points at 25 Hz, and which rows lie between frames that both show them; the others are NaN."""
    frames = len(points)
    rows = int(times[-1] * LANDMARKS_HZ + 1e-6) + 1 if frames else 0
    place = np.interp(np.arange(rows) / LANDMARKS_HZ, times, np.arange(frames)) if frames else np.zeros(0)
    before = np.minimum(np.floor(place + 1e-9).astype(np.intp), max(frames - 1, 0))
    after = np.minimum(before + 1, max(frames - 1, 0))
    share = np.clip(place - before, 0, 1)[:, None, None]
    exact = share[:, 0, 0] < 1e-9
    moved = np.where(exact[:, None, None], points[before], (1 - share) * points[before] + share * points[after])
    return moved, np.asarray(~np.isnan(moved).any(axis=(1, 2)))


def bridged(points: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Rows that are not ``seen``, filled along straight lines, and held before the first and after the last."""
    if seen.all():
        return points
    there = np.flatnonzero(seen)
    flat = points.reshape(len(points), -1)
    filled = [np.interp(np.arange(len(points)), there, column[there]) for column in flat.T]
    return np.stack(filled, axis=1).reshape(points.shape)


def upright(points: Floats) -> Floats:
    """The mouth about its middle, (rows, 20, 2), in units of the face's size, with the eyes on a level."""
    right, left, nose = points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1), points[:, 33]
    across, down = left - right, nose - (left + right) / 2
    size = moving_mean(np.sqrt(np.sum(across**2 + down**2, axis=1))[:, None], SIZE_S)[:, 0]
    x, y = moving_mean(across / np.linalg.norm(across, axis=1, keepdims=True), ROLL_S).T
    length = np.hypot(x, y)
    turn = np.stack([np.stack([x, y], axis=1), np.stack([-y, x], axis=1)], axis=1) / length[:, None, None]
    mouth = points[:, 48:] - points[:, 48:].mean(axis=1, keepdims=True)
    return np.asarray(np.einsum("tij,tpj->tpi", turn, mouth) / size[:, None, None])


def mirrored_mean(mouth: Floats) -> Floats:
    """Half widths and heights, averaged over left and right: (rows, 20), from (rows, 20, 2)."""
    first, second = mouth[:, _PAIRS[:, 0] - 48], mouth[:, _PAIRS[:, 1] - 48]
    widths = (second[..., 0] - first[..., 0]) / 2
    heights = (second[..., 1] + first[..., 1]) / 2
    return np.concatenate([widths, heights, mouth[:, _MIDDLES - 48, 1]], axis=1)


def moving_mean(values: Floats, seconds: float) -> Floats:
    """The mean of (rows, columns) over ``seconds`` around each row, over fewer rows at the ends."""
    half = round(seconds * LANDMARKS_HZ / 2)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    row = np.arange(len(values))
    first, end = np.maximum(row - half, 0), np.minimum(row + half + 1, len(values))
    return np.asarray((total[end] - total[first]) / (end - first)[:, None])


def velocity(values: Floats) -> Floats:
    """Half the difference between the rows after and before, per row; whole differences at the ends, 0 of one row."""
    return np.gradient(values, axis=0) if len(values) > 1 else np.zeros_like(values)
