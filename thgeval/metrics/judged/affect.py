"""Valence and arousal of a generated face beside the reference's: how pleasant a feeling is, and how strong.

The network, EmoNet as a rule, runs in a checkout of the user's own and gives ``valence`` and ``arousal`` of each frame,
about -1 to 1. How far the two sides agree is computed here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.metric import Better, Metric, Needs, Preset, View, of_both
from thgeval.metrics.averages import AVERAGES
from thgeval.metrics.judged.checkouts import Checkout
from thgeval.metrics.judged.emotion import EMONET, FACELESS, check_lengths
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean, PooledRoot, mean

Array = NDArray[np.float64]

STILL = "nothing changes on either side"
ROOTS: Mapping[str, type[ClipMean] | type[PooledRoot]] = MappingProxyType({"clips": ClipMean, "frames": PooledRoot})


def sides(view: View, judge: Checkout, dimension: str) -> tuple[Array, Array]:
    """Valence or arousal of the frames of the generated and the reference clip, NaN where either has no face.

    Raises InputError: "length differs", or "checkout failed" for what isn't numbers.
    """
    first, second = (side[judge.answer].numbers(dimension) for side in (view.generated, view.reference))
    check_lengths(view.clip, len(first), len(second))
    lost = np.isnan(first) | np.isnan(second)
    return np.where(lost, np.nan, first), np.where(lost, np.nan, second)


def squared_errors(generated: Array, reference: Array) -> Array:
    """Squares of differences, (frames,), of values brought back into -1 to 1."""
    return np.asarray((np.clip(generated, -1, 1) - np.clip(reference, -1, 1)) ** 2)


def same_signs(generated: Array, reference: Array) -> Array:
    """Whether both are above 0, both below or both 0, (frames,): 1 or 0; NaN where they are NaN."""
    same = np.sign(generated) == np.sign(reference)
    return np.where(np.isnan(generated), np.nan, same.astype(np.float64))


def concordance(generated: Array, reference: Array) -> float:
    """Lin's concordance correlation coefficient of (frames,) values; NaN where both are the same constant, or of none.

    Twice the covariance over both variances and the square of the difference of the means; exactly 1 for equal values.
    """
    if not len(generated):
        return math.nan
    ours, theirs = generated - generated.mean(), reference - reference.mean()
    apart = (generated.mean() - reference.mean()) ** 2
    spread = (ours * ours).mean() + (theirs * theirs).mean() + apart
    return float(2 * (ours * theirs).mean() / spread) if spread else math.nan


@dataclass(frozen=True)
class AffectError(Metric[ClipMean | PooledMean]):
    """How far valence or arousal are from the reference's."""

    judge: Checkout = Checkout(EMONET)
    average: str = parameter(
        "frames",
        "``frames``: one root over all frames of all clips; ``clips``: each clip's own, then the mean over clips",
        of=ROOTS,
    )

    version = 1
    range = (0.0, 2.0)
    better = Better.LOWER
    cites = ("toisoul2021emonet",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "clips": Preset({"average": "clips"}, "the mean over clips of their own")
    }
    dimension: ClassVar[str]

    @property
    def needs(self) -> Needs:
        """What the checkout says of both clips."""
        return of_both(self.judge.answer)

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The squared error of each frame."""
        return _of_frames(ROOTS[self.average], view, squared_errors(*sides(view, self.judge, self.dimension)))

    def score(self, state: ClipMean | PooledMean) -> float:
        """One root, or the mean of a root for each clip."""
        return mean(np.sqrt(state.means)) if isinstance(state, ClipMean) else math.sqrt(state.value)

    def per_frame(self, values: Array) -> Array:
        """The error, of which a state keeps the square."""
        return np.sqrt(values)


@dataclass(frozen=True)
class AffectSigns(Metric[ClipMean | PooledMean]):
    """How often valence or arousal are on the reference's side of 0."""

    judge: Checkout = Checkout(EMONET)
    average: str = parameter(
        "frames",
        "``frames``: over all frames of all clips; ``clips``: the mean of each clip, then over clips",
        of=AVERAGES,
    )

    version = 1
    range = (0.0, 1.0)
    better = Better.HIGHER
    cites = ("toisoul2021emonet",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "fae": Preset({"average": "clips"}, "DinoMan/facial-animation-evaluation: the mean over clips of their own")
    }
    dimension: ClassVar[str]

    @property
    def needs(self) -> Needs:
        """What the checkout says of both clips."""
        return of_both(self.judge.answer)

    def measure(self, view: View) -> ClipMean | PooledMean:
        """Whether the sign is right in each frame."""
        return _of_frames(AVERAGES[self.average], view, same_signs(*sides(view, self.judge, self.dimension)))


