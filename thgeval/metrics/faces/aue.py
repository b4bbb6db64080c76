"""Action unit error: how differently strongly the muscles of the face are seen to move."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.faces.facs import ActionUnits
from thgeval.features.heads.action_units import SOURCES, action_units, units_of, units_of_both
from thgeval.features.heads.rest import Both
from thgeval.metric import Better, Preset
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.faces.whom import GEOMETRIC, Landmarked
from thgeval.parameter import parameter

LOWER = ("AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26")
UPPER = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU45")
REGIONS: Mapping[str, tuple[str, ...]] = MappingProxyType({"all": LOWER + UPPER, "lower": LOWER, "upper": UPPER})


@dataclass(frozen=True)
class AUE(PairedMetric):
    """How much the intensities of the facial action units differ, summed over units.

    Reads    intensity, 0 to 5, of the action units of the same person in both clips
    Returns  sum over the units of the region, 17 in all, of the squared difference of intensities, mean over frames,
             then clips: from 0, no unit, 0 if identical
    Source   Li et al., TalkingGaussian, ECCV 2024, auerror.py, with OpenFace 2.0's intensities
    Departs  tables print the lower and the upper face apart (presets lower, upper). A source that tells fewer units
             sums fewer: numbers of one source are not those of another. The script averages frames in which OpenFace
             failed (success 0), whose intensities are zeros, and so counts a frame that is lost on both sides as equal,
             as missing=zero does here, and one lost on one side by the other's intensities; here both are left out
    """

    whom: Landmarked = Landmarked()
    source: str = parameter(
        "openface", "of the units: ``openface`` (read from a file beside the clip), ``geometric``, ...", of=SOURCES
    )
    region: str = parameter("all", "``lower`` face (9 units), ``upper`` face (8) or ``all``", of=REGIONS)

    name = "aue"
    version = 2
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("li2024talkinggaussian", "baltrusaitis2018openface")
    embedded = "geometric"
    presets: ClassVar[Mapping[str, Preset]] = {
        "lower": Preset({"region": "lower"}, "AUE-L: chin and lips"),
        "upper": Preset({"region": "upper"}, "AUE-U: brows, lids and nose"),
        "geometric": Preset(GEOMETRIC, "the units that dlib's landmarks show: nothing to fetch"),
        "geometric-lower": Preset({**GEOMETRIC, "region": "lower"}, "of them, those of chin and lips"),
        "geometric-upper": Preset({**GEOMETRIC, "region": "upper"}, "of them, those of brows and lids"),
    }

    @property
    def _columns(self) -> list[int]:
        """Where the units of the region stand among those that the source tells."""
        told = units_of(self.source)
        return [told.index(unit) for unit in REGIONS[self.region] if unit in told]

    @property
    def values(self) -> Feature[ActionUnits]:
        """Action units."""
        return action_units(source=self.source, **self.whom.chosen)

    @property
    def of_both_sides(self) -> Feature[Both[ActionUnits]] | None:
        """The same of both sides, from one rest."""
        return units_of_both(source=self.source, **self.whom.chosen)

    def read(self, value: ActionUnits) -> Array:
        """The intensities of the region's units."""
        return np.asarray(value.intensity[..., self._columns], np.float64)

    def compared(self, generated: Array, reference: Array) -> Array:
        """Sum of squared differences: (faces, units) -> (faces,)."""
        return np.asarray(((generated - reference) ** 2).sum(axis=-1))
