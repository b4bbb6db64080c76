"""Real-time factor: seconds of making for a second of video."""

import math
from dataclasses import dataclass

from thgeval.errors import InputError
from thgeval.features.frames.frames import info
from thgeval.features.frames.offered import timing
from thgeval.metric import Better, Metric, View, of_generated
from thgeval.states import Counts
from thgeval.timing import read_timing


@dataclass(frozen=True)
class RTF(Metric[Counts]):
    """How many seconds the generator works for a second of video.

    Reads    the timing record beside each generated clip: frames, seconds and the conditions; and the clip's own rate
    Returns  seconds of making over seconds of video, each summed over clips: no unit, above 0, below 1 if faster than
             it plays; clips timed under different conditions give no number, and the conditions stand in the run part
             of the signature
    Source   engineering standard of speech synthesis and streaming, as in Live Avatar, arXiv 2512.04677
    Departs  nothing; some papers print its inverse, how many times faster than it plays
    """

    name = "rtf"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("liveavatar2025",)

    needs = of_generated(timing, info)

    def measure(self, view: View) -> Counts:
        """Seconds of making and of video of one clip, under the conditions of its record."""
        rate = view.generated[info].fps
        if rate is None:
            raise InputError(
                f"{view.clip}: a folder of images or an array has no frame rate; state its fps, or leave rtf out",
                reason="no frame rate",
            )
        record = read_timing(view.generated[timing])
        played = record.frames / float(rate)
        return Counts.of(view.clip, record.seconds, played, frames=record.frames, under=record.conditions)
