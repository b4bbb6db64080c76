"""Fréchet Inception distance: how different two sets of frames look to a classification network."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.frames.classifiers import CLASSIFIERS, check_resize, classified
from thgeval.features.frames.inception import PORTS, RESIZES, sampled_inception
from thgeval.kernels import frechet
from thgeval.metric import Better, Needs, Preset, View
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.metrics.sets.sets import Frechet, SetComparison, SetMetric
from thgeval.parameter import Held, parameter
from thgeval.states import Rows, TwoRows
from thgeval.states.stacked import Indices, RowMatrix

ESTIMATES = ("plain", "infinity")
INPUTS: Mapping[str, Preset] = {
    "effnet": Preset(
        {"port": "efficientnet-lite0", "resize": "bilinear-antialias"},
        "by EfficientNet-Lite0, which a package brings (extra trained): a number of its own, never Inception's",
    ),
    "clean": Preset({"resize": "bicubic-pil"}, "clean-fid's default: Pillow's bicubic on floats"),
    "legacy-tensorflow": Preset({"resize": "bilinear-tf1"}, "the authors' TTUR script, clean-fid's legacy_tensorflow"),
    "torchmetrics": Preset({"resize": "bilinear-antialias"}, "torchmetrics since 1.8, which smooths before resizing"),
}


@dataclass(frozen=True)
class Extrapolated(Held, SetComparison):
    """Fréchet distance of the frames there are, or of infinitely many."""

    estimate: str = parameter(
        "plain",
        "``plain``, or ``infinity``: extrapolated to infinitely many frames (Chong, Forsyth, CVPR "
        "2020), from 15 random subsets of 5000 frames and more; needs 10000",
        of=ESTIMATES,
    )
    seed: int = parameter(0, "of those subsets", least=0)

    @property
    def least(self) -> int:
        """Two rows make a covariance; extrapolation wants subsets of many sizes."""
        return 2 if self.estimate == "plain" else 2 * frechet.SMALLEST_SUBSET

    @property
    def biased(self) -> bool:
        """An extrapolation takes the bias out."""
        return self.estimate == "plain"

    def compared(self, generated: RowMatrix, reference: RowMatrix) -> float:
        """The distance of all rows, or of infinitely many."""
        if self.estimate == "infinity":
            return frechet.infinity(generated, reference, seed=self.seed)
        return Frechet().compared(generated, reference)

    def compared_without(
        self, generated: RowMatrix, reference: RowMatrix, generated_groups: Indices, reference_groups: Indices
    ) -> Sequence[float] | NDArray[np.float64]:
        """Extrapolations share nothing, since each draws subsets of its own."""
        how = super().compared_without if self.estimate == "infinity" else Frechet().compared_without
        return how(generated, reference, generated_groups, reference_groups)


@dataclass(frozen=True)
class FID(SetMetric, Regional[TwoRows]):
    """How different the frames of two sets of clips look to Inception-v3, realism and variety together.

    Reads    RGB of both clips, each frame brought to 299 x 299 and through Inception-v3: 2048 features (pool3)
    Returns  squared Fréchet distance of two Gaussians fitted to the features of all frames of all clips: from 0, no
             unit, 0 for equal means and covariances. It grows as sets get smaller, and 2048 frames a side are the least
             that fill a covariance; frames of one clip are alike and count for less than their number
    Source   Heusel et al., NeurIPS 2017; the default is pytorch-fid 0.3.0, which is clean-fid's legacy_pytorch too
    Departs  frames come straight from the decoder, where pytorch-fid reads what has been written to image files: JPEG
             changes the number. The trace of the root is exact and needs no epsilon on the diagonals. clean-fid runs
             NVIDIA's port of the same network (port=nvidia), torchmetrics torch-fidelity's: up to 1e-5 relative apart
    """

    region: str = parameter(
        "frame",
        "what is looked at: the whole ``frame``, the ``mouth`` or the ``face``, where each clip has its own "
        "(see ``faces.regions``)",
    )
    comparison: Extrapolated = Extrapolated()
    port: str = parameter(
        "pytorch-fid",
        "of the network: ``pytorch-fid``, ``nvidia``, ``torchvision``; or another network, ``efficientnet-lite0``",
        of=CLASSIFIERS,
    )
    resize: str = parameter(
        "bilinear",
        "``bilinear`` (not smoothed), ``bilinear-antialias``, ``bilinear-tf1``, ``bicubic-pil``, or ``bilinear-bgr``, "
        "with red and blue exchanged",
        of=RESIZES,
    )
    frames: int = parameter(
        0, "how many frames of each clip, evenly spread from its first on; 0 for all", least=0, later=True
    )

    name = "fid"
    version = 1
    better = Better.LOWER
    cites = ("heusel2017ttur", "parmar2022cleanfid", "chong2020fidinfinity")
    at = "own"
    embedded = "effnet"
    presets: ClassVar[Mapping[str, Preset]] = {
        **INPUTS,
        "eat": Preset(
            {"port": "torchvision", "resize": "bilinear-bgr", "frames": 5},
            "evaluation_eat's script: torchvision's network, five frames a clip, red and blue exchanged",
        ),
        "infinity": Preset({"estimate": "infinity"}, "extrapolated to infinitely many frames"),
        **MOUTH,
        **FACE,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        check_resize(port=self.port, resize=self.resize)
        if self.frames and (self.region != "frame" or self.port not in PORTS):
            raise ProtocolError(
                "some frames of a clip are chosen for Inception, of whole frames alone; leave frames out"
            )

    @property
    def range(self) -> tuple[float, float]:
        """From 0 up; where a line through subsets meets infinity may lie below."""
        return 0.0 if self.comparison.estimate == "plain" else -math.inf, math.inf

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """The network's features of every frame, or of some of a clip's."""
        if self.frames:
            return sampled_inception(port=self.port, resize=self.resize, frames=self.frames)
        return self.within(classified(port=self.port, resize=self.resize))

    @property
    def needs(self) -> Needs:
        """The rows of both clips."""
        return self.placed(super().needs)

    def measure(self, view: View) -> TwoRows:
        """The rows of one piece of a pair."""
        return self.with_faces(view, super().measure(view))

    def measure_alone(self, view: View) -> Rows:
        """The rows of one piece of a clip of either side."""
        return self.with_own_face(view, super().measure_alone(view))
