"""Landmark velocity difference: whether the points of a face move as the reference's do."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.metric import Better, Preset, View
from thgeval.metrics.faces.landmark_distance import LandmarkDistance
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.whom import over_pairs
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean

ALONE = "only one frame with a face"


@dataclass(frozen=True)
class LVD(LandmarkDistance):
    """How differently the points of the mouth move from one frame to the next.

    Reads    68 landmarks of the same person in both clips, in px
    Returns  mean over the 20 points of the mouth of the distance between the generated and the reference's displacement
             since the frame before, then over steps, then clips: from 0, in px of the frames compared per frame, 0 if
             identical
    Source   Ji et al., EVP, CVPR 2021 (M-LVD; F-LVD is preset face); yuangan/evaluation_eat, test_lmd.py
    Departs  a step needs a face in both its frames; the script (preset eat) goes on from the last frame that had one
             and divides by frames, of which there is one more. Its face LVD sums the velocities of the mouth, so that
             what it prints for the face is 20/68 of its value for the mouth
    """

    centred: bool = False
    steps: str = parameter(
        "consecutive",
        "``consecutive`` frames, or frames ``found`` to have a face, the first of which counts as 0",
        of=("consecutive", "found"),
    )

    name = "lvd"
    version = 2
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("ji2021evp", "gan2023eat")
    presets: ClassVar[Mapping[str, Preset]] = {
        "face": Preset({"points": "face"}, "all 68 points"),
        "centred": Preset({"centred": True}, "of the mouth's shape alone, head motion taken out"),
        "eat": Preset({"steps": "found", "who": "first", "cut": "eat"}, "evaluation_eat's mouth LVD, cut to 128 px"),
        "interocular": Preset({"scale": "interocular"}, "over the distance of the reference's outer eye corners"),
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        super().check_together()
        if not self.alignment.rigid:
            raise ProtocolError("steps are not brought in step; leave band out")

    @property
    def unit(self) -> str:
        """Px of the frames compared, or eye distances, per frame."""
        return "px/frame" if self.scale == "px" else "1/frame"

    def measure(self, view: View) -> ClipMean | PooledMean:
        """One value per step."""
        sides = self.sides(view)
        if self.steps == "consecutive":
            if len(sides.why) == 1:
                return self.state(view, np.array([np.nan]), np.where(sides.why == "", ALONE, sides.why))
            why = np.where(sides.why[:-1] != "", sides.why[:-1], sides.why[1:])
            return self.state(view, self._moved(sides.generated, sides.reference), why)
        values = np.full(len(sides.why), np.nan)
        found = np.flatnonzero(sides.why == "")
        if len(found) > 1:
            values[found] = np.r_[0.0, self._moved(sides.generated[found], sides.reference[found])]
        return self.state(view, values, np.where((sides.why == "") & np.isnan(values), ALONE, sides.why))

    def _moved(self, generated: Array, reference: Array) -> Array:
        """Differences of displacements of (frames, people, 68, 2): (frames - 1,)."""

        def between(steps: Array, others: Array) -> Array:
            return self.scaled(self.between(steps[:, 0], others[:, 0]), others[:, 1])

        first, second = (np.stack([np.diff(side, axis=0), side[1:]], axis=2) for side in (generated, reference))
        return over_pairs(first, second, between)
