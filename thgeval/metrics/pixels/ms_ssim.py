"""Multi-scale structural similarity, after Wang, Simoncelli and Bovik (2003)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from thgeval.features.frames.frames import luma, rgb
from thgeval.kernels import ms_ssim as kernel
from thgeval.kernels.places import in_memory
from thgeval.kernels.ssim import Windows
from thgeval.metric import Better, Needs, Preset, View, of_both
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.pixels.regions import FACE, Regional
from thgeval.parameter import parameter, same_as
from thgeval.states import ClipMean, PooledMean

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


@dataclass(frozen=True)
class MSSSIM(Regional[ClipMean | PooledMean]):
    """How much structure survives, from fine detail to coarse layout: SSIM over five halvings of the frame.

    Reads    RGB of both clips: (frames, height, width, 3), shorter side above 160 px
    Returns  product over scales of contrast terms and the last scale's SSIM, each to the power of its weight; mean
             over channels, frames, clips: in [0, 1], no unit, 1 if identical
    Source   Wang, Simoncelli, Bovik, Asilomar 2003; as in VainF/pytorch-msssim, which talking-head papers use
    Departs  from the paper: RGB channels apart instead of grey (preset grey), halving by 2x2 means, and negative
             contrast terms count as 0
    """

    region: str = parameter(
        "frame", "the whole ``frame`` or the ``face``, as in ``ssim``; mouths are too small", of=("frame", "face")
    )
    window: int = same_as(Windows, "window")
    sigma: float = same_as(Windows, "sigma")
    k1: float = same_as(Windows, "k1")
    k2: float = same_as(Windows, "k2")
    colour: str = parameter("rgb", "``rgb`` or ``grey``", of=("rgb", "grey"))
    average: str = averaging()

    name = "ms-ssim"
    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    on_card = True
    cites = ("wang2003msssim",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "grey": Preset({"colour": "grey"}, "luma alone, as in the paper"),
        **FACE,
    }

    @property
    def needs(self) -> Needs:
        """Frames or luma of both clips."""
        return self.placed(of_both(self.within(rgb if self.colour == "rgb" else luma())))

    def measure(self, view: View) -> ClipMean | PooledMean:
        """One product of scales per frame."""
        if self.colour == "rgb":
            frames = self.within(rgb)
            first, second, peak = view.generated[frames].new, view.reference[frames].new, view.generated[frames].peak
        else:
            grey = self.within(luma())
            first, second, peak = view.generated[grey].pixels, view.reference[grey].pixels, view.generated[grey].peak
        per_frame = kernel.ms_ssim(
            generated=first,
            reference=second,
            peak=peak,
            weights=WEIGHTS,
            window=self.window,
            sigma=self.sigma,
            k1=self.k1,
            k2=self.k2,
        )
        kept = AVERAGES[self.average].of(view.clip, in_memory(per_frame), start=view.start)
        return self.with_faces(view, kept)
