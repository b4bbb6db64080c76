"""Average pose distance: how far the angles of two heads are apart, in the terms of 3D face models."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class APD(PairedMetric):
    """How far the pose coefficients of the generated head are from the reference's, in the same frame.

    Reads    three angles of the head of the same person in both clips
    Returns  mean over the three angles of the absolute difference, wrapped to half a turn, then over frames, then
             clips: in [0, pi] radians, 0 if identical
    Source   Ren et al., PIRenderer, ICCV 2021, on the coefficients of Deng et al., CVPRW 2019; no code was published
    Departs  some tables count translation as well, in the units of the 3D model: not here. Not to be taken for the
             identity or expression distances that tables call AED
    """

    whom: Landmarked = Landmarked()
    estimator: str = parameter("deep3d", "of the pose: ``deep3d``, ``pnp``, ...", of=ESTIMATORS)

    name = "apd"
    version = 2
    unit = "rad"
    range = (0.0, math.pi)
    better = Better.LOWER
    cites = ("ren2021pirender", "deng2019deep3d")
    embedded = "pnp"
    presets: ClassVar[Mapping[str, Preset]] = {
        "pnp": Preset(PNP, "a generic face fitted to dlib's landmarks: nothing to fetch"),
        "gagavatar": Preset(
            {"pool": "frame", "missing": "zero"},
            "GAGAvatar's code (its issue 43), LAM: all frames at once, 0 for one without a face",
        ),
        "3ddfa": Preset({"estimator": "3ddfa", "landmarks": "3ddfa"}, "3DDFA V2, a light network"),
    }

    @property
    def values(self) -> Feature[Array]:
        """Yaw, pitch and roll in degrees."""
        return pose(estimator=self.estimator, **self.whom.chosen)

    @property
    def of_both_sides(self) -> Feature[Both[Array]] | None:
        """The same of both sides, from one rest."""
        return pose_of_both(estimator=self.estimator, **self.whom.chosen)

    def compared(self, generated: Array, reference: Array) -> Array:
        """Mean absolute difference of three angles: (faces, 3) in degrees -> (faces,) in radians."""
        return np.asarray(np.deg2rad(np.abs(wrapped(generated - reference)).mean(axis=-1)))
