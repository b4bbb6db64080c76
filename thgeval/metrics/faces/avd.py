"""Average vertices distance: whether the generated face has the shape of the person it should be."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.feature import Feature
from thgeval.features.heads.vertices import MODELS, vertices
from thgeval.metric import Better, Preset, View
from thgeval.metrics.faces.missing import Array, present
from thgeval.metrics.faces.paired import PairedMetric
from thgeval.metrics.faces.whom import Landmarked, over_pairs
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean

AGAINST = ("first", "paired")


@dataclass(frozen=True)
class AVD(PairedMetric):
    """How far the points of the generated person's face, without expression and pose, are from the reference's.

    Reads    points of a 3D face model fitted to every frame of both clips, at rest and looking ahead
    Returns  mean distance of the points, then over frames, then clips: from 0, in decimetres, 0 if identical. The
             model's own noise sets a floor: how far the reference is from itself stands beside the number
    Source   Li et al., HiDe-NeRF, CVPR 2023, which names the distance and shows its meshes; no code was published
    Departs  the paper's face model and its unit are not known for certain. Its source image is taken to be the first
             frame of the reference with a face (AVD-s when a clip drives itself); with against=paired it is the same
             frame
    """

    whom: Landmarked = Landmarked()
    model: str = parameter("deep3d", "of the face: ``deep3d``, ``3ddfa``, ...", of=MODELS)
    against: str = parameter(
        "first", "the reference's ``first`` frame with a face, or the one ``paired`` with each", of=AGAINST
    )

    name = "avd"
    version = 1
    unit = "dm"
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("li2023hidenerf", "deng2019deep3d")
    presets: ClassVar[Mapping[str, Preset]] = {
        "3ddfa": Preset({"model": "3ddfa", "landmarks": "3ddfa"}, "68 points of 3DDFA V2's face, a light network"),
        "paired": Preset({"against": "paired"}, "against the same frame of the reference"),
    }

    @property
    def values(self) -> Feature[Array]:
        """Points of each person's face at rest: (frames, people, points, 3)."""
        return vertices(model=self.model, **self.whom.chosen)

    def compared(self, generated: Array, reference: Array) -> Array:
        """Mean distance of partners: (faces, points, 3) -> (faces,)."""
        return np.asarray(np.sqrt(((generated - reference) ** 2).sum(axis=-1)).mean(axis=-1))

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The distance of each frame, and beside it that of the reference from its own first frame with a face."""
        sides = self.sides(view)
        first = np.where(np.isnan(sides.reference), np.nan, of_first(sides.reference))
        beside = over_pairs(sides.reference, first, self.compared)
        target = sides.reference if self.against == "paired" else first
        return self.state(
            view, np.stack([over_pairs(sides.generated, target, self.compared), beside], axis=1), sides.why
        )

    def cautions(self, state: ClipMean | PooledMean) -> Iterator[str]:
        """The floor."""
        yield f"the reference is {state.beside:.4f} dm from its own first frame"


def of_first(values: Array) -> Array:
    """What is found of each person in the first frame that shows them: (frames, people, ...) -> (people, ...)."""
    return np.asarray(values[present(values).argmax(axis=0), np.arange(values.shape[1])])
