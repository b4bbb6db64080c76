"""How far frames are apart in the layers of a network trained on photographs, without anything to fetch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from thgeval.feature import Feature
from thgeval.features.frames.effnet import effnet_distance, effnet_lagged
from thgeval.metric import Better, Needs, Preset, View, of_pair
from thgeval.metrics.alignment import TimeAlignment
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.states import ClipMean, PooledMean


@dataclass(frozen=True)
class EffnetDistance(Regional[ClipMean | PooledMean]):
    """How different each frame looks from its reference, in the layers of EfficientNet-Lite0.

    Reads    RGB of both clips, brought to 224 x 224, bilinear, smoothed, aspect not kept
    Returns  squared distance of the directions of two frames' channels, mean over the places of a layer's map, then
             over five layers, frames, clips: in [0, 4], no unit, 0 if identical
    Source   this project; the form of Zhang et al., LPIPS, CVPR 2018, without its heads; the network of Tan, Le, 2019
    Departs  from LPIPS in the network and in that nothing was learned of people's opinions: every channel weighs the
             same. Its numbers are its own. Use it where nothing can be fetched, and LPIPS to publish
    """

    average: str = averaging()
    alignment: TimeAlignment = TimeAlignment()

    name = "effnet-distance"
    version = 1
    range = (0.0, 4.0)
    better = Better.LOWER
    cites = ("tan2019efficientnet", "zhang2018lpips")
    presets: ClassVar[Mapping[str, Preset]] = {
        "aligned": Preset({"band": 5, "softness": 0.01}, "brought in step first, each frame up to 5 early or late"),
        **MOUTH,
        **FACE,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        self.alignment.check(average=self.average)

    @property
    def distance(self) -> Feature[Any]:
        """The distances that are averaged."""
        how = self.alignment
        return self.within(effnet_distance() if how.rigid else effnet_lagged(band=how.band))

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
