"""Kernel Inception distance: FID's unbiased companion, for sets that are small."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.frames.classifiers import CLASSIFIERS, check_resize, classified
from thgeval.features.frames.inception import RESIZES
from thgeval.kernels import kid as kernel
from thgeval.metric import Better, Preset
from thgeval.metrics.sets.fid import INPUTS
from thgeval.metrics.sets.sets import SetComparison, SetMetric
from thgeval.parameter import Held, parameter
from thgeval.states.stacked import Indices, RowMatrix


@dataclass(frozen=True)
class KernelComparison(Held, SetComparison):
    """Squared maximum mean discrepancy of all pairs of rows, or of random subsets."""

    subsets: int = parameter(0, "how many random subsets are averaged; 0 for all pairs at once", least=0)
    subset_rows: int = parameter(0, "how many frames of either side a subset has; 0 for all pairs at once", least=0)
    seed: int = parameter(0, "of the subsets")

    @property
    def least(self) -> int:
        """The rows of a subset."""
        return max(2, self.subset_rows)

    def compared(self, generated: RowMatrix, reference: RowMatrix) -> float:
        """Mean over all pairs, or over random subsets."""
        if not self.subsets:
            return kernel.distance(generated, reference).mean
        drawn = {"subsets": self.subsets, "subset_size": self.subset_rows, "seed": self.seed}
        return kernel.distance(generated, reference, **drawn).mean

    def compared_without(
        self, generated: RowMatrix, reference: RowMatrix, generated_groups: Indices, reference_groups: Indices
    ) -> Sequence[float] | NDArray[np.float64]:
        """Distances of what is left from one pass over all pairs; random subsets are drawn anew for each."""
        if self.subsets:
            return super().compared_without(generated, reference, generated_groups, reference_groups)
        return kernel.jackknife(
            generated, reference, generated_groups=generated_groups, reference_groups=reference_groups
        )


@dataclass(frozen=True)
class KID(SetMetric):
    """How different the frames of two sets of clips look to Inception-v3, with a value that doesn't grow in small sets.

    Reads    RGB of both clips, brought to 299 x 299 and through Inception-v3 as for FID: 2048 features a frame
    Returns  squared maximum mean discrepancy under the kernel (a·b / 2048 + 1)^3, unbiased: no unit, around 0 for sets
             drawn alike, below 0 for a set and its copy; many tools print it times 1000
    Source   Bińkowski, Sutherland, Arbel, Gretton, ICLR 2018
    Departs  from the authors' in the pairs: all are taken, not 100 random subsets of 1000, which is the same
             expectation with less noise (preset subsets has them)
    """

    comparison: KernelComparison = KernelComparison()
    port: str = parameter(
        "pytorch-fid",
        "of the network: ``pytorch-fid``, ``nvidia``, ``torchvision``; or another network, ``efficientnet-lite0``",
        of=CLASSIFIERS,
    )
    resize: str = parameter(
        "bilinear",
        "``bilinear``, ``bilinear-antialias``, ``bilinear-tf1``, ``bicubic-pil`` or ``bilinear-bgr``, as for fid",
        of=RESIZES,
    )

    name = "kid"
    version = 1
    range = (-math.inf, math.inf)
    better = Better.LOWER
    cites = ("binkowski2018kid",)
    embedded = "effnet"
    enough = 1000
    presets: ClassVar[Mapping[str, Preset]] = {
        "subsets": Preset({"subsets": 100, "subset_rows": 1000}, "the authors' 100 random subsets of 1000 frames"),
        **INPUTS,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        check_resize(port=self.port, resize=self.resize)
        subsets, rows = self.comparison.subsets, self.comparison.subset_rows
        if (subsets, rows) != (0, 0) and (subsets < 1 or rows < 2):
            raise ProtocolError(
                f"subsets and subset_rows are both 0, or 1 or more of 2 or more rows, not {subsets} and {rows}"
            )

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """The network's features of every frame."""
        return classified(port=self.port, resize=self.resize)
