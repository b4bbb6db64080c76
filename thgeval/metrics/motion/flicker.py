"""Flicker after TecoGAN: how far motion, and change as people see it, are from the reference's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.inner import MARGIN_PX, MULTIPLE_PX, PARTS_OF_FRAMES, inner
from thgeval.features.frames.motion import flow
from thgeval.features.frames.perceptual import HEADS, TRUNKS, perceptual_change
from thgeval.metric import Better, Metric, Needs, Preset, View, of_both
from thgeval.parameter import parameter
from thgeval.states import ClipMean

WHOLE: Mapping[str, Preset] = {"whole": Preset({"part": "whole"}, "whole frames, borders included")}


def looked_at() -> Any:
    """The parameter that says which part of the frames is looked at."""
    return parameter(
        "inner",
        f"``inner``: the middle, whose sides are multiples of {MULTIPLE_PX} px and leave {MARGIN_PX} px or more on "
        "either side; ``whole``: the whole frame",
        of=PARTS_OF_FRAMES,
    )


@dataclass(frozen=True)
class TOF(Metric[ClipMean]):
    """How far the motion of the generated clip is from the reference's, pixel by pixel.

    Reads    RGB of both clips at their native size, as OpenCV's grey
    Returns  mean over pixels of the distance of two optical flows, between the same consecutive frames of either clip,
             then over pairs of frames, then clips: from 0, in px per frame, 0 if identical
    Source   tOF: Chu, Xie, Mayer, Leal-Taixé, Thuerey, TecoGAN, SIGGRAPH 2020; metrics.py at bc747a4, by OpenCV's flow
             after Farnebäck
    Departs  from the script in the ends: it leaves out the first two frames of a clip and the last two. The flow
             between equal frames is 0, where OpenCV's is not quite, within some px of the border
    """

    part: str = looked_at()

    name = "tof"
    version = 1
    unit = "px/frame"
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("chu2020tecogan", "farneback2003")
    presets: ClassVar[Mapping[str, Preset]] = WHOLE

    needs = of_both(flow())

    def measure(self, view: View) -> ClipMean:
        """One mean distance per pair of consecutive frames."""
        sides = view.generated[flow()], view.reference[flow()]
        ours, theirs = (inner(side) for side in sides) if self.part == "inner" else sides
        apart = [mean_distance(*both) for both in zip(ours, theirs, strict=True)]
        return ClipMean.of(view.clip, apart, start=view.start)


@dataclass(frozen=True)
class TLP(Metric[ClipMean]):
    """How far the change from frame to frame, as people would see it, is from the reference's.

    Reads    RGB of both clips at their native size
    Returns  absolute difference of two LPIPS, between the same consecutive frames of either clip, times 100, mean over
             pairs of frames, then clips: from 0, no unit, 0 if both change as much
    Source   tLP: Chu, Xie, Mayer, Leal-Taixé, Thuerey, TecoGAN, SIGGRAPH 2020; metrics.py at bc747a4, with LPIPS 0.1 by
             AlexNet
    Departs  from the script in the ends: it leaves out the first two frames of a clip and the last two
    """

    part: str = looked_at()
    trunk: str = parameter("alex", "of LPIPS: ``alex``, ``vgg`` or ``squeeze``", of=TRUNKS)
    release: str = parameter("0.1", "of its heads: ``0.1``, or ``0.0``", of=HEADS)

    name = "tlp"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("chu2020tecogan", "zhang2018lpips")
    presets: ClassVar[Mapping[str, Preset]] = WHOLE

    @property
    def change(self) -> Feature[NDArray[np.float64]]:
        """LPIPS of consecutive frames."""
        return perceptual_change(trunk=self.trunk, release=self.release, part=self.part)

    @property
    def needs(self) -> Needs:
        """How much either clip changes."""
        return of_both(self.change)

    def measure(self, view: View) -> ClipMean:
        """One difference per pair of consecutive frames."""
        apart = np.abs(view.generated[self.change] - view.reference[self.change])
        return ClipMean.of(view.clip, 100.0 * apart, start=view.start)


def mean_distance(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Mean length of the difference of two flows, (height, width, 2)."""
    apart = (first - second).astype(np.float64)
    return float(np.sqrt((apart**2).sum(axis=-1)).mean())
