"""Fréchet distance of random features of windows of frames, without anything to download."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.random_embedding import SEED, random_clip_embedding
from thgeval.features.frames.windows import check_windows
from thgeval.metric import Better
from thgeval.metrics.sets.random_fid import check_random
from thgeval.metrics.sets.sets import FrechetMetric

SMALLEST_FRAMES = 8


@dataclass(frozen=True)
class RandomFVD(FrechetMetric):
    """How different the clips of two sets look and move, to a network of video with random weights.

    Reads    RGB of both clips, brought to a small square, bilinear, aspect not kept, no smoothing before; windows of
             consecutive frames
    Returns  squared Fréchet distance of two Gaussians fitted to 64 features of all windows: from 0, no unit, 0 for
             equal means and covariances. It can't be compared with an FVD, nor between seeds, sizes or lengths
    Source   Naeem, Oh, Uh, Choi, Yoo, ICML 2020 (random embeddings); Unterthiner et al., 2018 (the distance of clips)
    Departs  from FVD in the network: nothing is learned, and what a clip looks like weighs more than how it moves. Use
             it to find regressions, and FVD to publish

    ``length``   frames in a window
    ``stride``   every how many frames of the clip one is taken
    ``start``    the frame that the first window begins with
    ``windows``  ``first``, or ``all`` that don't overlap
    ``side_px``  side of the square
    ``seed``     of the network's weights
    """

    length: int = 16
    stride: int = 1
    start: int = 0
    windows: str = "first"
    side_px: int = 64
    seed: int = SEED

    name = "fvd-random"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("naeem2020prdc", "unterthiner2018fvd")
    row = "windows"
    enough = 256

    def __post_init__(self) -> None:
        check_windows(
            self.name,
            length=self.length,
            stride=self.stride,
            start=self.start,
            which=self.windows,
            least=SMALLEST_FRAMES,
        )
        check_random(self.name, side_px=self.side_px, seed=self.seed)

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
