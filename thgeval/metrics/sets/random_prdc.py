"""Precision, recall, density and coverage of random features, without anything to download."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.random_embedding import random_embedding
from thgeval.metric import Better, Preset
from thgeval.metrics.sets.prdc import PRESETS, Neighbours
from thgeval.metrics.sets.random_fid import RandomFID
from thgeval.metrics.sets.sets import SetMetric
from thgeval.parameter import same_as


@dataclass(frozen=True)
class RandomPRDC(SetMetric):
    """How far generated frames fall among reference frames, and reference frames among generated ones, to a network
    with random weights.

    Reads    RGB of both clips, brought to a small square, bilinear, aspect not kept, no smoothing before
    Returns  one of four shares over all frames of all clips (see prdc): coverage, precision and recall in [0, 1],
             density from 0 without bound; 1 expected for sets drawn alike
    Source   Naeem, Oh, Uh, Choi, Yoo, ICML 2020, whose embedding R64 has random weights too
    Departs  the paper keeps VGG's dense layers; here the last map is averaged, so that frames may have any size. Mild
             damage leaves every frame in the ball of its original, strong damage none: both ends are reached early.
             Frames that are there more than ``nearest`` times are left out and counted, as by prdc
    """

    comparison: Neighbours = Neighbours()
    side_px: int = same_as(RandomFID, "side_px")
    seed: int = same_as(RandomFID, "seed")

    name = "prdc-random"
    version = 2
    better = Better.HIGHER
    cites = ("naeem2020prdc",)
    enough = 1000
    presets: ClassVar[Mapping[str, Preset]] = PRESETS

    @property
    def range(self) -> tuple[float, float]:
        """As its comparison's."""
        return self.comparison.range

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """64 numbers per frame."""
        return random_embedding(side_px=self.side_px, seed=self.seed)
