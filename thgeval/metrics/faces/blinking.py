"""What the two metrics of blinks have in common: when an eye counts as shut, and for how long a frame is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeVar

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, Parameter
from thgeval.features.faces.eyes import eyes
from thgeval.features.frames.frames import seconds_of, shown
from thgeval.kernels.blinks import Blinks, blinks, falls
from thgeval.metric import Needs, View, of_generated
from thgeval.metrics.faces.faces import Array, FaceMetric, Why, held, lacking, present, refuse, with_choice
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
class BlinkMetric(FaceMetric[S]):
    """A metric of the blinks of one clip, found in the mean of both eyes' aspect ratio."""

    landmarks: str = "dlib-x4"
    rule: str = "level"
    threshold: float = 0.2
    share: float = 0.0
    least: int = 2

    policies: ClassVar[tuple[str, ...]] = ("skip", "fail", "hold")
    explained: ClassVar[str] = (
        "``rule``       ``level``: a blink is a run of frames below a level; ``fall``: the aspect ratio falls fast\n"
        "``threshold``  aspect ratio below which eyes are shut; under ``fall``, how much it falls from frame to frame\n"
        "``share``      0, or the level is this share of the person's median in the clip, whatever the threshold\n"
        "``least``      how many frames eyes must be shut for; under ``fall``, how many falls must be apart\n"
        + FaceMetric.explained
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check(rule=RULES)
        if self.rule == "fall" and (self.missing == "skip" or self.share):
            raise ProtocolError(f"{self.name}: rule=fall needs every frame, so missing=hold or fail, and share=0")
        if not 0 < self.threshold < 1 or not 0 <= self.share < 1 or self.least < 1:
            raise ProtocolError(
                f"{self.name}: threshold must lie in (0, 1), share in [0, 1) and least be 1 or more, not "
                f"{self.threshold}, {self.share} and {self.least}"
            )

    @property
    def openness(self) -> Feature[Array]:
        """Aspect ratio of each eye: (frames, people, 2)."""
        return eyes(**self.chosen)

    @property
    def needs(self) -> Needs:
        """Eyes of the generated clip, and its rate."""
        return of_generated(*with_choice(self.openness), shown)

    def seen(self, view: View) -> tuple[Array, Why, float]:
        """Mean aspect ratio of both eyes (frames, people), why a frame has none, and the seconds a frame lasts."""
        ratios = view.generated[self.openness].mean(axis=-1)
        why = np.where(present(ratios).any(axis=1), "", lacking(view.generated, self.openness))
        if self.missing == "fail":
            refuse(view.clip, why)
        seconds = seconds_of(view.generated[shown], what="time blinks")
        return held(ratios) if self.missing == "hold" else ratios, why, seconds

    def blinks(self, ratios: Array) -> list[Blinks]:
        """Blinks of each person of (frames, people) aspect ratios."""
        return [self._of_one(own) for own in ratios.T]

    def _of_one(self, own: Array) -> Blinks:
        if self.rule == "fall":  # the program takes frames before the first face for 0
            return falls(np.nan_to_num(own, nan=0.0), drop=self.threshold, apart=self.least)
        relative = bool(self.share) and not np.isnan(own).all()
        level = self.share * float(np.nanmedian(own)) if relative else self.threshold
        return blinks(own, threshold=level, least=self.least)
