"""Time to first frame: how long a user waits before anything is seen."""

import math
from dataclasses import dataclass

from thgeval.metrics.cost.card import CardMetric


@dataclass(frozen=True)
class TTFF(CardMetric):
    """How long the generator takes until its first frame is there.

    Reads    the timing record beside each generated clip: ``first_frame_s``, and the conditions
    Returns  seconds from the call to the first frame, mean over clips: in s, above 0; clips timed under different
             conditions give no number, and the conditions stand in the run part of the signature
    Source   common practice of streaming avatars, as in Live Avatar, arXiv 2512.04677
    Departs  nothing that is known; what is timed is what the record says, by default the model alone, loaded before
    """

    name = "ttff"
    version = 1
    unit = "s"
    range = (0.0, math.inf)
    cites = ("liveavatar2025",)
    fact = "first_frame_s"
