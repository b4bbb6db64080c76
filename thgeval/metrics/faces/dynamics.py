"""Three measures of THEval: how much lips, brows and head of a generated clip move, beside real ones."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import shown
from thgeval.features.heads.pose import ESTIMATORS, pose
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.metrics.faces.missing import Array, policy, present
from thgeval.metrics.faces.whom import Landmarked, over_people, with_choice
from thgeval.metrics.theval import near_truth
from thgeval.parameter import holding, parameter
from thgeval.states import ClipMean

SQUARE_PX = 256
LIPS = slice(48, 68)
BROWS, EYES = ((17, 22), (22, 27)), ((36, 42), (42, 48))
"""Of the right and the left side of the face: first point, and the one after the last."""


@dataclass(frozen=True)
class Dynamics(Metric[ClipMean]):
    """One number a clip, from a person's landmarks over time; its frames carry it, so that they are counted."""

    whom: Landmarked = holding(Landmarked(), missing=policy("skip", "fail"))

    better = Better.CLOSER_TO_REFERENCE
    cites = ("theval2026",)
    range = (0.0, math.inf)

    @property
    def points(self) -> Feature[Array]:
        """Landmarks of the chosen people."""
        return shapes(**self.whom.chosen)

    @property
    def needs(self) -> Needs:
        """Landmarks of the generated clip, and the size of its frames."""
        return of_generated(*with_choice(self.points), shown)

    @abstractmethod
    def of_person(self, view: View, person: int, seen: NDArray[np.bool_]) -> float:
        """The number of one person, over the frames in which they are ``seen``, two or more."""

    def measure(self, view: View) -> ClipMean:
        """The number of a clip, at every frame that it rests on; the mean over people."""
        points, why = self.whom.alone(view, self.points)
        there = present(points)
        if not there.any():
            raise InputError(f"{view.clip}: no face is found in any frame", reason="no face")
        values = np.full(there.shape, np.nan)
        for person, seen in enumerate(there.T):
            if seen.sum() >= 2:
                values[seen, person] = self.of_person(view, person, seen)
        if np.isnan(values).all():
            raise InputError(f"{view.clip}: less than two frames have a face", reason="too short")
        return ClipMean({view.clip: (self.whom.part(over_people(values), why),)})

    def remark(self, state: ClipMean) -> str | None:
        """The authors' score of the set, which is no mean over clips."""
        said = [super().remark(state), near_truth(self.name, state.value) if state.scored else None]
        return "; ".join(filter(None, said)) or None


@dataclass(frozen=True)
class LipDynamics(Dynamics):
    """How much the shape of the lips changes while the clip plays.

    Reads    the 20 points of the mouth of the generated clip, in px of its frames squeezed into a square of 256 px
    Returns  standard deviation over time of the distance of every two points, mean over pairs of points, then clips:
             in px, from 0. The authors found 1.7166 on real videos; better the closer to the reference's own value
    Source   THEval, CVPR 2026; Naturalness/lip_dynamics.py of Newbyl/THEval at cfe23fe
    Departs  20 of the 68 points for 40 of MediaPipe's face mesh, found in the frames as they are; a clip without a face
             fails, where the script counts 0
    """

    name = "lip-dynamics-theval"
    version = 1
    unit = "px"

    def of_person(self, view: View, person: int, seen: NDArray[np.bool_]) -> float:
        """Spread of distances in a square of 256 px."""
        width, height = view.generated[shown].size[0]
        lips = view.generated[self.points][seen, person, LIPS] * (SQUARE_PX / np.array([width, height]))
        return spread_of_distances(lips)


def spread_of_distances(points: Array) -> float:
    """Mean over pairs of (frames, points, 2) points of the standard deviation of their distance."""
    first, second = np.triu_indices(points.shape[1], 1)
    return float(np.linalg.norm(points[:, first] - points[:, second], axis=-1).std(axis=0).mean())