@dataclass(frozen=True)
class AffectConcordance(Metric[ClipMean]):
    """How far valence or arousal rise and fall with the reference's, at its height."""

    judge: Checkout = Checkout(EMONET)

    version = 1
    range = (-1.0, 1.0)
    better = Better.HIGHER
    cites = ("toisoul2021emonet", "lin1989concordance")
    dimension: ClassVar[str]

    @property
    def needs(self) -> Needs:
        """What the checkout says of both clips."""
        return of_both(self.judge.answer)

    def measure(self, view: View) -> ClipMean:
        """The coefficient of a clip, at each frame that it rests on."""
        generated, reference = sides(view, self.judge, self.dimension)
        seen = ~np.isnan(generated)
        found = concordance(generated[seen], reference[seen])
        still = seen & math.isnan(found)
        return ClipMean.of(view.clip, np.where(seen, found, np.nan), left_out={FACELESS: ~seen, STILL: still})


def _of_frames(kind: type[ClipMean] | type[PooledMean], view: View, values: Array) -> ClipMean | PooledMean:
    return kind.of(view.clip, values, left_out={FACELESS: np.isnan(values)})


@dataclass(frozen=True)
class ValenceRMSE(AffectError):
    """How far the generated face is from feeling as pleasantly as the reference's, in the same frame.

    Reads    valence of each frame of both clips, about -1 to 1, as a checkout of the user's own sees it (EmoNet's)
    Returns  root of the mean squared difference, over all frames of all clips, of valences brought into -1 to 1: in
             [0, 2], no unit, 0 if equal
    Source   RMSE of EmoNet's metrics.py (face-analysis/emonet at 49eef30), as in compute_VArmse.py of
             2351548518/TalkingHeadMetrics at 853aa11; the network: Toisoul et al., Nature Machine Intelligence 3, 2021
    Departs  frames without a face, for which the checkout says null, are left out and counted; the script scales whole
             frames to 256 px, whatever they show. Clips of different lengths are refused, where the script compares
             frames of all clips in a row
    """

    name = "valence-rmse"
    dimension = "valence"


@dataclass(frozen=True)
class ArousalRMSE(AffectError):
    """How far the generated face is from feeling as strongly as the reference's, in the same frame.

    Reads    arousal of each frame of both clips, about -1 to 1, as a checkout of the user's own sees it (EmoNet's)
    Returns  root of the mean squared difference, over all frames of all clips, of arousals brought into -1 to 1: in
             [0, 2], no unit, 0 if equal
    Source   as valence-rmse
    Departs  as valence-rmse
    """

    name = "arousal-rmse"
    dimension = "arousal"


@dataclass(frozen=True)
class ValenceSAGR(AffectSigns):
    """How often the generated face feels pleasantly or unpleasantly as the reference's does: sign agreement.

    Reads    valence of each frame of both clips, as a checkout of the user's own sees it (EmoNet's)
    Returns  share of all frames of all clips in which both are above 0, both below, or both 0: in [0, 1], no unit, 1 if
             equal
    Source   SAGR of EmoNet's metrics.py (face-analysis/emonet at 49eef30), as in compute_VArmse.py of
             2351548518/TalkingHeadMetrics at 853aa11; preset fae: DinoMan/facial-animation-evaluation at d5604b9
    Departs  as valence-rmse; facial-animation-evaluation cuts the longer of two clips
    """

    name = "valence-sagr"
    dimension = "valence"


@dataclass(frozen=True)
class ArousalSAGR(AffectSigns):
    """How often the generated face is calm or stirred as the reference's is: sign agreement.

    Reads    arousal of each frame of both clips, as a checkout of the user's own sees it (EmoNet's)
    Returns  share of all frames of all clips in which both are above 0, both below, or both 0: in [0, 1], no unit, 1 if
             equal
    Source   as valence-sagr
    Departs  as valence-sagr
    """

    name = "arousal-sagr"
    dimension = "arousal"


@dataclass(frozen=True)
class ValenceCCC(AffectConcordance):
    """How far the generated face becomes glad and gloomy with the reference's, and as much.

    Reads    valence of each frame of both clips, as a checkout of the user's own sees it (EmoNet's)
    Returns  Lin's concordance correlation coefficient over the frames of a clip, then mean over clips: in [-1, 1], no
             unit, 1 if equal
    Source   ccc of DinoMan/facial-animation-evaluation at d5604b9; Lin, Biometrics 45(1), 1989; the network: Toisoul et
             al., Nature Machine Intelligence 3, 2021
    Departs  that program adds up clips in a way that drops coefficients below 0 and divides by all clips; here they
             count. A clip in which one side alone never changes has 0, for which the program has no number; one in
             which neither does, and both are equal, is left out. Clips of different lengths are refused; the program
             cuts the longer one
    """

    name = "valence-ccc"
    dimension = "valence"


@dataclass(frozen=True)
class ArousalCCC(AffectConcordance):
    """How far the generated face becomes stirred and calm with the reference's, and as much.

    Reads    arousal of each frame of both clips, as a checkout of the user's own sees it (EmoNet's)
    Returns  Lin's concordance correlation coefficient over the frames of a clip, then mean over clips: in [-1, 1], no
             unit, 1 if equal
    Source   as valence-ccc
    Departs  as valence-ccc
    """

    name = "arousal-ccc"
    dimension = "arousal"
