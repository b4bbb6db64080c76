"""Mouth opening difference: how much wider or narrower the mouth of a mesh is than it should be."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.metric import Better, Metric, Needs, View
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.meshes.surfaces import NEEDED, Array, Surfaces
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean


@dataclass(frozen=True)
class MOD(Metric[ClipMean | PooledMean]):
    """How much wider or narrower the mouth of a mesh is open than the reference's.

    Reads    the vertices of both clips that the mesh files call ``lips``
    Returns  difference of how far the lips reach from top to bottom, without sign, mean over frames, then clips: from
             0, in the files' unit, 0 if both are open as wide
    Source   Sun et al., DiffPoseTalk, SIGGRAPH 2024, in words alone; as nachovigilante/talking-head-metrics at d236adb
             writes it in metrics/mod/mod_calculator.py
    Departs  the program cuts the longer mesh; here meshes of other lengths fail
    """

    surfaces: Surfaces = Surfaces()
    axis: int = parameter(1, "which column of vertices goes up, counted from 0; FLAME's is y", least=0, most=2)
    average: str = averaging()

    name = "mod"
    version = 1
    unit = "unit of the mesh"
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("sun2024diffposetalk",)
    needs: ClassVar[Needs] = NEEDED

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The difference in each frame."""
        ours, theirs = (opening(side[..., self.axis]) for side in self.surfaces.region(view, "lips"))
        return AVERAGES[self.average].of(view.clip, np.abs(ours - theirs))


def opening(heights: Array) -> Array:
    """How far heights (frames, points) reach: (frames,)."""
    return np.asarray(heights.max(axis=1) - heights.min(axis=1))
