"""E-FID: how different two sets of facial expressions are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.heads.expression import SOURCES, expression
from thgeval.kernels import frechet
from thgeval.metric import Better, Needs, Preset, View, of_both
from thgeval.metrics.faces.missing import policy, present
from thgeval.metrics.faces.whom import Landmarked, with_choice
from thgeval.metrics.sets.sets import Comparison, SetMetric
from thgeval.parameter import holding, parameter
from thgeval.states import Part, Rows, TwoRows
from thgeval.states.stacked import RowMatrix


@dataclass(frozen=True)
class PlainFrechet(Comparison):
    """Fréchet distance, covariances over rows - 1; coefficients are few, so that no work is worth sharing."""

    biased = True

    def compared(self, generated: RowMatrix, reference: RowMatrix) -> float:
        """The distance of all rows."""
        return frechet.distance(generated, reference)


@dataclass(frozen=True)
class EFID(SetMetric):
    """How different the expressions of two sets of clips are, realism and variety together.

    Reads    expression coefficients of every face of both clips: 64 of Deep3DFaceRecon
    Returns  squared Fréchet distance of two Gaussians fitted to the coefficients of all frames of all clips: from 0, in
             the squared units of the 3D model, 0 for equal means and covariances. It grows as sets get smaller
    Source   Tian et al., EMO, ECCV 2024, on the coefficients of Deng et al., CVPRW 2019; no code was published
    Departs  EMO does not say what becomes of frames without a face: they are left out and counted. Other tables fit
             another face model to whole videos (Hallo's line): values compare within one source alone
    """

    whom: Landmarked = holding(Landmarked(), missing=policy("skip", "fail", "hold"))
    source: str = parameter("deep3d", "of the coefficients: ``deep3d``, ``landmarks``, ...", of=SOURCES)

    name = "e-fid"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("tian2024emo", "deng2019deep3d", "heusel2017ttur")
    embedded = "landmarks"
    presets: ClassVar[Mapping[str, Preset]] = {
        "landmarks": Preset({"source": "landmarks"}, "of dlib's landmarks turned to the front: nothing to fetch"),
        "3ddfa": Preset({"source": "3ddfa", "landmarks": "3ddfa"}, "ten coefficients of 3DDFA V2, a light network"),
        "blendshapes": Preset({"source": "blendshapes", "landmarks": "mediapipe"}, "MediaPipe's 52 blendshapes"),
    }

    row = "faces"
    comparison = PlainFrechet()

    @property
    def rows(self) -> Feature[NDArray[np.float64]]:
        """Expression of the chosen people: (frames, people, coefficients)."""
        return expression(source=self.source, **self.whom.chosen)

    @property
    def needs(self) -> Needs:
        """The expression of both clips."""
        return of_both(*with_choice(self.rows))

    def measure(self, view: View) -> TwoRows:
        """The faces of one clip, a row each, NaN on the side where there is none."""
        sides = self.whom.pairs(view, self.rows)
        people = sides.generated.shape[1]
        rows = [side.reshape(-1, side.shape[-1]) for side in (sides.generated, sides.reference)]
        found = ~np.isnan(np.stack(rows)).any(axis=(0, 2)).reshape(-1, people).all(axis=1)
        reasons = self.whom.part(np.where(found, 1.0, np.nan), sides.why).left_out
        return TwoRows({view.clip: (Part(0, np.stack(rows, axis=1), reasons),)})

    def measure_alone(self, view: View) -> Rows:
        """The faces of one clip of either side, a row each, NaN where there is none."""
        found, why = self.whom.alone(view, self.rows)
        there = np.where(present(found).any(axis=1), 1.0, np.nan)
        reasons = self.whom.part(there, why).left_out
        return Rows({view.clip: (Part(0, found.reshape(-1, found.shape[-1]), reasons),)})

    def remark(self, state: TwoRows) -> str | None:
        """How many faces it rests on, and how many frames have none."""
        return "; ".join([*self.whom.remarks(state), *filter(None, [super().remark(state)])]) or None
