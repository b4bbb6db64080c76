"""Where a portrait's landmarks go: by a driving video, or by actions and angles.

Everything happens in the picture's plane. A video's motion is taken over from how the person begins in it (relative
transfer), made as large as the portrait's face is. Actions move landmarks as they move those of the rig's mean head
seen from the front, with the portrait's lips closed to begin with; angles move them as a generic relief would
(``photo.geometry``).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import ConvexHull

from thgeval_baselines.photo.geometry import RANGES, Parameters, expressed, landmark_depth, posed_points
from thgeval_baselines.photo.portrait import Portrait
from thgeval_baselines.rig.model import rig

Curve = NDArray[np.float64]

SMOOTHED_FRAMES = 0.6
SHUTTING = ("jawOpen", "mouthClose")
"""Actions that say how far lips are apart: a portrait that smiles with open lips closes them where these are given."""
BLINKS = ("eyeBlinkRight", "eyeBlinkLeft")
"""Of the eye on the left as seen, then of the other: the person's right comes first."""
LIDS = (((37, 41), (38, 40), (36, 39)), ((43, 47), (44, 46), (42, 45)))
"""Upper and lower lid of each eye, twice, and its corners."""
OPEN, SHUT = 0.9, 0.5
"""Of an eye's usual openness: below which it begins to shut, and at which dlib reads shut ones."""
USUAL = 75
"""The percentile of openness over time that is an eye's usual one."""


@dataclass(frozen=True, eq=False)
class LandmarkTrack:
    """``landmarks`` (frames, 68, 2) px in the portrait's picture, and ``blinks`` (frames, 2), 0 as the portrait has its
    eyes to 1 shut, of the eyes on the left and on the right as seen.
    """

    landmarks: Curve
    blinks: Curve

    def __len__(self) -> int:
        return len(self.landmarks)


def followed(portrait: Portrait, marks: Curve) -> LandmarkTrack:
    """The portrait doing what landmarks (frames, 68, 2) px of somebody else do from their first frame on."""
    smooth = gaussian_filter1d(marks, SMOOTHED_FRAMES, axis=0, mode="nearest")
    share = np.sqrt(ConvexHull(portrait.landmarks).volume / ConvexHull(smooth[0]).volume)
    return LandmarkTrack(
        portrait.landmarks + share * (smooth - smooth[0]), np.stack([_blink(marks, eye) for eye in LIDS], 1)
    )


def acting(portrait: Portrait, actions: Curve, given: NDArray[np.bool_], angles: Curve) -> LandmarkTrack:
    """The portrait with actions (frames, 52) in [0, 1], those that are ``given`` (52,), and (frames, 3) degrees of yaw,
    pitch and roll after the first frame.
    """
    names, unit = rig().action_names, portrait.eye_distance_px
    neutral, moves = portrait.landmarks, _moves()
    at_rest = neutral
    if given[[names.index(name) for name in SHUTTING]].any():
        at_rest = expressed(neutral, Parameters(smile=1.0), unit_px=unit)
    level = (neutral[45] - neutral[36]) / unit
    turn = np.array([[level[0], level[1]], [-level[1], level[0]]])
    bent = at_rest + unit * np.einsum("fa,aln->fln", np.where(given, actions, 0), moves) @ turn
    depth = landmark_depth(neutral, unit_px=unit)
    most = np.array([RANGES[name][1] for name in ("yaw", "pitch", "roll")])
    steps = np.clip(angles - angles[0], -most, most)
    landmarks = [
        posed_points(flat, depth, Parameters(yaw=yaw, pitch=pitch, roll=roll), neutral=neutral, size=portrait.size)[0]
        for flat, (yaw, pitch, roll) in zip(bent, steps, strict=True)
    ]
    lids = [names.index(name) for name in BLINKS]
    return LandmarkTrack(np.array(landmarks), np.where(given[lids], actions[:, lids], 0.0))


@cache
def _moves() -> Curve:
    """How actions move landmarks (52, 68, 2), x to the right and y down as seen, in eye distances; lids don't."""
    head = rig()
    marks = head.vertices[head.landmarks]
    moves = head.actions[:, head.landmarks, :2] * np.array([1.0, -1.0]) / np.linalg.norm(marks[45] - marks[36])
    moves[[head.action_names.index(name) for name in BLINKS]] = 0
    return np.asarray(moves, np.float64)


def _blink(marks: Curve, eye: tuple[tuple[int, int], ...]) -> Curve:
    """How far an eye is shut (frames,), 0 to 1, by its openness against its usual one."""
    first, second, corners = (np.linalg.norm(marks[:, a] - marks[:, b], axis=-1) for a, b in eye)
    openness = (first + second) / (2 * corners)
    ratio = openness / max(float(np.percentile(openness, USUAL)), 1e-6)
    return np.asarray(np.clip((OPEN - ratio) / (OPEN - SHUT), 0, 1))
