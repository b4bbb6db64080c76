"""DeSync: how many seconds sound and picture are apart, as Synchformer sees it."""

from dataclasses import dataclass

import numpy as np

from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.metrics.judged.checkouts import Checkout
from thgeval.states import ClipMean

FURTHEST_S = 2.0
NO_OFFSET = "no offset"


@dataclass(frozen=True)
class DeSync(Metric[ClipMean]):
    """How far sound and picture of the generated clip are apart in time, whichever leads, to a network of any sound.

    Reads    offsets of sound and picture of windows of the generated clip, in s, as a checkout of the user's own finds
             them (Synchformer's); the sound is the track in the clip's file
    Returns  mean size of the offset over the windows of a clip, then over clips: in s, in [0, 2], better lower
    Source   hkchengrex/av-benchmark at 050a5cd, evaluate.py, as in the evaluation of MOVA; the network: Iashin, Xie,
             Rahtu, Zisserman, Synchformer, ICASSP 2024
    Departs  nothing where the checkout gives what that program uses: the likeliest of 21 offsets, 0.2 s apart, of the
             first 14 and of the last 14 segments of 8 s. A driving speech that is named apart from the clip isn't heard
    """

    judge: Checkout = Checkout("synchformer")

    name = "desync"
    version = 1
    unit = "s"
    range = (0.0, FURTHEST_S)
    better = Better.LOWER
    cites = ("cheng2025mmaudio", "iashin2024synchformer")

    @property
    def needs(self) -> Needs:
        """The offsets of the generated clip."""
        return of_generated(self.judge.answer)

    def measure(self, view: View) -> ClipMean:
        """The size of the offset of each window."""
        offsets = view.generated[self.judge.answer].numbers("offset_s", least=-FURTHEST_S, most=FURTHEST_S)
        return ClipMean.of(view.clip, abs(offsets), left_out={NO_OFFSET: np.isnan(offsets)})
