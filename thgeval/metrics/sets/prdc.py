"""Precision, recall, density and coverage: fidelity and diversity of a set of frames, told apart."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature
from thgeval.features.frames.classifiers import CLASSIFIERS, check_resize, classified
from thgeval.features.frames.inception import RESIZES
from thgeval.kernels import prdc as kernel
from thgeval.metric import Better, Preset
from thgeval.metrics.sets.fid import INPUTS
from thgeval.metrics.sets.sets import SetComparison, SetMetric
from thgeval.parameter import Held, parameter
from thgeval.states import TwoRows
from thgeval.states.stacked import Indices, RowMatrix

UNTOLD = 0.5
"""Below this score of real frames a low one says little."""
HALF = 2000
WHICH = ("coverage", "density", "precision", "recall")
PRDC_PRESETS: Mapping[str, Preset] = {
    "density": Preset({"which": "density"}, "mean number of reference balls around a generated frame, over nearest"),
    "precision": Preset({"which": "precision"}, "share of generated frames in the ball of any reference frame"),
    "recall": Preset({"which": "recall"}, "share of reference frames in the ball of any generated frame"),
}


@dataclass(frozen=True)
class Neighbourhoods(Held, SetComparison):
    """One of four scores of rows and the balls that reach to their nearest neighbours."""

    which: str = parameter("coverage", "``coverage``, ``density``, ``precision`` or ``recall``", of=WHICH)
    nearest: int = parameter(5, "which nearest neighbour the ball of a row reaches to", least=1)

    biased = True

    @property
    def range(self) -> tuple[float, float]:
        """Shares lie in [0, 1]; density has no upper bound."""
        return 0.0, math.inf if self.which == "density" else 1.0

    @property
    def least(self) -> int:
        """A row and as many others as the ball reaches to."""
        return self.nearest + 1

    def compared(self, generated: RowMatrix, reference: RowMatrix) -> float:
        """The one of the four that was asked for."""
        return float(getattr(kernel.scores(generated, reference, nearest=self.nearest), self.which))

    def compared_without(
        self, generated: RowMatrix, reference: RowMatrix, generated_groups: Indices, reference_groups: Indices
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

    def why_none(self, state: TwoRows, row: str) -> str | None:
        """Every ball that could tell has radius 0."""
        if not any(self.held(state)) or not math.isnan(self.compared(state.generated, state.reference)):
            return None
        return (
            f"every ball has radius 0: the {row} to measure by are each there more than {self.nearest} times, as "
            "in a frozen clip"
        )

    def cautions(self, state: TwoRows, row: str) -> Iterator[str]:
        """What was left out, and what real frames would score where even they score little."""
        for side, held, all_ in zip(
            ("generated", "reference"), self.held(state), state.counts.sum(axis=0), strict=True
        ):
            if held:
                yield (
                    f"{held} of {all_} {side} {row} are there more than {self.nearest} times, as in a frozen "
                    "clip: their balls have radius 0, and are left out with what lies at their centre alone"
                )
        real = self.real(state)
        if real < UNTOLD:
            yield (
                f"a low value says nothing here, nor does 0: the reference's own halves score {real:.4f} against each "
                "other"
            )

    def held(self, state: TwoRows) -> tuple[int, int]:
        """How many generated and how many reference rows have a ball of radius 0."""
        generated, reference = (kernel.empty(rows, nearest=self.nearest) for rows in (state.generated, state.reference))
        return generated, reference

    def real(self, state: TwoRows) -> float:
        """The score of one half of the reference against the other, of at most ``HALF`` rows each.

        Halves are of clips, by order of their ids, or of the time of the only one; NaN if there are too few rows.
        """
        rows, clips = state.reference, state.counts[state.counts[:, 1] > 0, 1]
        middle = int(clips[: (len(clips) + 1) // 2].sum()) if len(clips) > 1 else len(rows) // 2
        halves = np.arange(middle), np.arange(middle, len(rows))
        first, second = (half[np.linspace(0, len(half) - 1, min(len(half), HALF)).astype(int)] for half in halves)
        if min(len(first), len(second)) < self.least:
            return math.nan
        return self.compared(rows.chosen(first), rows.chosen(second))


@dataclass(frozen=True)
class PRDC(SetMetric):
    """How far generated frames fall among reference frames, and how much of the reference's variety they cover.

    Reads    RGB of both clips, brought to 299 x 299 and through Inception-v3 as for FID: 2048 features a frame
    Returns  one of four numbers over all frames of all clips. coverage: share of reference frames with a generated one
             in their ball, which reaches to the nearest-th nearest reference frame; density: how many such balls a
             generated frame lies in, over nearest; precision: share of generated frames in any such ball; recall:
             share of reference frames in the ball of any generated frame. All but density lie in [0, 1]; density has
             no upper bound and is 1 on average for sets drawn alike
    Source   Naeem, Oh, Uh, Choi, Yoo, ICML 2020; Kynkäänniemi et al., NeurIPS 2019 (precision and recall)
    Departs  from Kynkäänniemi's precision and recall in the network (theirs is VGG-16, a ball includes its border);
             the default is coverage, which a few outlying reference frames can't raise as they raise the others.
             Frames that are there more than ``nearest`` times, as in frozen clips, have balls of radius 0 that hold not
             even a copy: the program of the paper counts 0 for them, here they are left out and counted in the note
    """

    comparison: Neighbourhoods = Neighbourhoods()
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

    name = "prdc"
    version = 2
    better = Better.HIGHER
    cites = ("naeem2020prdc", "kynkaanniemi2019improved")
    enough = 1000
    embedded = "effnet"
    presets: ClassVar[Mapping[str, Preset]] = {**PRDC_PRESETS, "effnet": INPUTS["effnet"]}

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        check_resize(port=self.port, resize=self.resize)

    @property
    def range(self) -> tuple[float, float]:
        """As its comparison's."""
        return self.comparison.range

    @property
    def rows(self) -> Feature[NDArray[np.float32]]:
        """The network's features of every frame."""
        return classified(port=self.port, resize=self.resize)
