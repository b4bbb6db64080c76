"""Optical flow magnitude: how fast things move."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.motion import FLOWS, flow
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import ClipMean


@dataclass(frozen=True)
class OFM(Metric[ClipMean]):
    """How fast the pixels of the generated clip move, on average.

    Reads    RGB of the generated clip, brought to 256 x 256 px (bilinear, aspect not kept), as OpenCV's grey; the
             reference is only measured in the same way, to compare with
    Returns  mean over pixels of the length of the optical flow between consecutive frames, then over pairs of frames,
             then clips: in px per frame at the working size and the clip's frame rate, no upper bound; a still video
             has 0; better the closer to the reference's own value
    Source   Stypułkowski et al., Diffused Heads, WACV 2024; flow after Farnebäck, SCIA 2003, by OpenCV
    Departs  from the authors' script, smoothness_eval.py, which averages the colours of a picture of the flow and not
             the flow (preset diffused-heads is the script); the flow between equal frames is 0, where OpenCV's is not
             quite
    """

    side_px: int = parameter(
        256, "side of the square that frames are resized to first; 0 for the native size", least=0, most=8192
    )
    flow: str = parameter(
        "farneback",
        "``farneback`` (pyramid 3 x 0.5, window 15 px, 3 iterations, neighbourhood 5 px, sigma 1.2), "
        "or ``farneback-diffused-heads`` (pyramid 7 x 0.5, window 5 px, 15 iterations, the rest "
        "alike)",
        of=FLOWS,
    )
    reading: str = parameter(
        "length",
        "``length`` of the flow, or ``jet``: lengths of each pair of frames stretched to 0..255, cut "
        "to whole numbers, coloured by the JET map, and the mean of the colours' channels. It has no "
        "unit and does not grow with speed, only with how evenly motion is spread; a constant flow is"
        " all dark blue, 128/3",
        of=("length", "jet"),
    )

    name = "ofm"
    version = 1
    better = Better.CLOSER_TO_REFERENCE
    cites = ("stypulkowski2024diffusedheads", "farneback2003")
    presets: ClassVar[Mapping[str, Preset]] = {
        "diffused-heads": Preset(
            {"side_px": 128, "flow": "farneback-diffused-heads", "reading": "jet"},
            "the authors' script: mean colour of the flow's JET picture at 128 x 128 px, which says nothing of speed",
        )
    }

    @property
    def range(self) -> tuple[float, float]:
        """Lengths have no upper bound; colours do."""
        return 0.0, math.inf if self.reading == "length" else 255.0

    @property
    def unit(self) -> str:
        """Pixels per frame; colours have no unit."""
        return "px/frame" if self.reading == "length" else ""

    @property
    def _flow(self) -> Feature[NDArray[np.float32]]:
        return flow(side_px=self.side_px, method=self.flow)

    @property
    def needs(self) -> Needs:
        """The generated clip's flow."""
        return of_generated(self._flow)

    def measure(self, view: View) -> ClipMean:
        """One mean per pair of consecutive frames."""
        reading = READINGS[self.reading]
        return ClipMean.of(view.clip, [reading(field) for field in view.generated[self._flow]], start=view.start)


def mean_length(field: NDArray[Any]) -> float:
    """Mean length of the vectors of one flow, (height, width, 2)."""
    return float(np.hypot(field[..., 0], field[..., 1], dtype=np.float64).mean())


def mean_jet_colour(field: NDArray[Any]) -> float:
    """Mean over pixels and channels of one flow's JET picture; a constant length is stretched to 0 everywhere."""
    length, _ = cv2.cartToPolar(field[..., 0], field[..., 1])
    stretched = cv2.normalize(length, np.empty_like(length), 0, 255, cv2.NORM_MINMAX)
    return float(cv2.applyColorMap(stretched.astype(np.uint8), cv2.COLORMAP_JET).mean())


READINGS: Mapping[str, Callable[[NDArray[Any]], float]] = {"length": mean_length, "jet": mean_jet_colour}
