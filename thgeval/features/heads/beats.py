"""When a head beats: peaks of how fast it turns, of how its turning changes, or where it turns another way.

Turns are differentiated as rotations, in the head's own axes: the turn from one frame to the next, its changes, and the
changes of those. Before that, the quaternions are smoothed over time, Savitzky and Golay's way, by cubics over 9
frames. A beat lies between frames where what it is a peak of does.

Source: metrics/bas/so3_beat_detector.py of nachovigilante/talking-head-metrics at d236adb.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Floats = NDArray[np.float64]

WIDTH, DEGREE = 9, 3
LEAST_FRAMES = WIDTH
APART = 10
LEAST_TURN, LEAST_ANGLE = 1e-6, 0.1


def turns(pose_deg: Floats) -> Floats:
    """Turns from each frame to the next of smoothed yaw, pitch and roll: (frames, 3) deg to (frames - 1, 3) rad."""
    from scipy.signal import savgol_filter  # takes half a second to import

    rotations = Rotation.from_euler("ZXY", pose_deg[:, ::-1], degrees=True)
    smooth = Rotation.from_quat(savgol_filter(_continuous(rotations.as_quat()), WIDTH, DEGREE, axis=0))
    return np.asarray((smooth[:-1].inv() * smooth[1:]).as_rotvec())


def _continuous(quaternions: Floats) -> Floats:
    """The same rotations, each with the sign that is nearer to the one before."""
    flips = np.where((quaternions[1:] * quaternions[:-1]).sum(axis=1) < 0, -1.0, 1.0)
    return np.asarray(quaternions * np.concatenate([[1.0], np.cumprod(flips)])[:, None])


def _peaks(order: int, percentile: float) -> Callable[[Floats], Floats]:
    """Peaks of the length of the changes of some order that reach a percentile of the clip."""

    def found(turned: Floats) -> Floats:
        from scipy.signal import find_peaks  # takes half a second to import

        lengths = np.linalg.norm(np.diff(turned, n=order, axis=0), axis=1)
        at = find_peaks(lengths, height=np.percentile(lengths, percentile), distance=APART)[0]
        return np.asarray(at + (order + 1) / 2)

    return found


def _other_ways(turned: Floats) -> Floats:
    """Where the axes of the turns before and after are 0.1 rad apart or more, none within 10 frames of another."""
    sizes = np.linalg.norm(turned, axis=1)
    moving = (sizes[1:-3] > LEAST_TURN) & (sizes[3:-1] > LEAST_TURN)
    axes = turned / np.maximum(sizes, LEAST_TURN)[:, None]
    angles = np.arccos(np.clip((axes[1:-3] * axes[3:-1]).sum(axis=1), -1, 1))
    kept: list[int] = []
    for at in np.flatnonzero(moving & (angles > LEAST_ANGLE)).tolist():
        if not kept or at + 2 - kept[-1] >= APART:
            kept.append(at + 2)
    return np.array(kept, np.float64) + 0.5


BEATS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {"speed": _peaks(0, 75), "acceleration": _peaks(1, 75), "jerk": _peaks(2, 80), "direction": _other_ways}
)
"""When a head beats, (beats,) in frames, by its turns (frames - 1, 3)."""


def beats(pose_deg: Floats, kind: str) -> Floats:
    """When a head beats, in frames, by one of ``BEATS``: poses (frames, 3), ``LEAST_FRAMES`` or more, to (beats,)."""
    return BEATS[kind](turns(pose_deg))
