"""Blink rate: how often the eyes shut."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.metric import Better, Preset, View
from thgeval.metrics.faces.blinking import DETECTOR, PERSONAL, BlinkMetric
from thgeval.states import Counts, Part


@dataclass(frozen=True)
class BlinksPerS(BlinkMetric[Counts]):
    """How often the eyes of the generated face shut, for any length of time.

    Reads    eye aspect ratio of one person of the generated clip, the mean of both eyes; the reference's is measured in
             the same way, to compare with
    Returns  blinks of all clips over the seconds of all their frames with a face: in 1/s, from 0; people blink 0.25 to
             0.5 times a second; better the closer to the reference's own value. A blink cut by the end of the clip
             counts
    Source   Vougioukas, Petridis, Pantic, IJCV 2020; the aspect ratio of Soukupová, Čech, CVWW 2016, shut below 0.2
    Departs  threshold and shortest blink are those in common use: eyes that stay open wider than 0.2 in a blink are
             missed (preset personal finds them), and blinks of 40 ms, one frame at 25 fps. Diffused Heads' numbers are
             by DinoMan/blink-detector: preset blink-detector counts as that program, which prints blinks a video, and
             holds the aspect ratio where it reads landmarks in the last face's box
    """

    name = "blinks-per-s"
    version = 2
    unit = "1/s"
    range = (0.0, math.inf)
    better = Better.CLOSER_TO_REFERENCE
    counts_events = True
    cites = ("vougioukas2020sda", "soukupova2016ear", "stypulkowski2024diffusedheads")
    presets: ClassVar[Mapping[str, Preset]] = {
        "personal": Preset(PERSONAL, "a level for each face, 0.75 of its median: for eyes that are narrow or wide"),
        "blink-detector": Preset(DETECTOR, "DinoMan/blink-detector: falls of 0.072 in a frame, 4 frames apart"),
    }

    def measure(self, view: View) -> Counts:
        """Blinks of all people of a clip over the seconds in which they are seen."""
        ratios, why, seconds = self.seen(view)
        count = sum(len(found.frames) for found in self.blinks(ratios))
        seen = ~np.isnan(ratios)
        part = self.whom.part(np.where(seen.any(axis=1), 1.0, np.nan), why)
        counted = [[count, seen.sum() * seconds, seen.any(axis=1).sum()]]
        return Counts({view.clip: (Part(0, np.array(counted, np.float64), part.left_out),)})

    def cautions(self, state: Counts) -> Iterator[str]:
        """What the rate is made of."""
        count, seconds = state.totals[:, :2].sum(axis=0)
        yield f"{count:.0f} blinks in {seconds:.1f} s"
