"""A generic face in three dimensions: the 68 landmarks of iBUG 300-W at rest, with the mouth and the eyes as usual.

Coordinates are in mm from the root of the nose (point 27): x to the right of the picture, y down, z towards the viewer.
The face is symmetrical, and no one's.

How it was made. Distances that anthropometry measures are rounded means of adults of both sexes (after Farkas,
"Anthropometry of the Head and Face", 1994): outer eye corners 90, inner 32, breadth of the face 136, of the nose 33 at
the wings, of the mouth 52; from the root of the nose down 50 to its base, 71 to the line of the lips, 118 to the chin;
the tip of the nose 20 in front of the root and 15 in front of the base; cornea 8 behind the root of the nose, outer eye
corners 12 behind the cornea. Points between those were set by hand on smooth curves. The jaw is the outline that is
seen, which slides over the cheek when the head turns: it lies 50 behind the root of the nose, halfway to the ear.

No landmarks, scans or models were fitted to get the shape. Two choices were made by looking at results: the depth of
the outline (where the yaw of the outline agrees with that of the nose, on real clips and on the synthetic heads 0 to 5
of ``thgeval_baselines``) and how much each rigid point counts (on heads 0 to 7 and 16 to 31). Figures of accuracy
are therefore published for other heads.
"""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_SIDE = [
    *[(-68, 6, -50), (-67, 24, -50), (-65, 42, -49), (-62, 59, -46), (-56, 76, -41)],  # 0-4, the jaw downwards
    *[(-47, 91, -34), (-36, 104, -25), (-20, 114, -17)],  # 5-7
    *[(-56, -6, -24), (-48, -14, -13), (-36, -17, -5), (-24, -16, -1), (-12, -13, 1)],  # 17-21, the brow inwards
    *[(-14, 46, 1), (-7, 48, 4)],  # 31, 32, under the nose
    *[(-45, 9, -20), (-36, 4, -13), (-25, 4, -10), (-16, 10, -13), (-25, 14, -11), (-36, 13, -14)],  # 36-41, the eye
    *[(-26, 71, -9), (-16, 66, 0), (-6, 63, 5)],  # 48-50, the upper lip's edge
    *[(-16, 78, -3), (-7, 81, 2)],  # 59, 58, the lower lip's edge
    *[(-22, 71, -7), (-8, 71, 3), (-8, 71, 3)],  # 60, 61, 67, the line of the lips
]
_SIDE_POINTS = [*range(8), *range(17, 22), 31, 32, *range(36, 42), 48, 49, 50, 59, 58, 60, 61, 67]
_OTHER_POINTS = [*range(16, 8, -1), *range(26, 21, -1), 35, 34, 45, 44, 43, 42, 47, 46, 54, 53, 52, 55, 56, 64, 63, 65]
_MIDDLE = {
    8: (0, 118, -14),
    27: (0, 0, 0),
    28: (0, 14, 5),
    29: (0, 28, 12),
    30: (0, 42, 20),
    33: (0, 50, 5),
    51: (0, 64, 6),
    57: (0, 82, 3),
    62: (0, 71, 4),
    66: (0, 71, 4),
}

RIGID: dict[int, float] = {
    **dict.fromkeys(range(27, 31), 2.0),
    **dict.fromkeys((*range(31, 36), 36, 39, 42, 45), 1.0),
    **dict.fromkeys((0, 1, 15, 16), 0.15),
}
"""Points that no expression moves, and how much they count: the bridge of the nose down to its tip, its base and the
corners of the eyes, and the outline beside the eyes.

The outline steadies yaw, being far behind the nose; counting more than this it makes pitch and roll worse.
"""


def _face() -> Points:
    points = np.empty((68, 3))
    side = np.array(_SIDE, np.float64)
    points[_SIDE_POINTS] = side
    points[_OTHER_POINTS] = side * (-1, 1, 1)
    points[list(_MIDDLE)] = list(_MIDDLE.values())
    return points


GENERIC_FACE: Points = _face()
EYE_DISTANCE = float(np.linalg.norm(GENERIC_FACE[45] - GENERIC_FACE[36]))
"""Distance of the outer eye corners in mm."""
