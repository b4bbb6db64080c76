"""SyncNet's distance of lips and speech: LSE-D, Sync-D."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.features.sync.offsets import OffsetDistances
from thgeval.metric import Better
from thgeval.metrics.sync.syncnet import SyncNetMetric


@dataclass(frozen=True)
class LSED(SyncNetMetric):
    """How far lips and speech are apart at the shift in time where they go together best.

    Reads    face crops of the generated clip at 25 frames per second, and its speech (named for it, or its own track),
             both through SyncNet v2
    Returns  minimum, over 31 shifts, of the mean L2 distance of lips and speech; mean over tracks, then clips: from 0,
             no unit; about 6 to 8 good, 11 to 14 out of sync. A constant lag of up to 15 frames costs nothing
    Source   Chung, Zisserman, ACCV workshops 2016; joonson/syncnet_python at 6efbb1c. Prajwal et al., ACM MM 2020, call
             it LSE-D
    Departs  as sync-conf
    """

    name = "lse-d"
    version = 2
    range = (0.0, math.inf)
    better = Better.LOWER

    def values(self, alignment: OffsetDistances) -> NDArray[np.float64]:
        """Each window's distance at the best shift."""
        return alignment.at_best

    def chosen(self, alignments: Sequence[OffsetDistances]) -> int:
        """The nearest."""
        return int(np.argmin([alignment.distance for alignment in alignments]))
