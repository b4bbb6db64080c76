"""Feature similarity, after Zhang, Zhang, Mou and Zhang (2011): on luma alone, and with colour."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.features.frames.similarity import feature_similarity
from thgeval.kernels.fsim import Similarity
from thgeval.metric import Better, Metric, View, of_pair
from thgeval.states import ClipMean


@dataclass(frozen=True)
class FSIM(Metric[ClipMean]):
    """How alike the features of two frames are: where lines and edges meet in phase, and how steep they are.

    Reads    RGB of both clips: (frames, height, width, 3), of which luma is used
    Returns  mean over pixels weighted by phase congruency, then frames, then clips: at most 1, no unit, 1 if identical;
             frames without any feature are left out and counted
    Source   Zhang, Zhang, Mou, Zhang, IEEE TIP 20(8), 2011; FeatureSIM.m
    Departs  nothing; this is not the F-SIM of talking-head papers, which compares faces
    """

    name = "fsim"
    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    on_card = True
    cites = ("zhang2011fsim",)

    needs = of_pair(feature_similarity())

    def measure(self, view: View) -> ClipMean:
        """Similarity of each frame."""
        per_frame = self.reading(view.pair[feature_similarity()])
        return ClipMean.of(view.clip, per_frame, start=view.start, left_out={"no features": np.isnan(per_frame)})

    def reading(self, both: Similarity) -> NDArray[np.float64]:
        """The one of the two similarities that is this metric's."""
        return both.fsim


@dataclass(frozen=True)
class FSIMc(FSIM):
    """How alike the features and the colours of two frames are.

    Reads    RGB of both clips: (frames, height, width, 3)
    Returns  as ``fsim``, each pixel also weighed by the likeness of its two chroma planes to the power of 0.03
    Source   Zhang, Zhang, Mou, Zhang, IEEE TIP 20(8), 2011; FeatureSIM.m
    Departs  nothing
    """

    name = "fsimc"

    def reading(self, both: Similarity) -> NDArray[np.float64]:
        """Likeness of features and colours."""
        return both.fsimc
