"""What metrics of pixels have in common: they look at whole frames, or at the mouth or the face alone."""

from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Feature, resting_on
from thgeval.features.faces.regions import Squares, cropped, places
from thgeval.features.frames.frames import rgb
from thgeval.metric import Metric, Needs, Preset, View
from thgeval.metrics.faces.missing import NO_FACE, told
from thgeval.parameter import parameter
from thgeval.states import Part, Rows, State

S = TypeVar("S", bound=State)
T = TypeVar("T")

MOUTH = {"mouth": Preset({"region": "mouth"}, "the square around the mouth alone, brought to 96 px")}
FACE = {"face": Preset({"region": "face"}, "the square around the face alone, brought to 256 px")}


@dataclass(frozen=True)
class Regional(Metric[S]):
    """A metric of frames that may look at a part of each instead; frames without a face are then left out."""

    region: str = parameter(
        "frame",
        ("what is looked at: the whole ``frame``, the ``mouth`` or the ``face`` (see ``faces.regions``)"),
        of=("frame", "mouth", "face"),
    )

    at: ClassVar[str] = "reference"

    def within(self, feature: Feature[T]) -> Feature[T]:
        """The same feature, of the region alone."""
        if self.region == "frame":
            return feature
        return resting_on(feature, old=rgb, new=cropped(region=self.region, at=self.at))

    def placed(self, needs: Needs) -> Needs:
        """What is read, and where the faces are."""
        if self.region == "frame":
            return needs
        squares = (places(region=self.region, at="own"),)
        if self.at == "reference":
            return replace(needs, reference=needs.reference + squares)
        return Needs(*(side + squares if side else () for side in (needs.generated, needs.reference)))

    def with_faces(self, view: View, state: S) -> S:
        """The state of one piece without what was measured where there is no face."""
        if self.region == "frame":
            return state
        own = places(region=self.region, at="own")
        sides = ((view.generated, self.needs.generated), (view.reference, self.needs.reference))
        squares = [side[own] if own in declared else None for side, declared in sides]
        ((clip, (part,)),) = state.parts.items()
        generated, reference = (_faceless(found, len(part.values)) for found in squares)
        return type(state)({clip: (_without(part, generated, reference),)})

    def with_own_face(self, view: View, state: Rows) -> Rows:
        """The rows of one piece of a clip without a partner, but for those of frames that have no face."""
        if self.region == "frame":
            return state
        ((clip, (part,)),) = state.parts.items()
        faceless = _faceless(view.generated[places(region=self.region, at="own")], len(part.values))
        values = part.array.copy()
        values[faceless] = np.nan
        left_out = {str(NO_FACE): tuple(np.flatnonzero(faceless).tolist())} if faceless.any() else {}
        return Rows({clip: (replace(part, values=values, left_out=left_out),)})


def _faceless(squares: Squares | None, frames: int) -> NDArray[np.bool_]:
    """Which frames have no face where one is looked for."""
    if squares is None:
        return np.zeros(frames, np.bool_)
    return np.asarray(np.isnan(squares).any(axis=1))


def _without(part: Part, generated: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Part:
    """A part in which frames without a face have no value, in two columns on that side alone, and count as that."""
    values = part.array.copy()
    if values.ndim == 1:
        values[generated | reference] = np.nan
    else:
        values[generated, 0], values[reference, 1] = np.nan, np.nan
    why = told(*(np.where(side, NO_FACE, "") for side in (generated, reference)))
    left_out = {
        reason: kept for reason, held in part.left_out.items() if (kept := tuple(i for i in held if not why[i]))
    }
    left_out |= {str(reason): tuple(np.flatnonzero(why == reason).tolist()) for reason in np.unique(why) if reason}
    return replace(part, values=values, left_out=left_out)
