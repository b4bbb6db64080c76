"""The dimensions of VBench that it rates videos of any origin by.

VBench runs in a checkout of the user's own, on one clip, and its result file is read as it is: for each dimension the
number and a list of the videos that it is of. A program that gives plain numbers will do as well.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from thgeval.features.frames.checkout import CheckoutAnswer
from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.metrics.judged.checkouts import Checkout
from thgeval.states import ClipMean


@dataclass(frozen=True)
class Dimension(Metric[ClipMean]):
    """One of VBench's numbers of a clip, as it is, and its mean over clips."""

    judge: Checkout = Checkout("vbench")

    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    cites = ("huang2024vbench",)
    dimension: ClassVar[str]

    @property
    def needs(self) -> Needs:
        """What VBench says of the generated clip."""
        return of_generated(self.judge.answer)

    def measure(self, view: View) -> ClipMean:
        """The number of the clip."""
        return ClipMean.of(view.clip, [rated(view.generated[self.judge.answer], self.dimension)])


def rated(answer: CheckoutAnswer, dimension: str) -> float:
    """The number of a dimension, alone or before the list of VBench's one video; InputError "checkout failed"."""
    value: Any = answer.value(dimension)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], list):
        if len(value[1]) != 1:
            raise answer.refusal(f"has {len(value[1])} videos under {dimension!r} instead of one")
        value = value[0]
    (found,) = CheckoutAnswer({dimension: [value]}, answer.name).numbers(dimension, least=0, most=1)
    if found != found:
        raise answer.refusal(f"gives no number for {dimension!r}")
    return float(found)


@dataclass(frozen=True)
class SubjectConsistency(Dimension):
    """How alike the frames of the generated clip are in what they show, to DINO: VBench's subject consistency.

    Reads    VBench's number of the generated clip, from a checkout of the user's own
    Returns  mean over frames from the second on of the mean of two cosines, with the first frame and with the one
             before, those below 0 as 0; mean over clips: in [0, 1], no unit. A still picture has 1
    Source   Huang et al., VBench, CVPR 2024; Vchitect/VBench at 45e79ec, mode custom_input
    Departs  VBench on one graphics card takes the mean over all frames of all clips, on several the mean over clips, as
             here. Its leaderboard's numbers are of its own prompts, and scaled again
    """

    name = "subject-consistency-vbench"
    dimension = "subject_consistency"


@dataclass(frozen=True)
class BackgroundConsistency(Dimension):
    """How alike the frames of the generated clip are, to CLIP: VBench's background consistency.

    Reads    VBench's number of the generated clip, from a checkout of the user's own
    Returns  as subject-consistency-vbench, of CLIP's features of whole frames: in [0, 1], no unit
    Source   Huang et al., VBench, CVPR 2024; Vchitect/VBench at 45e79ec, mode custom_input
    Departs  VBench takes the mean over all frames of all clips. Its leaderboard's numbers are of its own prompts, and
             scaled again
    """

    name = "background-consistency-vbench"
    dimension = "background_consistency"


@dataclass(frozen=True)
class MotionSmoothness(Dimension):
    """How well every other frame of the generated clip is guessed from its neighbours: VBench's motion smoothness.

    Reads    VBench's number of the generated clip, from a checkout of the user's own
    Returns  1 less the mean absolute difference, where white is 1, of every other frame and the one that a network of
             frame interpolation (AMT) puts in its place; mean over clips: in [0, 1], no unit. A still picture has
             nearly 1
    Source   Huang et al., VBench, CVPR 2024; Vchitect/VBench at 45e79ec, mode custom_input
    Departs  nothing but that VBench's leaderboard is of its own prompts, and scales its numbers again
    """

    name = "motion-smoothness-vbench"
    dimension = "motion_smoothness"


@dataclass(frozen=True)
class DynamicDegree(Dimension):
    """How many generated clips move much: VBench's dynamic degree.

    Reads    VBench's number of the generated clip, 0 or 1, from a checkout of the user's own
    Returns  share of clips of which enough frames have a large optical flow (RAFT): in [0, 1], no unit. VBench counts
             more as better, which of a talking head is a matter of taste: ``ofm`` compares motion with the reference's
    Source   Huang et al., VBench, CVPR 2024; Vchitect/VBench at 45e79ec, mode custom_input
    Departs  nothing but that VBench's leaderboard is of its own prompts
    """

    name = "dynamic-degree-vbench"
    dimension = "dynamic_degree"


@dataclass(frozen=True)
class AestheticQuality(Dimension):
    """How beautiful the frames of the generated clip are to LAION's predictor: VBench's aesthetic quality.

    Reads    VBench's number of the generated clip, from a checkout of the user's own
    Returns  mean over frames of a rating by a linear layer on CLIP's features, over 10; mean over clips: in [0, 1], no
             unit
    Source   Huang et al., VBench, CVPR 2024; Vchitect/VBench at 45e79ec, mode custom_input
    Departs  nothing but that VBench's leaderboard is of its own prompts. It isn't ASE, which is Q-Align's
    """

    name = "aesthetic-quality-vbench"
    dimension = "aesthetic_quality"


@dataclass(frozen=True)
class ImagingQuality(Dimension):
    """How free of noise, blur and wrong exposure the frames are to MUSIQ: VBench's imaging quality.

    Reads    VBench's number of the generated clip, from a checkout of the user's own
    Returns  mean over frames of MUSIQ's rating, over 100; mean over clips: in [0, 1], no unit
    Source   Huang et al., VBench, CVPR 2024; Vchitect/VBench at 45e79ec, mode custom_input
    Departs  nothing but that VBench's leaderboard is of its own prompts; how large frames are brought to 512 px is the
             checkout's option
    """

    name = "imaging-quality-vbench"
    dimension = "imaging_quality"
