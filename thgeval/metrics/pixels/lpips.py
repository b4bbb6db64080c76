"""Learned perceptual image patch similarity: a distance that follows what people see."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.frames.perceptual import BLACKS, HEADS, MEANS, TRUNKS, perceptual_distance, perceptual_lagged
from thgeval.metric import Better, Needs, Preset, View, of_pair
from thgeval.metrics.alignment import TimeAlignment
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean

CHOICES = {"trunk": tuple(TRUNKS), "release": tuple(HEADS), "black": BLACKS, "mean": MEANS}


@dataclass(frozen=True)
class LPIPS(Regional[ClipMean | PooledMean]):
    """How different each frame looks from its reference, in the feature maps of a classification network.

    Reads    RGB of both clips at their size, at least 32 px a side, black at -1 and white at 1
    Returns  mean over each layer's map, sum over layers, mean over frames, then clips: from 0, no unit, 0 if identical,
             about 0.7 for frames with nothing in common
    Source   Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018; the lpips package 0.1.4
    Departs  nothing; papers that resize to 256 px first need a protocol with that size
    """

    trunk: str = parameter(
        "alex", "the network: ``alex``, ``vgg`` or ``squeeze``; their distances can't be compared", of=TRUNKS
    )
    release: str = parameter(
        "0.1", "of the heads: ``0.1``, or ``0.0``, which forgot to scale the network's input", of=HEADS
    )
    black: str = parameter("minus-one", "what black enters as: ``minus-one``, or ``zero``, a common slip", of=BLACKS)
    mean: str = parameter(
        "layers", "of ``layers``, or of the ``map`` that the enlarged layers add up to, slightly different", of=MEANS
    )
    average: str = averaging()
    alignment: TimeAlignment = TimeAlignment()

    name = "lpips"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("zhang2018lpips",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "vgg": Preset({"trunk": "vgg"}, "VGG-16, as losses often have it"),
        "squeeze": Preset({"trunk": "squeeze"}, "SqueezeNet 1.1, the smallest"),
        "disco": Preset(
            {"trunk": "vgg", "black": "zero", "average": "frames"},
            "DisCo's script: VGG-16 fed with [0, 1] instead of [-1, 1], all frames at once",
        ),
        "map": Preset({"mean": "map"}, "scripts that ask for a spatial map and take its mean"),
        "talkingheadmetrics": Preset({"average": "frames"}, "TalkingHeadMetrics' script: all frames at once"),
        "v0.0": Preset({"release": "0.0"}, "the first release, whose input was not scaled"),
        "aligned": Preset({"band": 5, "softness": 0.01}, "brought in step first, each frame up to 5 early or late"),
        **MOUTH,
        **FACE,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        self.alignment.check(average=self.average)
        if not self.alignment.rigid and self.mean != "layers":
            raise ProtocolError("clips are brought in step by mean=layers alone")

    @property
    def distance(self) -> Feature[Any]:
        """The distances that are averaged."""
        network = {"trunk": self.trunk, "release": self.release, "black": self.black}
        how = self.alignment
        return self.within(
            perceptual_distance(**network, mean=self.mean) if how.rigid else perceptual_lagged(**network, band=how.band)
        )

    @property
    def needs(self) -> Needs:
        """One distance per pair of frames."""
        return self.placed(of_pair(self.distance))

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The distances of one piece."""
        kept = AVERAGES[self.average].of(view.clip, view.pair[self.distance], start=view.start)
        return self.with_faces(view, kept)

    def score(self, state: ClipMean | PooledMean) -> float:
        """Mean over clips, or over all frames, or of clips in step."""
        return self.alignment.value(state)
