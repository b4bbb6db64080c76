"""SyncNet's confidence that lips and speech belong together: LSE-C, AVConf, Sync-C."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.features.sync.offsets import OffsetDistances
from thgeval.metric import Better
from thgeval.metrics.sync.syncnet import SyncNetMetric
from thgeval.states import ByTrack

ROUNDING = 1e-12


@dataclass(frozen=True)
class SyncConf(SyncNetMetric):
    """How much better lips and speech go together at their best shift in time than at most others.

    Reads    face crops of the generated clip at 25 frames per second, and its speech (named for it, or its own track),
             both through SyncNet v2
    Returns  median less minimum, over 31 shifts, of the mean distance of lips and speech; mean over tracks, then
             clips: from 0, no unit; about 0 to 1 out of sync, 6 to 9 good. A constant lag of up to 15 frames costs
             nothing
    Source   Chung, Zisserman, ACCV workshops 2016; joonson/syncnet_python at 6efbb1c. Prajwal et al., ACM MM 2020, call
             it LSE-C
    Departs  frames and sound come straight from the decoder; the authors' program writes AVI, MP3 and JPEG files in
             between, which delays the picture by 0.3 to 0.4 of a frame more than the sound, has one or two windows
             more, and costs 1 to 2 of confidence (route=avi has them). latentsync leaves out the MP4, AAC and JPEG
             files of its program. Cuts are those of today's PySceneDetect. Music is scored like speech
    """

    name = "sync-conf"
    version = 2
    range = (0.0, math.inf)
    better = Better.HIGHER
    timeline = True

    def values(self, alignment: OffsetDistances) -> NDArray[np.float64]:
        """Median of the curve less each window's distance at the best shift."""
        return alignment.confidences

    def score(self, state: ByTrack) -> float:
        """The mean, from 0: where all shifts are alike, sums of what the windows add may end a last digit below.

        What one window adds may lie well below 0, and is left as it is.
        """
        found = super().score(state)
        return 0.0 if -ROUNDING < found < 0 else found
