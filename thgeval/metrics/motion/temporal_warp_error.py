"""Temporal warping error: does what moves keep its colour? After Lai et al. (2018)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.frames import neighbours
from thgeval.features.frames.motion import FLOWS, flow, visible
from thgeval.kernels import warp
from thgeval.metric import Better, Metric, Needs, View
from thgeval.parameter import parameter
from thgeval.states import ClipMean

ALL_OCCLUDED = "all occluded"


@dataclass(frozen=True)
class TemporalWarpError(Metric[ClipMean]):
    """How much the colour of a point of the generated clip changes while it moves as the reference moves.

    Reads    RGB of both clips: (frames, height, width, 3), at their native size; of the reference only its motion, the
             flow between consecutive frames of OpenCV's grey
    Returns  each generated frame read along the reference's flow, against the frame before it: mean squared difference
             over visible pixels and channels where white is 1, then over pairs of frames, then clips: in [0, 1], no
             unit. Two still clips have 0; a still clip beside a reference that moves does not. Blur lowers it, and
             uniform frames have 0, so it says nothing without a measure of quality. The reference itself keeps what
             its flow can't explain
    Source   Lai et al., Learning Blind Video Temporal Consistency, ECCV 2018: evaluate_WarpError.py; visibility after
             Ruder, Dosovitskiy, Brox, Artistic Style Transfer for Videos, GCPR 2016
    Departs  flow is Farnebäck's instead of FlowNet2's; it is smooth, so that only part of what gets covered counts as
             hidden; pixels whose flow leaves the frame are not visible; a pair of frames without visible pixels is left
             out and counted as all occluded, where the script takes 0
    """

    flow: str = parameter(
        "farneback",
        "``farneback`` (pyramid 3 x 0.5, window 15 px, 3 iterations, neighbourhood 5 px, sigma 1.2), "
        "or ``farneback-diffused-heads`` (pyramid 7 x 0.5, window 5 px, 15 iterations, the rest "
        "alike)",
        of=FLOWS,
    )

    name = "temporal-warp-error"
    version = 1
    range = (0.0, 1.0)
    better = Better.LOWER
    cites = ("lai2018blind", "ruder2016artistic", "farneback2003")

    @property
    def _flow(self) -> Feature[NDArray[np.float32]]:
        return flow(method=self.flow)

    @property
    def _visible(self) -> Feature[NDArray[np.bool_]]:
        return visible(method=self.flow)

    @property
    def needs(self) -> Needs:
        """Pairs of frames of the generated clip; flow and visibility of the reference."""
        return Needs(generated=(neighbours(),), reference=(self._flow, self._visible))

    def measure(self, view: View) -> ClipMean:
        """One mean squared difference per pair of consecutive frames."""
        beside = view.generated[neighbours()]
        error = warp.squared_error(
            previous=beside.previous,
            current=beside.current,
            flow=view.reference[self._flow],
            mask=view.reference[self._visible],
        )
        channels = beside.current.shape[3]
        mean = np.full(len(error.squared), math.nan)
        np.divide(error.squared, error.pixels * channels * beside.peak**2, out=mean, where=error.pixels > 0)
        return ClipMean.of(view.clip, mean, start=view.start, left_out={ALL_OCCLUDED: error.pixels == 0})
