"""Image quality without a reference, by hyperIQA."""

import math
from dataclasses import dataclass
from typing import Any

from thgeval.feature import Feature
from thgeval.features.frames.quality import quality
from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import ClipMean


@dataclass(frozen=True)
class IQA(Metric[ClipMean]):
    """How good each frame looks by itself, to a network trained on people's opinions of photographs.

    Reads    RGB of the generated clip, each frame brought to 384 px by 512 px in height and cut into ten squares of
             224 px
    Returns  mean over squares, frames, then clips: on KonIQ-10k's scale of about 0 to 100, no unit, not bounded
    Source   Su, Yan, Zhu, Zhang, Ge, Sun, Zhang, CVPR 2020 (hyperIQA), as in ROME, ECCV 2022
    Departs  the authors' demo draws the squares anew every time; here they follow from a seed and are the same in every
             frame. pyiqa's network of the same name is another training on a scale of 0 to 1. It isn't the IQA of
             tables that give IQA and ASE, which are Q-Align's quality and aesthetics, on a scale of 1 to 5
             (q-align-iqa, q-align-ase)
    """

    crops: int = parameter(10, "how many squares", least=1, most=1000)
    seed: int = parameter(0, "of their places", least=0)

    name = "iqa"
    version = 1
    range = (-math.inf, math.inf)
    better = Better.HIGHER
    cites = ("su2020hyperiqa", "khakhulin2022rome")

    @property
    def judged(self) -> Feature[Any]:
        """The quality that is averaged."""
        return quality(crops=self.crops, seed=self.seed)

    @property
    def needs(self) -> Needs:
        """The quality of every generated frame."""
        return of_generated(self.judged)

    def measure(self, view: View) -> ClipMean:
        """The quality of the frames of one piece."""
        return ClipMean.of(view.clip, view.generated[self.judged], start=view.start)
