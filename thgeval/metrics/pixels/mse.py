"""Mean squared error of pixels: what PSNR is the logarithm of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from thgeval.features.frames.differences import rgb_errors
from thgeval.metric import Better, Needs, Preset, View, of_pair
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.states import PooledMean


@dataclass(frozen=True)
class MSE(Regional[PooledMean]):
    """How far pixels are from the reference's, on average of squares, where white is 1.

    Reads    RGB of both clips: (frames, height, width, 3)
    Returns  mean squared difference over pixels, channels and all frames of all clips: in [0, 1], no unit; where white
             is 255 it is 65025 times as much
    Source   engineering standard; as in scikit-image, mean_squared_error, of frames divided by their white
    Departs  nothing
    """

    name = "mse"
    version = 1
    range = (0.0, 1.0)
    better = Better.LOWER
    cites = ("huynhthu2008psnr",)
    presets: ClassVar[Mapping[str, Preset]] = {**MOUTH, **FACE}

    @property
    def needs(self) -> Needs:
        """The errors of every frame."""
        return self.placed(of_pair(self.within(rgb_errors())))

    def measure(self, view: View) -> PooledMean:
        """Mean squared error of each frame."""
        errors = view.pair[self.within(rgb_errors())]
        per_frame = errors.squared / (errors.count * errors.peak**2)
        return self.with_faces(view, PooledMean.of(view.clip, per_frame, start=view.start))
