"""Speed of generation: frames made per second of work, on a stated device."""

import math
from dataclasses import dataclass

from thgeval.features.frames.offered import timing
from thgeval.metric import Better, Metric, View, of_generated
from thgeval.states import Counts
from thgeval.timing import read_timing


@dataclass(frozen=True)
class FPS(Metric[Counts]):
    """How many frames per second the generator makes.

    Reads    the timing record beside each generated clip: frames, seconds, and the conditions (device, dtype, batch,
             resolution, what was timed)
    Returns  frames over seconds, each summed over clips: in frames per second, above 0; clips timed under different
             conditions give no number, and the conditions stand in the run part of the signature
    Source   common practice of talking-head papers, as in Ma et al., CVTHead, WACV 2024
    Departs  nothing; the frame rate of the file is another metric (video-fps)
    """

    name = "fps"
    version = 1
    unit = "frames/s"
    range = (0.0, math.inf)
    better = Better.HIGHER
    cites = ("ma2024cvthead",)

    needs = of_generated(timing)

    def measure(self, view: View) -> Counts:
        """Frames and seconds of one clip, under the conditions of its record."""
        record = read_timing(view.generated[timing])
        return Counts.of(view.clip, record.frames, record.seconds, frames=record.frames, under=record.conditions)
