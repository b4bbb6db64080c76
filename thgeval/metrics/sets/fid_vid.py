"""FID-VID: how different two sets of clips look to a 3D ResNet that knows actions, after DisCo."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.resnet3d import resnet3d
from thgeval.metric import Better
from thgeval.metrics.sets.sets import Frechet, SetMetric


@dataclass(frozen=True)
class FIDVid(SetMetric):
    """How different the clips of two sets look and move, to a 3D ResNet-50 trained to tell actions apart.

    Reads    RGB of both clips, brought to 112 x 112 by Pillow's bicubic, aspect not kept, in pieces of 16 frames of
             which the last is filled up with its last frame, through the network: 2,048 features
    Returns  squared Fréchet distance of two Gaussians fitted to one row a clip, the mean of its pieces' features, with
             covariances over clips - 1: from 0, no unit, 0 for equal means and covariances; below 2048 clips it is a
             rank at best, and the result says so
    Source   FID-VID of Balaji et al., IJCAI 2019, as in Wang et al., DisCo, CVPR 2024: Wangt-CN/DisCo, tool/metrics at
             c4fa48a; the network of Hara, Kataoka, Satoh, CVPR 2018
    Departs  nothing; the script reads files of the length that it is given, mostly of 16 frames at 3 a second
    """

    name = "fid-vid"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("wang2024disco", "hara2018resnet3d")
    row = "clips"
    enough = 2048
    comparison = Frechet()

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """2,048 numbers per clip."""
        return resnet3d()
