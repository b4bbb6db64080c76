"""Where the 68 landmarks of a face go: ten parameters of expression and pose, applied exactly.

Expression moves landmarks in the plane of the portrait by fixed weights; pose then turns them in depth round a point
inside the neck, with a generic relief (half an ellipsoid, nose, brows, lips and chin) in place of a measured one, and
projects them without perspective. What is drawn is drawn at these points, so they are the truth of every frame.

Conventions: points are (x, y) in pixels, y down. Lengths are in eye distances (outer eye corners) and turned into
pixels by ``unit_px``. Depth grows towards the viewer and is 0 at the ears.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval_baselines.photo.portrait import Points

WIDEST_GAP = 0.26
"""Distance of points 62 and 66 at ``aperture`` 1, in eye distances."""


@dataclass(frozen=True)
class Parameters:
    """One frame of a head.

    aperture   distance of the inner lips: 0 closed, 1 is 0.26 eye distances (exact in a frontal pose)
    rounding   0 to 1: how far the lips are drawn together; 1 narrows the mouth by 28 % and leaves no smile
    smile      0 to 1: 1 keeps the portrait's smile, 0 brings the corners in (16 %) and down
    blink      0 open (as in the portrait) to 1 closed
    brow       -1 lowered to 1 raised, by 0.1 eye distances
    yaw        degrees, -35 to 35; positive moves the nose to the right of the picture
    pitch      degrees, -25 to 25; positive moves the nose up
    roll       degrees, -35 to 35; positive turns the head clockwise as seen
    tx, ty     shift right and down as a fraction of the picture's width, -0.1 to 0.1

    Raises ``ProtocolError`` outside these ranges.
    """

    aperture: float = 0.0
    rounding: float = 0.0
    smile: float = 0.4
    blink: float = 0.0
    brow: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    tx: float = 0.0
    ty: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ProtocolError(f"{name} is {value}, choose a value in [{low:g}, {high:g}]")


RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("aperture", "rounding", "smile", "blink"), (0.0, 1.0)),
    "brow": (-1.0, 1.0),
    **dict.fromkeys(("yaw", "roll"), (-35.0, 35.0)),
    "pitch": (-25.0, 25.0),
    **dict.fromkeys(("tx", "ty"), (-0.1, 0.1)),
}
PARAMETERS: tuple[str, ...] = tuple(field.name for field in fields(Parameters))

MOUTH = np.arange(48, 68)
_UPPER_INNER = np.array([61, 62, 63])
_LOWER_INNER = np.array([67, 66, 65])
_GAP_SHAPE = np.array([0.94, 1.0, 0.94])


def _weights(members: dict[int, float]) -> NDArray[np.float64]:
    """A weight for each landmark, 0 for those that are not named."""
    weights = np.zeros(68)
    for landmark, weight in members.items():
        weights[landmark] = weight
    return weights


# How much of the upper (lower) lip's way the landmarks round it go, of the corners' way when the smile fades, and of
# the thickness that lips gain when they are not drawn wide.
_UPPER = _weights({49: 0.55, 50: 0.9, 51: 0.95, 52: 0.9, 53: 0.55})
_LOWER = _weights({59: 0.68, 58: 0.94, 57: 0.97, 56: 0.94, 55: 0.68, 48: 0.2, 54: 0.2, 60: 0.2, 64: 0.2})
_JAW = _weights({3: 0.05, 4: 0.15, 5: 0.35, 6: 0.6, 7: 0.8, 8: 0.85, 9: 0.8, 10: 0.6, 11: 0.35, 12: 0.15, 13: 0.05})
_CORNERS = _weights({48: 1, 54: 1, 60: 1, 64: 1, 49: 0.5, 53: 0.5, 59: 0.5, 55: 0.5})
_FULLNESS = _weights(
    {50: -0.7, 51: -0.7, 52: -0.7, 49: -0.4, 53: -0.4, 58: 1, 57: 1, 56: 1, 59: 0.5, 55: 0.5},
)
_LIDS = {37: 41, 38: 40, 43: 47, 44: 46}

_RELIEF = _weights(
    dict.fromkeys(range(17, 27), 0.07)
    | {27: 0.06, 28: 0.16, 29: 0.28, 30: 0.42, 31: 0.17, 32: 0.22, 33: 0.25, 34: 0.22, 35: 0.17}
    | dict.fromkeys((*range(49, 54), *range(55, 60)), 0.06)
    | {7: 0.08, 8: 0.1, 9: 0.08},
)


def expressed(neutral: Points, frame: Parameters, *, unit_px: float, lids: bool = True) -> Points:
    """The (68, 2) landmarks with expression and without pose; ``lids=False`` leaves the eyes open."""
    moved = neutral.copy()
    middle = (neutral[48, 0] + neutral[54, 0]) / 2
    fading = 1 - frame.smile * (1 - frame.rounding)
    width = (1 - 0.28 * frame.rounding) * (1 - 0.16 * fading) * (1 - 0.06 * frame.aperture)
    moved[MOUTH, 0] = middle + (neutral[MOUTH, 0] - middle) * width
    moved[:, 1] += unit_px * (0.055 * fading * _CORNERS + 0.03 * (0.6 * fading + frame.rounding) * _FULLNESS)
    opened = frame.aperture * WIDEST_GAP * unit_px * _GAP_SHAPE - (neutral[_LOWER_INNER, 1] - neutral[_UPPER_INNER, 1])
    up = opened * np.where(opened < 0, 0.35, 0.08)
    down = opened - up
    moved[_UPPER_INNER, 1] -= up
    moved[_LOWER_INNER, 1] += down
    moved[:, 1] += (_LOWER + _JAW) * down[1] - _UPPER * up[1]
    moved[17:27, 1] -= 0.1 * unit_px * frame.brow
    if lids:
        for upper, lower in _LIDS.items():
            moved[upper] += frame.blink * (neutral[lower] - neutral[upper])
    return moved


def relief(points: Points, neutral: Points, *, unit_px: float) -> Points:
    """Depth in pixels at (points, 2) of the smooth face: half an ellipsoid over the face, 0 outside."""
    centre = np.array([(neutral[0, 0] + neutral[16, 0]) / 2, neutral[29, 1]])
    away = (points - centre) / (unit_px * np.array([0.85, 1.35]))
    return np.asarray(0.75 * unit_px * np.sqrt(np.clip(1 - np.sum(away**2, axis=-1), 0, None)))


def landmark_depth(neutral: Points, *, unit_px: float) -> Points:
    """Depth in pixels of the (68,) landmarks: the smooth face plus nose, brows, lips and chin.

    The inner lips share one depth, so that they stay closed in every pose.
    """
    depth = relief(neutral, neutral, unit_px=unit_px) + unit_px * _RELIEF
    depth[60:] = depth[[51, 57]].mean()
    return np.asarray(depth)


def posed_points(
    points: Points, depth: Points, frame: Parameters, *, neutral: Points, size: int
) -> tuple[Points, Points]:
    """(points, 2) and their depths (points,) after yaw, pitch, roll and shift of a head at rest at ``neutral``."""
    unit_px = float(np.linalg.norm(neutral[45] - neutral[36]))
    pivot = np.array([(neutral[0, 0] + neutral[16, 0]) / 2, neutral[33, 1] + 0.2 * unit_px])
    x, y = (points - pivot).T
    z = depth + 0.3 * unit_px
    yaw, pitch, roll = np.deg2rad([frame.yaw, frame.pitch, frame.roll])
    x, z = np.cos(yaw) * x + np.sin(yaw) * z, np.cos(yaw) * z - np.sin(yaw) * x
    y, z = np.cos(pitch) * y - np.sin(pitch) * z, np.cos(pitch) * z + np.sin(pitch) * y
    x, y = np.cos(roll) * x - np.sin(roll) * y, np.sin(roll) * x + np.cos(roll) * y
    shift = size * np.array([frame.tx, frame.ty])
    return np.stack([x, y], axis=-1) + pivot + shift, z - 0.3 * unit_px
