"""Confidence that lips and speech belong together, by landmarks and a small network of the project's own."""

from dataclasses import dataclass

from thgeval.features.sync.offsets import OffsetDistances
from thgeval.metric import Better
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.sync.sync_lm import SyncLMMetric


@dataclass(frozen=True)
class SyncLMConf(SyncLMMetric):
    """How much better lips and speech go together at their best shift in time than at most others, by landmarks.

    Reads    the 68 landmarks of the generated clip, brought to 25 per second, and its speech (named for it, or its own
             track), both through the project's own landmark-speech network
    Returns  median less minimum, over all shifts, of the mean distance of lips and speech; mean over clips: from 0, no
             unit, below 2. 3 s clips of the speaker it learned from have 0.53 with their own sound and 0.24 with
             others' (medians of 224 clips), and 0.38 tells them apart with 2.2 % of errors; people it doesn't know
             score lower, 0.35 to 0.39 (3 clips). Chance makes short clips confident: ``reference_models/sync_lm.md``
             has thresholds by length. A constant lag of up to ``furthest`` costs nothing
    Source   this project; in the spirit of Chung, Zisserman, ACCV workshops 2016; trained on GRID speaker s1 (Cooke et
             al., 2006)
    Departs  sync-conf in all but the idea: landmarks for pixels, embeddings of length 1, and shifted rows without a
             partner are left out, not compared with zeros. Numbers of the two can't be compared, and the two
             rank systems differently: landmarks show no teeth and no tongue, so that a system trained against SyncNet,
             first in tables of LSE-C, may come out far down here. Music counts as voice and scores as low as another's
             speech
    """

    name = "sync-lm-conf"
    version = 1
    range = (0.0, 2.0)
    better = Better.HIGHER
    timeline = True

    def values(self, alignment: OffsetDistances) -> Array:
        """Median of the curve less each row's distance at the best shift."""
        return alignment.confidences
