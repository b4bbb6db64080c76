"""Distance of lips and speech, by landmarks and a small network of the project's own."""

from dataclasses import dataclass

from thgeval.features.sync.offsets import OffsetDistances
from thgeval.metric import Better
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.sync.sync_lm import SyncLMMetric


@dataclass(frozen=True)
class SyncLMDist(SyncLMMetric):
    """How far lips and speech are apart at the shift in time where they go together best, by landmarks.

    Reads    the 68 landmarks of the generated clip, brought to 25 per second, and its speech (named for it, or its own
             track), both through the project's own landmark-speech network
    Returns  minimum, over all shifts, of the mean L2 distance of lips and speech, whose embeddings have length 1; mean
             over clips: in [0, 2], no unit. A constant lag of up to ``furthest`` costs nothing
    Source   this project; in the spirit of Chung, Zisserman, ACCV workshops 2016; trained on GRID speaker s1 (Cooke et
             al., 2006)
    Departs  lse-d as sync-lm-conf departs from sync-conf
    """

    name = "sync-lm-dist"
    version = 1
    range = (0.0, 2.0)
    better = Better.LOWER

    def values(self, alignment: OffsetDistances) -> Array:
        """Each row's distance at the best shift."""
        return alignment.at_best
