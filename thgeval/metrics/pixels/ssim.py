"""Structural similarity, after Wang et al. (2004)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.frames.frames import block_means, downsampled_luma, luma, rgb
from thgeval.kernels import ssim as kernel
from thgeval.kernels.luma import RULES
from thgeval.kernels.places import in_memory
from thgeval.media.frames import FrameBatch
from thgeval.metric import Better, Needs, Preset, View, of_both
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.parameter import parameter, same_as
from thgeval.states import ClipMean, PooledMean

RULE = "bt601-rounded"
SCALES = {"native": ("grey", "rgb"), "wang": ("grey",), "blocks": ("rgb",)}
"""Ways to make frames smaller before the windows, and the colours that each is defined on."""


@dataclass(frozen=True)
class SSIM(Regional[ClipMean | PooledMean]):
    """How much of the reference's local structure survives in each frame.

    Reads    luma of both clips, rounded to uint8 as MATLAB's rgb2gray does; RGB in some presets
    Returns  mean over windows (and channels), then frames, then clips: in [-1, 1], no unit, 1 if identical
    Source   Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004
    Departs  no automatic downsampling before the windows (the authors' script has it: preset wang-downsample)
    """

    window: int = same_as(kernel.Windows, "window")
    sigma: float = same_as(kernel.Windows, "sigma")
    k1: float = same_as(kernel.Windows, "k1")
    k2: float = same_as(kernel.Windows, "k2")
    weighting: str = same_as(kernel.Windows, "weighting")
    covariance: str = parameter(
        "population", "``population`` (over N) or ``sample`` (over N-1) variances", of=("population", "sample")
    )
    colour: str = parameter("grey", "``grey``, or ``rgb``: channels apart, then their mean", of=("grey", "rgb"))
    scale: str = parameter(
        "native",
        "``native``, or ``wang``: first averaged and sampled down by round(shorter side / 256); ``blocks``: means over "
        "blocks of so many px a side, as piq has it",
        of=SCALES,
    )
    rule: str = parameter(RULE, "how grey is made of RGB: see ``thgeval.kernels.luma``", of=RULES, later=True)
    average: str = averaging()

    name = "ssim"
    version = 1
    range = (-1.0, 1.0)
    better = Better.HIGHER
    on_card = True
    cites = ("wang2004ssim",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "skimage-rgb": Preset(
            {"window": 7, "weighting": "uniform", "covariance": "sample", "colour": "rgb"},
            "scikit-image's defaults with channel_axis: uniform 7x7 windows, sample covariance, mean over RGB",
        ),
        "pytorch-msssim": Preset({"colour": "rgb"}, "the pytorch-msssim package: Gaussian windows, mean over RGB"),
        "wang-downsample": Preset({"scale": "wang"}, "the authors' MATLAB script with its automatic downsampling"),
        "vico": Preset(
            {"colour": "rgb", "scale": "blocks", "average": "frames"},
            "the ViCo challenge's script, TalkingHeadMetrics: piq's on RGB, halved from 384 px on, all frames at once",
        ),
        "disco": Preset(
            {
                "window": 7,
                "weighting": "uniform",
                "covariance": "sample",
                "rule": "cv2-grey",
                "average": "frames",
            },
            "DisCo's script: scikit-image's defaults on OpenCV's grey, all frames at once",
        ),
        "eat": Preset(
            {"window": 7, "weighting": "uniform", "covariance": "sample", "colour": "rgb", "average": "frames"},
            "evaluation_eat's script: scikit-image's defaults on RGB, all frames at once; it aligns faces first",
        ),
        "talklip": Preset(
            {"colour": "rgb", "average": "frames"},
            "TalkLip's script: scikit-image's Gaussian windows on RGB, all frames at once; it cuts faces to 96 px",
        ),
        **MOUTH,
        **FACE,
    }

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        if self.colour not in SCALES[self.scale]:
            raise ProtocolError(f"scale={self.scale} is defined on colour={SCALES[self.scale][0]} alone")
        if self.rule != RULE and (self.colour != "grey" or self.scale != "native"):
            raise ProtocolError(f"rule={self.rule} is of colour=grey and scale=native alone")

    @property
    def planes(self) -> Feature[Any]:
        """What is compared: frames, luma, or downsampled luma."""
        if self.colour == "rgb":
            return self.within(rgb if self.scale == "native" else block_means())
        return self.within(luma(rule=self.rule) if self.scale == "native" else downsampled_luma())

    @property
    def needs(self) -> Needs:
        """The same planes of both clips."""
        return self.placed(of_both(self.planes))

    def measure(self, view: View) -> ClipMean | PooledMean:
        """Mean over the windows of each frame."""
        generated, reference = view.generated[self.planes], view.reference[self.planes]
        first, second = (side.new if isinstance(side, FrameBatch) else side.pixels for side in (generated, reference))
        per_frame = kernel.ssim(
            generated=first,
            reference=second,
            peak=generated.peak,
            window=self.window,
            sigma=self.sigma,
            k1=self.k1,
            k2=self.k2,
            weighting=self.weighting,
            sample_covariance=self.covariance == "sample",
        )
        kept = AVERAGES[self.average].of(view.clip, in_memory(per_frame), start=view.start)
        return self.with_faces(view, kept)
