"""Identity across views: whether renders of one generated scene show one person."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from thgeval.feature import Feature
from thgeval.features.frames.views import ALL_PAIRS, view_embeddings
from thgeval.metric import Better, Metric, Needs, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import ClipMean

NETWORKS = ("arcface-irse50", "arcface-r50", "arcface-r100")


@dataclass(frozen=True)
class ID(Metric[ClipMean]):
    """How much renders of one generated scene, from two cameras at two times, look like one person.

    Reads    the bundle CLIP.views.npz: four images, front and side at two times, each whole image brought to 112 px
    Returns  cosine of face embeddings, mean over the six pairs of images, then clips: in [-1, 1], no unit, 1 if the
             recogniser sees no difference. A plain video has one view: nothing is scored
    Source   Xu et al., PV3D, ICLR 2023: bytedance/pv3d, lib/utils/identity_distance/script.py at 311d8bdf
    Departs  nothing; no face is looked for, so hair and background count, and motion between the two times does too
    """

    network: str = parameter(
        "arcface-irse50",
        ("the recogniser: ``arcface-irse50``, ``arcface-r50`` or ``arcface-r100``; they can't be compared"),
        of=NETWORKS,
    )

    name = "id"
    version = 1
    range = (-1.0, 1.0)
    better = Better.HIGHER
    cites = ("xu2023pv3d", "deng2019arcface")

    @property
    def embeddings(self) -> Feature[Any]:
        """One row per image."""
        return view_embeddings(network=self.network)

    @property
    def needs(self) -> Needs:
        """The embeddings of the bundle."""
        return of_generated(self.embeddings)

    def measure(self, view: View) -> ClipMean:
        """Cosines of the six pairs."""
        rows = view.generated[self.embeddings]
        first, second = (rows[list(side)] for side in zip(*ALL_PAIRS, strict=True))
        return ClipMean.of(view.clip, np.einsum("pd,pd->p", first, second))