@dataclass(frozen=True)
class EyebrowDynamics(Dynamics):
    """How much the brows move from one frame to the next.

    Reads    the brows and the eyes of the generated clip, five and six points of either side
    Returns  absolute change, from each frame with a face to the next that has one, of the distance of the middle of a
             brow from that of its eye over the distance of the eyes, mean over both sides and changes, then clips: no
             unit, from 0. The authors found 0.006777 on real videos; better the closer to the reference's own value
    Source   THEval, CVPR 2026; Naturalness/eyebrow_dynamics.py of Newbyl/THEval at cfe23fe
    Departs  points of the 68 for those of MediaPipe's face mesh; a clip without a face fails, where the script counts 0
    """

    name = "eyebrow-dynamics-theval"
    version = 1

    def of_person(self, view: View, person: int, seen: NDArray[np.bool_]) -> float:
        """Mean change of the height of both brows."""
        heights = brow_heights(view.generated[self.points][seen, person])
        return float(np.abs(np.diff(heights, axis=0)).mean())


def brow_heights(points: Array) -> Array:
    """How far the middle of either brow is from that of its eye, in eye distances: (frames, 68, 2) to (frames, 2)."""
    brows, eyes = (np.stack([points[:, slice(*part)].mean(axis=1) for part in of], axis=1) for of in (BROWS, EYES))
    apart = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=-1, keepdims=True)
    return np.asarray(np.linalg.norm(brows - eyes, axis=-1) / apart)


@dataclass(frozen=True)
class HeadMotionTHEval(Dynamics):
    """How much the head turns, how unevenly, and how far it wanders over the picture.

    Reads    pitch, yaw and roll of the head in degrees, and the middle of the box around its landmarks in px, of the
             generated clip
    Returns  root of the mean spread of the three angles times the mean variance of their changes from frame to frame,
             plus the mean variance of the box's middle in x and in y; mean over clips: from 0, of no unit, as degrees
             and px are added. The authors found 18.4676 on real videos; better the closer to the reference's own value
    Source   THEval, CVPR 2026; Naturalness/head_motion_dynamics.py of Newbyl/THEval at cfe23fe
    Departs  in who reads the pose and the box: FaceXFormer and RetinaFace there, here ``estimator`` and the landmarks.
             The number grows with the frame's size: compare clips of one size
    """

    estimator: str = parameter("pnp", "of the pose: ``pnp``, ``3ddfa``, ``deep3d``, ...", of=ESTIMATORS)

    name = "head-motion-theval"
    version = 1
    presets: ClassVar[Mapping[str, Preset]] = {
        "3ddfa": Preset({"estimator": "3ddfa", "landmarks": "3ddfa"}, "pose by 3DDFA V2, a light network"),
        "deep3d": Preset({"estimator": "deep3d"}, "pose by Deep3DFaceRecon"),
    }

    @property
    def angles(self) -> Feature[Array]:
        """Yaw, pitch and roll."""
        return pose(estimator=self.estimator, **self.whom.chosen)

    @property
    def needs(self) -> Needs:
        """Landmarks and pose of the generated clip."""
        return of_generated(*with_choice(self.points), *with_choice(self.angles), shown)

    def of_person(self, view: View, person: int, seen: NDArray[np.bool_]) -> float:
        """Complexity of the head's motion."""
        points = view.generated[self.points][seen, person]
        angles = view.generated[self.angles][seen, person]
        there = ~np.isnan(angles).any(axis=1)
        return complexity(angles[there], (points.min(axis=1) + points.max(axis=1))[there] / 2)


def complexity(angles: Array, middles: Array) -> float:
    """Of (frames, 3) degrees and (frames, 2) px."""
    steps = np.diff(angles, axis=0)
    uneven = steps.var(axis=0).mean() if len(steps) > 1 else 0.0
    return float(np.sqrt(angles.std(axis=0).mean() * uneven + middles.var(axis=0).mean()))
