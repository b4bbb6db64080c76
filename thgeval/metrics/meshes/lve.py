"""Lip vertex error: how far off the worst vertex of the lips is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thgeval.metric import Better, Metric, Needs, Preset, View
from thgeval.metrics.averages import AVERAGES, averaging
from thgeval.metrics.meshes.surfaces import NEEDED, Surfaces
from thgeval.parameter import parameter
from thgeval.states import ClipMean, PooledMean


@dataclass(frozen=True)
class LVE(Metric[ClipMean | PooledMean]):
    """How far off the worst vertex of the lips is in each frame of a mesh.

    Reads    the vertices of both clips that the mesh files call ``lips``
    Returns  squared distance between the two, of the vertex where it is largest, mean over all frames of all clips:
             from 0, in the square of the files' unit, 0 for equal lips
    Source   Richard et al., MeshTalk, ICCV 2021, who write of a maximal L2 error; squared in the scripts that followed:
             main/cal_metric.py of Doubiiu/CodeTalker at 1b7cb95, and torchmetrics' lip_vertex_error
    Departs  which vertices are lips is for the file to say, as each data set has a list of its own. Numbers of meshes
             in other units, of other lips, or with the head's turn in them (``head``) are not comparable. Published
             scripts cut the longer mesh; here meshes of other lengths fail
    """

    surfaces: Surfaces = Surfaces()
    error: str = parameter("squared", "the ``squared`` distance, or the ``distance``", of=("squared", "distance"))
    average: str = averaging("frames")

    name = "lve"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("richard2021meshtalk", "xing2023codetalker")
    presets: ClassVar[Mapping[str, Preset]] = {
        "meshtalk": Preset(
            {"error": "distance", "average": "clips"},
            "distances, in the files' unit, mean of each clip: nachovigilante/talking-head-metrics at d236adb",
        ),
    }
    needs: ClassVar[Needs] = NEEDED

    @property
    def unit(self) -> str:
        """Of the files, or its square."""
        return "unit of the mesh" + ("²" if self.error == "squared" else "")

    def measure(self, view: View) -> ClipMean | PooledMean:
        """The largest error of each frame."""
        ours, theirs = self.surfaces.region(view, "lips")
        squared = ((ours - theirs) ** 2).sum(axis=-1).max(axis=1)
        return AVERAGES[self.average].of(view.clip, squared if self.error == "squared" else np.sqrt(squared))
