"""Quality and aesthetics as Q-Align rates them, a large model that was taught five words of praise and blame.

It runs in a checkout of the user's own and rates a clip, or each frame of it, as ``quality`` and ``aesthetics``, and
says the ``scale`` that it uses: Q-Align's own scorer.py gives 0 to 1, its model's ``score`` gives 1 to 5.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.features.frames.checkout import CheckoutAnswer
from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.metrics.judged.checkouts import Checkout
from thgeval.states import ClipMean

Array = NDArray[np.float64]

WORST, BEST = 1.0, 5.0
NO_RATING = "no rating"


@dataclass(frozen=True)
class Rating(Metric[ClipMean]):
    """What Q-Align says of one side of a picture."""

    judge: Checkout = Checkout("q-align")

    version = 1
    range = (WORST, BEST)
    better = Better.HIGHER
    cites = ("wu2024qalign",)
    task: ClassVar[str]

    @property
    def needs(self) -> Needs:
        """The ratings of the generated clip."""
        return of_generated(self.judge.answer)

    def measure(self, view: View) -> ClipMean:
        """The rating of each frame, or of the whole clip."""
        rated = ratings(view.generated[self.judge.answer], self.task)
        return ClipMean.of(view.clip, rated, left_out={NO_RATING: np.isnan(rated)})


def ratings(answer: CheckoutAnswer, task: str) -> Array:
    """The ratings of a task brought from the answer's own scale to 1 to 5; InputError "checkout failed" without one."""
    ends = answer.numbers("scale")
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise answer.refusal("must give the ends of its 'scale', as [0, 1] or [1, 5]")
    least, most = ends.tolist()
    given = answer.numbers(task, least=least, most=most)
    return np.asarray(WORST + (given - least) * (BEST - WORST) / (most - least), np.float64)


@dataclass(frozen=True)
class QAlignIQA(Rating):
    """How good the generated clip looks to Q-Align: quality, the IQA of tables that also have ASE.

    Reads    quality of the generated clip, of the whole or of each frame, as a checkout of the user's own rates it
             (Q-Align's)
    Returns  mean over what is rated in a clip, then over clips, on Q-Align's scale from bad to excellent: in [1, 5], no
             unit
    Source   Wu et al., Q-Align, ICML 2024; Q-Future/Q-Align at 14dfdff, whose weights of five words this scale is
    Departs  scorer.py weighs the words from 0 to 1, so that its 0.76 is 4.04 here. Papers with IQA and ASE don't say
             which frames are rated, nor whether as pictures or as a clip: the checkout does, and it stands in the
             signature
    """

    name = "q-align-iqa"
    task = "quality"


@dataclass(frozen=True)
class QAlignASE(Rating):
    """How beautiful the frames of the generated clip are to Q-Align: aesthetics, the ASE of tables.

    Reads    aesthetics of the generated clip, of the whole or of each frame, as a checkout of the user's own rates it
             (Q-Align's)
    Returns  mean over what is rated in a clip, then over clips, on Q-Align's scale from bad to excellent: in [1, 5], no
             unit
    Source   Wu et al., Q-Align, ICML 2024; Q-Future/Q-Align at 14dfdff, whose weights of five words this scale is
    Departs  as q-align-iqa
    """

    name = "q-align-ase"
    task = "aesthetics"
