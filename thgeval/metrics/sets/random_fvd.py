"""Fréchet distance of random features of windows of frames, without anything to download."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.random_embedding import random_clip_embedding
from thgeval.metric import Better
from thgeval.metrics.sets.fvd import FVD
from thgeval.metrics.sets.random_fid import RandomFID
from thgeval.metrics.sets.sets import Frechet, SetMetric
from thgeval.parameter import parameter, same_as

SMALLEST_FRAMES = 8


@dataclass(frozen=True)
class RandomFVD(SetMetric):
    """How different the clips of two sets look and move, to a network of video with random weights.

    Reads    RGB of both clips, brought to a small square, bilinear, aspect not kept, no smoothing before; windows of
             consecutive frames
    Returns  squared Fréchet distance of two Gaussians fitted to 64 features of all windows: from 0, no unit, 0 for
             equal means and covariances. It can't be compared with an FVD, nor between seeds, sizes or lengths
    Source   Naeem, Oh, Uh, Choi, Yoo, ICML 2020 (random embeddings); Unterthiner et al., 2018 (the distance of clips)
    Departs  from FVD in the network: nothing is learned, and what a clip looks like weighs more than how it moves. Use
             it to find regressions, and FVD to publish
    """

    length: int = parameter(16, "frames in a window", least=SMALLEST_FRAMES)
    stride: int = same_as(FVD, "stride")
    start: int = same_as(FVD, "start")
    windows: str = same_as(FVD, "windows")
    side_px: int = same_as(RandomFID, "side_px")
    seed: int = same_as(RandomFID, "seed")

    name = "fvd-random"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("naeem2020prdc", "unterthiner2018fvd")
    row = "windows"
    enough = 256

    comparison = Frechet()

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """64 numbers per window."""
        return random_clip_embedding(
            length=self.length,
            stride=self.stride,
            start=self.start,
            which=self.windows,
            side_px=self.side_px,
            seed=self.seed,
        )
