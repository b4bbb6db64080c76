"""Pose RMSE: how many degrees the generated head is turned away from the reference's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.heads.pose import ESTIMATORS, pose, pose_of_both
from thgeval.features.heads.rest import Both
from thgeval.kernels.angles import wrapped
from thgeval.metric import Better, Preset
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.faces.whom import PNP, Landmarked
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean, PooledRoot, mean


@dataclass(frozen=True)
class PRMSE(PairedMetric):
    """How far the generated head is turned away from the reference's, in the same frame.

    Reads    yaw, pitch and roll of the same person in both clips, in degrees
    Returns  root of the mean over the frames of a clip and the three angles of the squared difference, which is wrapped
             to 180 degrees, then mean over clips: in [0, 180] degrees, 0 if identical
    Source   Ha et al., MarioNETte, AAAI 2020, with OpenFace 2.0's angles; no code was published
    Departs  MarioNETte does not say whether the root is taken once (preset pooled) or for each clip. Estimators differ
             by whole degrees: numbers of one are not those of another, and the published ones are OpenFace's
    """

    whom: Landmarked = Landmarked()
    estimator: str = parameter(
        "openface", "of the pose: ``openface`` (read from a file beside the clip), ``pnp``, ...", of=ESTIMATORS
    )

    name = "prmse"
    version = 2
    unit = "degrees"
    range = (0.0, 180.0)
    better = Better.LOWER
    cites = ("ha2020marionette", "baltrusaitis2018openface")
    embedded = "pnp"
    pools = MappingProxyType({"clip": ClipMean, "frame": PooledRoot})
    presets: ClassVar[Mapping[str, Preset]] = {
        "pooled": Preset({"pool": "frame"}, "one root over all frames of all clips"),
        "pnp": Preset(PNP, "a generic face fitted to dlib's landmarks: nothing to fetch"),
        "3ddfa": Preset({"estimator": "3ddfa", "landmarks": "3ddfa"}, "3DDFA V2, a light network"),
        "mediapipe": Preset(
            {"estimator": "mediapipe", "landmarks": "mediapipe"}, "MediaPipe's face mesh, a light network"
        ),
        "pnp-pooled": Preset(
            {**PNP, "pool": "frame"},
            "the same, one root over all frames of all clips",
        ),
    }

    @property
    def values(self) -> Feature[Array]:
        """Yaw, pitch and roll."""
        return pose(estimator=self.estimator, **self.whom.chosen)

    @property
    def of_both_sides(self) -> Feature[Both[Array]] | None:
        """The same of both sides, from one rest."""
        return pose_of_both(estimator=self.estimator, **self.whom.chosen)

    def compared(self, generated: Array, reference: Array) -> Array:
        """Mean squared difference of three angles: (faces, 3) -> (faces,)."""
        return np.asarray((wrapped(generated - reference) ** 2).mean(axis=-1))

    def score(self, state: ClipMean | PooledMean) -> float:
        """Root of each clip's mean, then mean over clips; one root where frames are pooled."""
        return mean(np.sqrt(state.means)) if isinstance(state, ClipMean) else math.sqrt(state.value)

    def per_frame(self, values: Array) -> Array:
        """Degrees, of which a state keeps the squares."""
        return np.sqrt(values)
