"""What the two metrics of blinks have in common: when an eye counts as shut, and for how long a frame is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, Parameter
from thgeval.features.faces.eyes import eyes
from thgeval.features.frames.frames import seconds_of, shown
from thgeval.kernels.blinks import Blinks, blinks, falls
from thgeval.metric import Metric, Needs, View, of_generated
from thgeval.metrics.faces.missing import Array, Missing, Why, policy
from thgeval.metrics.faces.whom import Landmarked, with_choice
from thgeval.parameter import holding, parameter
from thgeval.states import State

S = TypeVar("S", bound=State)
RULES = ("level", "fall")
PERSONAL: Mapping[str, Parameter] = {"share": 0.75}
DETECTOR: Mapping[str, Parameter] = {
    "rule": "fall",
    "threshold": 0.072,
    "least": 4,
    "landmarks": "dlib-709",
    "who": "first",
    "missing": "hold",
}
"""DinoMan/blink-detector at 325e301."""


@dataclass(frozen=True)
class BlinkMetric(Metric[S]):
    """A metric of the blinks of one clip, found in the mean of both eyes' aspect ratio."""

    whom: Landmarked = holding(Landmarked(landmarks="dlib-x4"), missing=policy("skip", "fail", "hold"))
    rule: str = parameter(
        "level", "``level``: a blink is a run of frames below a level; ``fall``: the aspect ratio falls fast", of=RULES
    )
    threshold: float = parameter(
        0.2,
        ("aspect ratio below which eyes are shut; under ``fall``, how much it falls from frame to frame"),
        above=0,
        below=1,
    )
    share: float = parameter(
        0.0,
        "0, or the level is this share of the person's median in the clip, whatever the threshold",
        least=0,
        below=1,
    )
    least: int = parameter(
        2, "how many frames eyes must be shut for; under ``fall``, how many falls must be apart", least=1
    )

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        if self.rule == "fall" and (self.whom.missing == Missing("skip") or self.share):
            raise ProtocolError("rule=fall needs every frame, so missing=hold or fail, and share=0")

    @property
    def openness(self) -> Feature[Array]:
        """Aspect ratio of each eye: (frames, people, 2)."""
        return eyes(**self.whom.chosen)

    @property
    def needs(self) -> Needs:
        """Eyes of the generated clip, and its rate."""
        return of_generated(*with_choice(self.openness), shown)

    def seen(self, view: View) -> tuple[Array, Why, float]:
        """Mean aspect ratio of both eyes (frames, people), why a frame has none, and the seconds a frame lasts."""
        found = self.whom.alone(view, self.openness, lambda eyes: eyes.mean(axis=-1))
        return *found, seconds_of(view.generated[shown], what="time blinks")

    def blinks(self, ratios: Array) -> list[Blinks]:
        """Blinks of each person of (frames, people) aspect ratios."""
        return [self._of_one(own) for own in ratios.T]

    def _of_one(self, own: Array) -> Blinks:
        if self.rule == "fall":  # the program takes frames before the first face for 0
            return falls(np.nan_to_num(own, nan=0.0), drop=self.threshold, apart=self.least)
        relative = bool(self.share) and not np.isnan(own).all()
        level = self.share * float(np.nanmedian(own)) if relative else self.threshold
        return blinks(own, threshold=level, least=self.least)
