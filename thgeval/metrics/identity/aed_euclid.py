"""Average Euclidean distance of identity embeddings, the AED of first-order motion models."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.metric import Better, Preset
from thgeval.metrics.faces.missing import Array
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.identity.identity import EMBEDDED, Recognised
from thgeval.parameter import parameter

DISTANCES = ("euclid", "squared")


@dataclass(frozen=True)
class AEDEuclid(PairedMetric):
    """How far the generated frame is from the reference's in the space of a face recogniser.

    Reads    both clips, each whole frame squeezed to 96 px, by OpenFace's nn4.small2 with red and blue swapped; or the
             faces that another recogniser looks at
    Returns  Euclidean distance of the two embeddings, mean over frames, then clips: from 0, no unit, at most 2 for
             OpenFace, whose embeddings have length 1; 0 if identical
    Source   Siarohin et al., Monkey-Net, CVPR 2019, and FOMM, NeurIPS 2019; AliaksandrSiarohin/pose-evaluation
    Departs  from the script in taking the root, as the papers say: see preset fomm. Tables mix both. Frames are made
             smaller without smoothing, as by the scikit-image 0.14 that the script asks for; newer ones smooth: see
             preset fomm-smoothed. It is not the average expression distance of 3DMM papers, which is another number
             under the same letters. Whole frames are compared, so background counts
    """

    whom: Recognised = Recognised(network="openface")
    distance: str = parameter("euclid", "``euclid``, or ``squared``: the sum of squares without its root", of=DISTANCES)

    name = "aed-euclid"
    version = 1
    better = Better.LOWER
    cites = ("siarohin2019monkeynet", "siarohin2019fomm", "amos2016openface")
    embedded = "dlib"
    presets: ClassVar[Mapping[str, Preset]] = {
        "fomm": Preset(
            {"distance": "squared", "pool": "frame"},
            "the authors' script since March 2019, with the scikit-image 0.14 that it asks for: no root",
        ),
        "fomm-smoothed": Preset(
            {"network": "openface-smoothed", "distance": "squared", "pool": "frame"},
            "the same with scikit-image from 0.15 on, which smooths frames before it makes them smaller",
        ),
        "dlib": Preset(EMBEDDED, "dlib's descriptor of the face on five frames a second; nothing to fetch"),
    }

    @property
    def range(self) -> tuple[float, float]:
        """From 0 up; embeddings of length 1 are at most 2 apart."""
        if self.whom.network != "openface":
            return 0.0, math.inf
        return 0.0, 4.0 if self.distance == "squared" else 2.0

    @property
    def values(self) -> Feature[Any]:
        """The embeddings."""
        return self.whom.of_clip

    def read(self, value: Any) -> Array:
        """Embeddings as the network gives them: (frames, people, D)."""
        rows = np.asarray(value.rows, np.float64)
        if np.isinf(rows).any():
            raise InputError("the recogniser gave infinity; check its weights", reason="not finite")
        return rows

    def compared(self, generated: Array, reference: Array) -> Array:
        """Distances of faces: (faces, D) of either side -> (faces,)."""
        squared = ((generated - reference) ** 2).sum(axis=-1)
        return np.asarray(squared if self.distance == "squared" else np.sqrt(squared))
