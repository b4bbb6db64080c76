"""Action unit consistency: whether the same muscles of the face are seen to move."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.faces.facs import ActionUnits
from thgeval.features.heads.action_units import SOURCES, action_units, units_of_both
from thgeval.features.heads.rest import Both
from thgeval.metric import Better, Preset, View
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.faces.whom import GEOMETRIC, Landmarked, over_pairs
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean


@dataclass(frozen=True)
class AUCON(PairedMetric):
    """How often a facial action unit is present in both clips, or absent from both.

    Reads    presence of the action units of the same person in both clips
    Returns  share of units that are told alike, over the units and frames of a clip, then mean over clips: in [0, 1],
             no unit, 1 if identical. Most units are absent most of the time: a face on which none ever appears scores
             high, and the result says how high
    Source   Ha et al., MarioNETte, AAAI 2020, with the 18 units of OpenFace 2.0; no code was published
    Departs  detectors of units disagree, and know different units: numbers of one are not those of another
    """

    whom: Landmarked = Landmarked()
    source: str = parameter(
        "openface", "of the units: ``openface`` (read from a file beside the clip), ``geometric``, ...", of=SOURCES
    )

    name = "aucon"
    version = 2
    range = (0.0, 1.0)
    better = Better.HIGHER
    cites = ("ha2020marionette", "baltrusaitis2018openface")
    embedded = "geometric"
    presets: ClassVar[Mapping[str, Preset]] = {
        "pooled": Preset({"pool": "frame"}, "over all frames of all clips at once"),
        "geometric": Preset(GEOMETRIC, "the units that dlib's landmarks show: nothing to fetch"),
    }

    @property
    def values(self) -> Feature[ActionUnits]:
        """Action units."""
        return action_units(source=self.source, **self.whom.chosen)

    @property
    def of_both_sides(self) -> Feature[Both[ActionUnits]] | None:
        """The same of both sides, from one rest."""
        return units_of_both(source=self.source, **self.whom.chosen)

    def read(self, value: ActionUnits) -> Array:
        """Their presence."""
        return np.asarray(value.presence, np.float64)

    def compared(self, generated: Array, reference: Array) -> Array:
        """Share of equal units: (faces, units) -> (faces,)."""
        return np.asarray((generated == reference).mean(axis=-1))

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The share of each frame, and beside it that of a face without any unit."""
        sides = self.sides(view)
        shares = [
            over_pairs(sides.generated, sides.reference, compare)
            for compare in (self.compared, lambda _, reference: self.compared(np.zeros_like(reference), reference))
        ]
        return self.state(view, np.stack(shares, axis=1), sides.why)

    def cautions(self, state: ClipMean | PooledMean) -> Iterator[str]:
        """What a face that never moves would score."""
        yield f"a face on which no unit ever appears would score {state.beside:.3f}"
