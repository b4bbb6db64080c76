"""Average expression distance: how far the expression coefficients of a 3D face model are apart."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.heads.expression import EXPRESSION_SOURCES, expression, expression_of_both
from thgeval.features.heads.rest import Both
from thgeval.kernels.landmarks import REDUCTIONS
from thgeval.metric import Better, Preset
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.faces.whom import Landmarked
from thgeval.parameter import parameter


@dataclass(frozen=True)
class AED3DMM(PairedMetric):
    """How far the expression coefficients of the generated face are from the reference's, in the same frame.

    Reads    expression coefficients of the same person in both clips: 64 of Deep3DFaceRecon
    Returns  mean over coefficients of the absolute difference, then over frames, then clips: from 0, in the units of
             the 3D model, 0 if identical
    Source   Ren et al., PIRenderer, ICCV 2021, on the coefficients of Deng et al., CVPRW 2019; no code was published
    Departs  some tables sum over the coefficients (preset sum: 64 times as much). Coefficients of different models have
             different units. Not the distance of identity embeddings that the FOMM line calls AED (aed-euclid)
    """

    whom: Landmarked = Landmarked()
    source: str = parameter("deep3d", "of the coefficients: ``deep3d``, ...", of=EXPRESSION_SOURCES)
    reduction: str = parameter("mean", "``mean`` or ``sum`` over coefficients", of=REDUCTIONS)

    name = "aed-3dmm"
    version = 2
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("ren2021pirender", "deng2019deep3d")
    presets: ClassVar[Mapping[str, Preset]] = {
        "sum": Preset({"reduction": "sum"}, "the sum over coefficients, as some tables have it"),
        "gagavatar": Preset(
            {"pool": "frame", "missing": "zero"},
            "GAGAvatar's code (its issue 43), LAM: all frames at once, 0 for one without a face",
        ),
        "3ddfa": Preset({"source": "3ddfa", "landmarks": "3ddfa"}, "ten coefficients of 3DDFA V2, a light network"),
    }

    @property
    def values(self) -> Feature[Array]:
        """Expression coefficients."""
        return expression(source=self.source, **self.whom.chosen)

    @property
    def of_both_sides(self) -> Feature[Both[Array]] | None:
        """The same of both sides, from one rest."""
        return expression_of_both(source=self.source, **self.whom.chosen)

    def compared(self, generated: Array, reference: Array) -> Array:
        """Absolute differences over (faces, coefficients): (faces,)."""
        return REDUCTIONS[self.reduction](np.abs(generated - reference))
