"""What metrics of meshes share: whose vertices they compare, and whether heads are turned back first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.meshes import MeshClip, check_one_topology, mesh, vertices_named
from thgeval.metric import Needs, View, of_both
from thgeval.parameter import Held, parameter

Array = NDArray[np.float64]

HEAD_FRAMES: Mapping[str, Callable[[MeshClip], Array]] = MappingProxyType(
    {"given": lambda side: side.vertices, "still": lambda side: side.still()}
)
NEEDED: Needs = of_both(mesh())


@dataclass(frozen=True)
class Surfaces(Held):
    """The vertices that are compared."""

    head: str = parameter(
        "given",
        "``given``: vertices as the file has them, whether the head turns or not; ``still``: turned back by its "
        "array ``head``",
        of=HEAD_FRAMES,
    )

    def pair(self, view: View) -> tuple[Array, Array]:
        """The vertices of both sides, (frames, points, 3); InputError if they are of meshes that can't be compared."""
        generated, reference = view.generated[mesh()], view.reference[mesh()]
        check_one_topology(view.clip, generated, reference)
        ours, theirs = (HEAD_FRAMES[self.head](side) for side in (generated, reference))
        return ours, theirs

    def region(self, view: View, name: str) -> tuple[Array, Array]:
        """The same of the vertices that a file calls ``name``."""
        which = vertices_called(view, name)
        ours, theirs = (side[:, which] for side in self.pair(view))
        return ours, theirs


def vertices_called(view: View, name: str) -> NDArray[np.intp]:
    """Which vertices a pair calls ``lips``, ..."""
    return vertices_named(name, view.generated[mesh()], view.reference[mesh()])


def distances(ours: Array, theirs: Array) -> Array:
    """How far each vertex is from where it should be: (frames, points)."""
    return np.asarray(np.linalg.norm(ours - theirs, axis=-1))
