"""Mean vertex error: how far off the vertices of a face are."""

import math
from dataclasses import dataclass
from typing import ClassVar

from thgeval.metric import Better, Metric, Needs, View
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.meshes.surfaces import NEEDED, Surfaces, distances
from thgeval.states import ClipMean, PooledMean


@dataclass(frozen=True)
class MVE(Metric[ClipMean | PooledMean]):
    """How far off the vertices of a mesh are, all of them.

    Reads    all vertices of both clips
    Returns  distance between the two, mean over vertices, then over all frames of all clips: from 0, in the files'
             unit, 0 for equal meshes
    Source   Stan et al., FaceDiffuser, MIG 2023; evaluation/compute_objective_metrics.py of
             uuembodiedsocialai/FaceDiffuser at 8d480df
    Departs  published scripts cut the longer mesh; here meshes of other lengths fail
    """

    surfaces: Surfaces = Surfaces()
    average: str = averaging("frames")

    name = "mve"
    version = 1
    unit = "unit of the mesh"
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("stan2023facediffuser",)
    needs: ClassVar[Needs] = NEEDED

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The mean distance of each frame."""
        return AVERAGES[self.average].of(view.clip, distances(*self.surfaces.pair(view)).mean(axis=1))
