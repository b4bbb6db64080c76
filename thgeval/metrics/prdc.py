"""Precision, recall, density and coverage: fidelity and diversity of a set of frames, told apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.inception import check_inception, inception
from thgeval.kernels import prdc as kernel
from thgeval.metric import Better, Preset
from thgeval.metrics.sets import BIASED, Rows, SetMetric
from thgeval.rows import Indices

WHICH = ("coverage", "density", "precision", "recall")
PRESETS: Mapping[str, Preset] = {
    "density": Preset({"which": "density"}, "mean number of reference balls around a generated frame, over nearest"),
    "precision": Preset({"which": "precision"}, "share of generated frames in the ball of any reference frame"),
    "recall": Preset({"which": "recall"}, "share of reference frames in the ball of any generated frame"),
}


class NeighbourMetric(SetMetric):
    """One of four scores, ``which``, of rows and their ``nearest`` neighbours."""

    which: str
    nearest: int
    interval_note = BIASED

    @property
    def least(self) -> int:
        """A row and as many others as the ball reaches to."""
        return self.nearest + 1

    def compared(self, generated: Rows, reference: Rows) -> float:
        """The one of the four that was asked for."""
        return float(getattr(kernel.scores(generated, reference, nearest=self.nearest), self.which))

    def compared_without(
        self, generated: Rows, reference: Rows, generated_groups: Indices, reference_groups: Indices
    ) -> Sequence[float] | NDArray[np.float64]:
        """Scores of what is left; every distance is computed once."""
        found = kernel.jackknife(
            generated,
            reference,
            generated_groups=generated_groups,
            reference_groups=reference_groups,
            nearest=self.nearest,
        )
        return [float(getattr(scores, self.which)) for scores in found]


@dataclass(frozen=True)
class PRDC(NeighbourMetric):
    """How far generated frames fall among reference frames, and how much of the reference's variety they cover.

    Reads    RGB of both clips, brought to 299 x 299 and through Inception-v3 as for FID: 2048 features a frame
    Returns  one of four numbers over all frames of all clips. coverage: share of reference frames with a generated one
             in their ball, which reaches to the nearest-th nearest reference frame; density: how many such balls a
             generated frame lies in, over nearest; precision: share of generated frames in any such ball; recall:
             share of reference frames in the ball of any generated frame. All but density lie in [0, 1]; density has
             no upper bound and is 1 on average for sets drawn alike
    Source   Naeem, Oh, Uh, Choi, Yoo, ICML 2020; Kynkäänniemi et al., NeurIPS 2019 (precision and recall)
    Departs  from Kynkäänniemi's precision and recall in the network (theirs is VGG-16, a ball includes its border);
             the default is coverage, which a few outlying reference frames can't raise as they raise the others

    ``which``    ``coverage``, ``density``, ``precision`` or ``recall``
    ``nearest``  which nearest neighbour the ball of a row reaches to
    ``port``     of the network: ``pytorch-fid`` or ``nvidia``
    ``resize``   ``bilinear``, ``bilinear-antialias``, ``bilinear-tf1`` or ``bicubic-pil``, as for fid
    """

    which: str = "coverage"
    nearest: int = 5
    port: str = "pytorch-fid"
    resize: str = "bilinear"

    name = "prdc"
    version = 1
    range = (0.0, math.inf)
    better = Better.HIGHER
    cites = ("naeem2020prdc", "kynkaanniemi2019improved")
    enough = 1000
    presets: ClassVar[Mapping[str, Preset]] = PRESETS

    def __post_init__(self) -> None:
        check_prdc(self.name, which=self.which, nearest=self.nearest)
        check_inception(self.name, port=self.port, resize=self.resize)

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """pool3 of every frame."""
        return inception(port=self.port, resize=self.resize)


def check_prdc(metric: str, *, which: str, nearest: int) -> None:
    """Raise ProtocolError for a score or a neighbour that isn't there."""
    if which not in WHICH:
        raise ProtocolError(f"{metric}: which must be one of {', '.join(WHICH)}, not {which!r}")
    if nearest < 1:
        raise ProtocolError(f"{metric}: nearest must be 1 or more, not {nearest}")
