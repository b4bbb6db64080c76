"""Fréchet distance of windows of frames, as a network trained on photographs sees them, without anything to fetch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.effnet import effnet_windows
from thgeval.metric import Better
from thgeval.metrics.sets.fvd import FVD
from thgeval.metrics.sets.sets import Frechet, SetMetric
from thgeval.parameter import parameter, same_as


@dataclass(frozen=True)
class EffnetFVD(SetMetric):
    """How different the clips of two sets look and change, frame by frame, to a network trained on photographs.

    Reads    RGB of both clips, brought to 224 x 224, bilinear, smoothed, aspect not kept, through EfficientNet-Lite0:
             1,280 features a frame; windows of consecutive frames
    Returns  squared Fréchet distance of two Gaussians fitted to 2,560 numbers of each window: the mean of the features
             over its frames, and the mean of how much each changes from frame to frame: from 0, no unit, 0 for equal
             means and covariances. It can't be compared with an FVD, nor between lengths
    Source   this project; the network of Tan, Le, ICML 2019, the distance of clips of Unterthiner et al., 2018
    Departs  from FVD in the network, which knows single photographs: of motion it sees that features change and how
             fast, not whether a movement is one. Use it where nothing can be fetched, and FVD to publish
    """

    length: int = parameter(16, "frames in a window", least=2)
    stride: int = same_as(FVD, "stride")
    start: int = same_as(FVD, "start")
    windows: str = same_as(FVD, "windows")

    name = "fvd-effnet"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("tan2019efficientnet", "unterthiner2018fvd")
    row = "windows"
    enough = 256

    comparison = Frechet()

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """2,560 numbers per window."""
        return effnet_windows(length=self.length, stride=self.stride, start=self.start, which=self.windows)
