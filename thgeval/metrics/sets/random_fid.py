"""Fréchet distance of random features: how far apart two sets of frames are, without anything to download."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.random_embedding import SEED, random_embedding
from thgeval.metric import Better
from thgeval.metrics.sets.sets import Frechet, SetMetric
from thgeval.parameter import parameter

SMALLEST_PX = 32


@dataclass(frozen=True)
class RandomFID(SetMetric):
    """How different the frames of two sets of clips look to a network with random weights.

    Reads    RGB of both clips, brought to a small square, bilinear, aspect not kept, no smoothing before
    Returns  squared Fréchet distance of two Gaussians fitted to 64 features of all frames of all clips: from 0, no
             unit, 0 for equal means and covariances. It is an order of magnitude of its own: it can't be compared with
             an FID, nor between seeds or sizes
    Source   Naeem, Oh, Uh, Choi, Yoo, ICML 2020 (random embeddings); Heusel et al., NeurIPS 2017 (the distance)
    Departs  from FID in the network: nothing is learned, so it sees blur, blocking, colour and composition, but not
             whether a face looks like a face. Use it to find regressions, and FID to publish
    """

    side_px: int = parameter(
        64, "side of the square; detail finer than that is only seen as its aliases", least=SMALLEST_PX, most=1024
    )
    seed: int = parameter(SEED, "of the network's weights", least=0, below=2**63)

    name = "fid-random"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("naeem2020prdc", "heusel2017ttur")
    enough = 640

    comparison = Frechet()

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """64 numbers per frame."""
        return random_embedding(side_px=self.side_px, seed=self.seed)
