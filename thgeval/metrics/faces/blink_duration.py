"""Blink duration: how long the eyes stay shut."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thgeval.metric import Better, Preset, View
from thgeval.metrics.faces.blinking import DETECTOR, PERSONAL, BlinkMetric
from thgeval.parameter import parameter
from thgeval.states import Part, Rows

AVERAGES: Mapping[str, Callable[[Any], Any]] = {"median": np.median, "mean": np.mean}


@dataclass(frozen=True)
class BlinkDuration(BlinkMetric[Rows]):
    """How long the eyes of the generated face stay shut when they do.

    Reads    eye aspect ratio of one person of the generated clip, the mean of both eyes; the reference's is measured in
             the same way, to compare with
    Returns  median over all blinks of all clips, in s, above 0: whole frames, 0.04 s at 25 fps; people's last 0.1 to
             0.4 s; better the closer to the reference's own value. Blinks whose beginning or end is not seen don't
             count; without blinks there is no duration
    Source   Vougioukas, Petridis, Pantic, IJCV 2020; the aspect ratio of Soukupová, Čech, CVWW 2016, shut below 0.2
    Departs  a median of blinks below a level, where Diffused Heads' numbers are by DinoMan/blink-detector: the mean, in
             frames, from the widest open before a fall to the widest open after it, which preset blink-detector gives
             in s (see blinks-per-s for what it leaves out)
    """

    average: str = parameter("median", "``median`` or ``mean``", of=AVERAGES)

    name = "blink-duration"
    version = 2
    unit = "s"
    range = (0.0, math.inf)
    better = Better.CLOSER_TO_REFERENCE
    cites = ("vougioukas2020sda", "soukupova2016ear", "stypulkowski2024diffusedheads")
    presets: ClassVar[Mapping[str, Preset]] = {
        "mean": Preset({"average": "mean"}, "the mean over blinks"),
        "personal": Preset(PERSONAL, "a level for each face, 0.75 of its median: for eyes that are narrow or wide"),
        "blink-detector": Preset(
            {**DETECTOR, "average": "mean"}, "DinoMan/blink-detector: from open to open again, the mean over blinks"
        ),
    }

    @property
    def stepwise(self) -> bool:
        """The median of whole frames is."""
        return self.average == "median"

    def measure(self, view: View) -> Rows:
        """Seconds of each whole blink of a clip."""
        ratios, why, seconds = self.seen(view)
        whole = np.concatenate([found.frames[found.whole] for found in self.blinks(ratios)])
        part = self.whom.part(np.where(np.isnan(ratios).all(axis=1), np.nan, 1.0), why)
        return Rows({view.clip: (Part(0, whole[:, None] * seconds, part.left_out),)})

    def score(self, state: Rows) -> float:
        """Median or mean over all blinks; NaN if there are none."""
        return float(AVERAGES[self.average](state.stacked())) if state.frames else math.nan

    def remark(self, state: Rows) -> str | None:
        """How many blinks there are, or that there is none."""
        return super().remark(state) if state.frames else "no blink begins and ends in view, and 0 s would be wrong"

    def cautions(self, state: Rows) -> Iterator[str]:
        """How many blinks, and their other average."""
        other = "mean" if self.average == "median" else "median"
        yield f"{state.frames} blinks, {other} {AVERAGES[other](state.stacked()):.3f} s"
