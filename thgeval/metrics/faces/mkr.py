"""Missing keypoint rate: what is found in the reference and not in the generated frame."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.faces.people import shapes
from thgeval.features.faces.supplied import joints_given
from thgeval.metric import Better, Metric, Needs, Preset, View, of_both
from thgeval.metrics.faces.missing import Array, policy, present
from thgeval.metrics.faces.whom import Landmarked, alike
from thgeval.parameter import holding, parameter
from thgeval.states import PooledMean

PARTS: Mapping[str, Callable[..., Feature[Any]]] = MappingProxyType({"body": joints_given, "faces": shapes})
NOTHING = MappingProxyType({"body": "no joint in reference", "faces": "no face in reference"})


@dataclass(frozen=True)
class MKR(Metric[PooledMean]):
    """How often something that is found in the reference is not found in the generated frame.

    Reads    which joints of the body are found in each frame of both clips, or whether a face is
    Returns  share of what the reference shows that the generated frame doesn't, over all frames whose reference shows
             any, of all clips at once: in [0, 1], no unit, 0 if nothing is lost
    Source   Siarohin et al., Monkey-Net, CVPR 2019; AliaksandrSiarohin/pose-evaluation, cmp_with_missing.py
    Departs  the original is defined on bodies alone; of faces (preset faces) it is the share of frames whose face is
             lost
    """

    whom: Landmarked = holding(Landmarked(), missing=policy("skip"))
    of: str = parameter(
        "body", "the ``body``: its joints, from a file beside the clip; or ``faces``, each a whole", of=PARTS
    )

    name = "mkr"
    version = 1
    range = (0.0, 1.0)
    better = Better.LOWER
    cites = ("siarohin2019monkeynet", "siarohin2019fomm")
    embedded = "faces"
    presets: ClassVar[Mapping[str, Preset]] = {
        "faces": Preset({"of": "faces"}, "the share of frames whose face is lost: nothing to fetch"),
    }

    @property
    def parts(self) -> Feature[Array]:
        """What may be found: (frames, people, ...), NaN where it is not."""
        return PARTS[self.of](**self.whom.chosen)

    @property
    def needs(self) -> Needs:
        """The same of both clips."""
        return of_both(self.parts)

    def measure(self, view: View) -> PooledMean:
        """The share that is lost in each frame whose reference shows anything."""
        what = "joints" if self.of == "body" else "people"
        sides = alike(view.clip, view.generated[self.parts], view.reference[self.parts], what=what)
        here, there = map(present, sides)
        count = there.sum(axis=1)
        lost = np.divide((there & ~here).sum(axis=1), count, out=np.full(len(count), np.nan), where=count > 0)
        why = np.where(count > 0, "", NOTHING[self.of])
        return PooledMean({view.clip: (self.whom.part(lost, why),)})
