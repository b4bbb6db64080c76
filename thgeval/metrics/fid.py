"""Fréchet Inception distance: how different two sets of frames look to a classification network."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.inception import check_inception, inception
from thgeval.kernels import frechet
from thgeval.metric import Better, Preset
from thgeval.metrics.sets import Rows, SetMetric

ESTIMATES = ("plain", "infinity")
INPUTS: Mapping[str, Preset] = {
    "clean": Preset({"resize": "bicubic-pil"}, "clean-fid's default: Pillow's bicubic on floats"),
    "legacy-tensorflow": Preset({"resize": "bilinear-tf1"}, "the authors' TTUR script, clean-fid's legacy_tensorflow"),
    "torchmetrics": Preset({"resize": "bilinear-antialias"}, "torchmetrics since 1.8, which smooths before resizing"),
}


@dataclass(frozen=True)
class FID(SetMetric):
    """How different the frames of two sets of clips look to Inception-v3, realism and variety together.

    Reads    RGB of both clips, each frame brought to 299 x 299 and through Inception-v3: 2048 features (pool3)
    Returns  squared Fréchet distance of two Gaussians fitted to the features of all frames of all clips: from 0, no
             unit, 0 for equal means and covariances. It grows as sets get smaller, and 2048 frames a side are the least
             that fill a covariance; frames of one clip are alike and count for less than their number
    Source   Heusel et al., NeurIPS 2017; the default is pytorch-fid 0.3.0, which is clean-fid's legacy_pytorch too
    Departs  frames come straight from the decoder, where pytorch-fid reads what has been written to image files: JPEG
             changes the number. The trace of the root is exact and needs no epsilon on the diagonals. clean-fid runs
             NVIDIA's port of the same network (port=nvidia), torchmetrics torch-fidelity's: up to 1e-5 relative apart

    ``estimate``  ``plain``, or ``infinity``: extrapolated to infinitely many frames (Chong, Forsyth, CVPR 2020), from
                  15 random subsets of 5000 frames and more; needs 10000
    ``seed``      of those subsets
    ``port``      of the network: ``pytorch-fid`` or ``nvidia``
    ``resize``    ``bilinear`` (not smoothed), ``bilinear-antialias``, ``bilinear-tf1`` or ``bicubic-pil``
    """

    estimate: str = "plain"
    seed: int = 0
    port: str = "pytorch-fid"
    resize: str = "bilinear"

    name = "fid"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("heusel2017ttur", "parmar2022cleanfid", "chong2020fidinfinity")
    presets: ClassVar[Mapping[str, Preset]] = {
        **INPUTS,
        "infinity": Preset({"estimate": "infinity"}, "extrapolated to infinitely many frames"),
    }

    def __post_init__(self) -> None:
        check_inception(self.name, port=self.port, resize=self.resize)
        if self.estimate not in ESTIMATES:
            raise ProtocolError(f"fid: estimate must be one of {', '.join(ESTIMATES)}, not {self.estimate!r}")
        if self.seed < 0:
            raise ProtocolError(f"fid: the seed must be 0 or more, not {self.seed}")

    @property
    def least(self) -> int:
        """Two rows make a covariance; extrapolation wants subsets of many sizes."""
        return 2 if self.estimate == "plain" else 2 * frechet.SMALLEST_SUBSET

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """pool3 of every frame."""
        return inception(port=self.port, resize=self.resize)

    def compared(self, generated: Rows, reference: Rows) -> float:
        """Fréchet distance, covariances over rows - 1."""
        if self.estimate == "infinity":
            return frechet.infinity(generated, reference, seed=self.seed)
        return frechet.distance(generated, reference)
