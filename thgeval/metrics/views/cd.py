"""Chamfer distance across views: whether renders of one generated scene have one shape."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from thgeval.features.frames.views import FRONT_AND_SIDE, views
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import PooledMean

EMPTY = "nothing opaque in a view"


@dataclass(frozen=True)
class CD(Metric[PooledMean]):
    """How far the surface that one camera sees lies from the surface that another sees.

    Reads    the bundle CLIP.views.npz: a point and an opacity for each pixel of front and side views at two times
    Returns  squared distance of each opaque point to the nearest point of the other view, median over points, both
             ways added, mean over the four pairs of a front and a side view of all clips: from 0, squared units of the
             world, 0 for equal clouds, about 0.0003 in PV3D. A plain video has one view: nothing is scored
    Source   Xu et al., PV3D, ICLR 2023: bytedance/pv3d, lib/utils/chamfer_distance at 311d8bdf
    Departs  the program prints a sum and calls it a mean: see preset pv3d-table. As there, the nearest point may be a
             transparent one, of two middle values the lower is the median, and two of the pairs mix in the motion
             between the two times
    """

    opaque: float = parameter(0.5, "opacity above which a point counts", least=0, below=1)
    times: float = parameter(1.0, "what the mean is multiplied by", above=0)

    name = "cd"
    version = 1
    range = (0.0, math.inf)
    better = Better.LOWER
    cites = ("xu2023pv3d",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "pv3d-table": Preset({"times": 4000.0}, "the paper's tables: the sum over four pairs of each of 1000 videos"),
    }

    needs: ClassVar[Needs] = of_generated(views())

    def measure(self, view: View) -> PooledMean:
        """The distance of each pair; a pair with an empty side has none."""
        bundle = view.generated[views()]
        solid = bundle.weights > self.opaque
        distances = [
            chamfer(bundle.points[a], bundle.points[b], first_counts=solid[a], second_counts=solid[b])
            for a, b in FRONT_AND_SIDE
        ]
        values = self.times * np.array(distances)
        return PooledMean.of(view.clip, values, left_out={EMPTY: np.isnan(values)})


def chamfer(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    *,
    first_counts: NDArray[np.bool_],
    second_counts: NDArray[np.bool_],
) -> float:
    """Median squared distance to the nearest point of the other cloud, both ways added; NaN if nothing counts.

    Clouds are (..., 3); each point that counts is taken to the nearest of all points of the other cloud.
    """
    if not (first_counts.any() and second_counts.any()):
        return math.nan
    return _one_way(first[first_counts], second) + _one_way(second[second_counts], first)


def _one_way(points: NDArray[Any], cloud: NDArray[Any]) -> float:
    distances = np.asarray(KDTree(cloud.reshape(-1, 3)).query(points)[0])
    middle = (len(distances) - 1) // 2
    return float(np.partition(distances, middle)[middle]) ** 2
