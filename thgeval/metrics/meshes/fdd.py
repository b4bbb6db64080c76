"""Upper-face dynamics deviation: how much less brows, forehead and eyes move than they should."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval.features.faces.meshes import mesh
from thgeval.metric import Better, Metric, Needs, Preset, View
from thgeval.metrics.meshes.surfaces import NEEDED, Array, Surfaces, vertices_called
from thgeval.parameter import parameter
from thgeval.states import ClipMean


def squared(motion: Array) -> Array:
    """Squared lengths of (frames, points, 3)."""
    return np.asarray((motion**2).sum(axis=-1))


def lengths(motion: Array) -> Array:
    """Lengths of (frames, points, 3)."""
    return np.asarray(np.linalg.norm(motion, axis=-1))


SIZES: Mapping[str, Callable[[Array], Array]] = MappingProxyType({"squared": squared, "distance": lengths})


@dataclass(frozen=True)
class FDD(Metric[ClipMean]):
    """How much less the upper face of a mesh moves than the reference's, or more.

    Reads    the vertices of both clips that the mesh files call ``upper_face``, and the ``template`` of the reference's
             file, the same face at rest
    Returns  squared distance of each vertex from where it is at rest, standard deviation over time, mean over vertices;
             of the reference less of the generated clip, mean over clips: in the square of the files' unit, 0 if both
             move as much. Above 0 the generated face moves less. Clips that move too much cancel those that move too
             little: ``absolute`` is how far each is off
    Source   Xing et al., CodeTalker, CVPR 2023; main/cal_metric.py of Doubiiu/CodeTalker at 1b7cb95
    Departs  which vertices are the upper face is for the file to say. Numbers of meshes in other units, or with the
             head's turn in them (``head``), are not comparable. Meshes of other lengths fail, where the script cuts
    """

    surfaces: Surfaces = Surfaces()
    rest: str = parameter(
        "template",
        "``template``: the face at rest in the reference's file; ``mean``: each clip's own mean",
        of=("template", "mean"),
    )
    motion: str = parameter("squared", "the ``squared`` distance from rest, or the ``distance``", of=SIZES)
    sample: bool = parameter(False, "divide squares by one less than there are frames, as torch.std does")
    absolute: bool = parameter(False, "drop the sign of each clip's difference")

    name = "fdd"
    version = 1
    better = Better.CLOSER_TO_ZERO
    cites = ("xing2023codetalker",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "absolute": Preset({"absolute": True}, "without signs, so that clips don't cancel: FaceDiffuser's script"),
        "own-mean": Preset(
            {"rest": "mean", "motion": "distance", "sample": True},
            "about each clip's own mean, without a face at rest: nachovigilante/talking-head-metrics at d236adb",
        ),
    }
    needs: ClassVar[Needs] = NEEDED

    @property
    def range(self) -> tuple[float, float]:
        """Either way, or without the sign."""
        return (0.0 if self.absolute else -math.inf, math.inf)

    @property
    def unit(self) -> str:
        """Of the files, or its square."""
        return "unit of the mesh" + ("²" if self.motion == "squared" else "")

    def measure(self, view: View) -> ClipMean:
        """The clip's difference, at every frame."""
        sides = self.surfaces.region(view, "upper_face")
        if len(sides[0]) < 2:
            raise InputError(f"{view.clip}: one frame doesn't move", reason="too short")
        ours, theirs = (self.dynamics(side, self.at_rest(view, side)) for side in sides)
        off = abs(theirs - ours) if self.absolute else theirs - ours
        return ClipMean.of(view.clip, np.full(len(sides[0]), off))

    def at_rest(self, view: View, vertices: Array) -> Array:
        """The upper face at rest: (points, 3)."""
        if self.rest == "mean":
            return np.asarray(vertices.mean(axis=0))
        return np.asarray(view.reference[mesh()].array("template")[vertices_called(view, "upper_face")])

    def dynamics(self, vertices: Array, rest: Array) -> float:
        """How much a face (frames, points, 3) moves."""
        return float(SIZES[self.motion](vertices - rest).std(axis=0, ddof=int(self.sample)).mean())
