"""Cumulative probability of blur detection, after Narvekar and Karam (2011)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar

from thgeval.feature import Feature
from thgeval.features.frames.frames import Planes, luma
from thgeval.kernels import cpbd as kernel
from thgeval.kernels.luma import RULES, scaled, uniform
from thgeval.kernels.places import in_memory
from thgeval.metric import Better, Needs, Preset, View, of_generated
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.pixels.regions import FACE, MOUTH, Regional
from thgeval.parameter import parameter, same_as
from thgeval.states import ClipMean, PooledMean

UNIFORM = "uniform frame"


@dataclass(frozen=True)
class CPBD(Regional[ClipMean | PooledMean]):
    """How sharp the edges of the generated frames are: the share of edges too narrow to look blurred.

    Reads    luma of the generated clip on the 8-bit scale: (frames, height, width), at least one block of 64 px
    Returns  mean over frames, then clips: in [0, 1], no unit; no reference is needed, and sharper is not more real.
             Uniform frames, such as black ones, have no edge to measure and are left out and counted; frames too
             blurred for any edge score 0
    Source   Narvekar, Karam, IEEE TIP 20(9), 2011; CPBDM_Release_v1.0 (MATLAB)
    Departs  MATLAB's edge detector changed in 2011, after the authors published; this follows the later one (see
             ``thgeval.kernels.cpbd``). The value depends on resolution (64-px blocks, widths of 3 and 5 px), so sizes
             must not be mixed. The programs give uniform frames 0 too, the worst value
    """

    region: str = parameter(
        "frame",
        "what is looked at: the whole ``frame``, the ``mouth`` or the ``face``. A region is brought to a fixed size "
        "first, which blurs what it enlarges: compare clips of one size alone",
    )
    edges: str = same_as(kernel.Rules, "edges")
    canny: str = same_as(kernel.Rules, "canny")
    widths: str = same_as(kernel.Rules, "widths")
    cut: int = same_as(kernel.Rules, "cut")
    rule: str = parameter("bt601-rounded", "how luma is made of RGB: see ``thgeval.kernels.luma``", of=RULES)
    average: str = averaging()

    name = "cpbd"
    version = 2
    range = (0.0, 1.0)
    better = Better.HIGHER
    on_card = True
    cites = ("narvekar2011cpbd",)
    at = "own"
    presets: ClassVar[Mapping[str, Preset]] = {
        "python-cpbd": Preset(
            {**asdict(kernel.RULES["python-cpbd"]), "rule": "pil-l"},
            "the package cpbd 1.0.7, equal on the same luma",
        ),
        "atvgnet": Preset(
            {**asdict(kernel.RULES["atvgnet"]), "rule": "pil-l"},
            "ATVGnet's evaluation script: edges unthinned, buckets 0 to 62, lower by construction",
        ),
        "vico": Preset(
            {**asdict(kernel.RULES["python-cpbd"]), "rule": "cv2-grey", "average": "frames"},
            "the ViCo challenge's script, TalkingHeadMetrics: the package cpbd on OpenCV's grey, all frames at once",
        ),
        **MOUTH,
        **FACE,
    }

    @property
    def grey(self) -> Feature[Planes]:
        """Luma under the rule."""
        return self.within(luma(rule=self.rule))

    @property
    def needs(self) -> Needs:
        """Luma of the generated clip."""
        return self.placed(of_generated(self.grey))

    def measure(self, view: View) -> ClipMean | PooledMean:
        """Sharpness of each frame."""
        planes = view.generated[self.grey]
        levels = scaled(planes.pixels, peak=planes.peak, to=255)
        per_frame = kernel.cpbd(levels, edges=self.edges, canny=self.canny, widths=self.widths, cut=self.cut)
        blank = {UNIFORM: in_memory(uniform(levels))}
        kept = AVERAGES[self.average].of(view.clip, in_memory(per_frame), start=view.start, left_out=blank)
        return self.with_faces(view, kept)
