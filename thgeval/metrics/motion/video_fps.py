"""Frame rate of the video file: how smoothly it plays, not how fast it was made."""

import math
from dataclasses import dataclass

from thgeval.errors import InputError
from thgeval.features.frames.frames import info
from thgeval.metric import Better, Metric, View, of_generated
from thgeval.states import ClipMean


@dataclass(frozen=True)
class VideoFPS(Metric[ClipMean]):
    """How many frames per second the generated clip plays at.

    Reads    what the container of the generated clip says, before a protocol resamples its frames; the reference's is
             only read to compare with
    Returns  the average frame rate of a clip, then mean over clips: in frames per second, above 0; better the closer to
             the reference's own value
    Source   engineering standard; the average rate as FFmpeg finds it, or the rate stated with the clip
    Departs  nothing; speed of generation is another metric (fps), and can't be read from a file
    """

    name = "video-fps"
    version = 1
    unit = "frames/s"
    range = (0.0, math.inf)
    better = Better.CLOSER_TO_REFERENCE
    cites = ()

    needs = of_generated(info)

    def measure(self, view: View) -> ClipMean:
        """One rate per clip."""
        rate = view.generated[info].fps
        if rate is None:
            raise InputError(
                f"{view.clip}: a folder of images or an array has no frame rate; state its fps, or leave video-fps out",
                reason="no frame rate",
            )
        return ClipMean.of(view.clip, [float(rate)])
