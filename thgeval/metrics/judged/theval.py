"""The three of THEval's eight that say how good a clip looks, each by a network of the package pyiqa.

They run in a checkout of the user's own, which writes a number for the clip or one for each frame.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.metrics.judged.checkouts import Checkout
from thgeval.metrics.theval import near_truth
from thgeval.states import ClipMean

NO_RATING = "no rating"


@dataclass(frozen=True)
class Quality(Metric[ClipMean]):
    """What a network says of frames, and its mean over frames, then clips."""

    judge: Checkout = Checkout("theval")

    version = 1
    range = (-math.inf, math.inf)
    better = Better.CLOSER_TO_REFERENCE
    rated: ClassVar[str]
    """What the checkout calls it."""

    @property
    def needs(self) -> Needs:
        """The ratings of the generated clip."""
        return of_generated(self.judge.answer)

    def measure(self, view: View) -> ClipMean:
        """The rating of each frame, or of the whole clip."""
        found = view.generated[self.judge.answer].numbers(self.rated)
        return ClipMean.of(view.clip, found, left_out={NO_RATING: np.isnan(found)})

    def remark(self, state: ClipMean) -> str | None:
        """The authors' score of the set, which is no mean over clips."""
        return near_truth(self.name, state.value) if state.scored else None


@dataclass(frozen=True)
class GlobalAesthetics(Quality):
    """How beautiful the frames of the generated clip are, as THEval rates them.

    Reads    ratings of whole frames of the generated clip by TOPIQ-IAA, from a checkout of the user's own
    Returns  mean over frames, then clips: about 1 to 10, no unit, not bounded. The authors found 4.6842 on real videos;
             better the closer to the reference's own value
    Source   THEval, CVPR 2026; Video_Quality/global_aesthetic.py of Newbyl/THEval at cfe23fe, topiq_iaa of pyiqa 0.1.13
    Departs  nothing where the checkout rates what that script does
    """

    name = "global-aesthetics-theval"
    cites = ("theval2026", "chen2024topiq")
    rated = "global_aesthetic"


@dataclass(frozen=True)
class MouthQuality(Quality):
    """How good the mouth of the generated clip looks, as THEval rates it.

    Reads    ratings of the mouths of the generated clip by MUSIQ, from a checkout of the user's own: the box around
             MediaPipe's lips and 10 px more
    Returns  mean over frames with a face, then clips: about 0 to 100, no unit, not bounded. The authors found 23.835 on
             real videos; better the closer to the reference's own value
    Source   THEval, CVPR 2026; Video_Quality/mouth_quality.py of Newbyl/THEval at cfe23fe, musiq of pyiqa 0.1.13
    Departs  nothing where the checkout rates what that script does: mouths of 64 frames at a time, brought to the size
             of the largest by black at the right and below, so that the number depends on the batch
    """

    name = "mouth-quality-theval"
    cites = ("theval2026", "ke2021musiq")
    rated = "mouth_quality"


@dataclass(frozen=True)
class FaceQuality(Quality):
    """How good the face in the generated clip looks, as THEval rates it.

    Reads    ratings of whole frames of the generated clip by TOPIQ trained on faces, from a checkout of the user's own
    Returns  mean over frames, then clips: about 0 to 1, no unit, not bounded. The authors found 0.4425 on real videos;
             better the closer to the reference's own value
    Source   THEval, CVPR 2026; Video_Quality/face_quality.py of Newbyl/THEval at cfe23fe, topiq_nr-face of pyiqa 0.1.13
    Departs  nothing where the checkout rates what that script does
    """

    name = "face-quality-theval"
    cites = ("theval2026", "chen2024topiq")
    rated = "face_quality"
