"""By how much the speech is ahead of the lips, by landmarks and a small network of the project's own."""

from dataclasses import dataclass

import numpy as np

from thgeval.features.sync.offsets import OffsetDistances
from thgeval.metric import Better
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.sync.sync_lm import SyncLMMetric


@dataclass(frozen=True)
class SyncLMOffset(SyncLMMetric):
    """By how many frames of 40 ms the speech is ahead of the lips, by landmarks.

    Reads    the 68 landmarks of the generated clip, brought to 25 per second, and its speech (named for it, or its own
             track), both through the project's own landmark-speech network
    Returns  shift with the smallest mean distance of lips and speech; mean over clips: in frames of 40 ms, a whole
             number for each person, at most ``furthest`` either way. Positive: the sound leads and the picture is late;
             delaying the sound by a frame lowers it by one. 0 is the timing of GRID's recordings. A mouth that never
             moves has none
    Source   this project; the sign and the arithmetic of joonson/syncnet_python at 6efbb1c
    Departs  av-offset as sync-lm-conf departs from sync-conf. The mean keeps the sign, so that leads and lags of
             different clips cancel; the result file has each clip's own. Where the confidence is low, an offset says
             nothing
    """

    name = "sync-lm-offset"
    version = 2
    unit = "frames"
    better = Better.CLOSER_TO_ZERO
    of_motion = True

    @property
    def range(self) -> tuple[float, float]:
        """As far as is looked for."""
        return -float(self.furthest), float(self.furthest)

    def values(self, alignment: OffsetDistances) -> Array:
        """The offset, at every row that was compared."""
        return np.where(np.isnan(alignment.at_best), np.nan, float(alignment.offset))
