"""The surface of a face over time, as users give it in ``CLIP.mesh.npz`` beside a clip.

Vertices are in any unit and any axes, the same for both sides of a pair, with one row per frame that is scored. Which
vertices are lips or upper face depends on the mesh, so the file says it. Whatever can't be right is an InputError:
nothing is cut, repeated or guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import Shown, shown
from thgeval.features.frames.npz import Layout, arrays
from thgeval.features.frames.offered import mesh_file

Array = NDArray[np.float64]

REASON, OTHER = "bad mesh file", "other topology"
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "vertices": Layout(("frames", "points", "3"), "x, y and z of every vertex, in any unit", required=True),
        "triangles": Layout(("triangles", "3"), "whole numbers: the vertices of each, counted from 0"),
        "lips": Layout(("chosen",), "whole numbers: the vertices of the lips; one named twice counts twice"),
        "upper_face": Layout(("chosen",), "the same of brows, forehead and eyes"),
        "lip_middles": Layout(("2",), "the vertices in the middle of the upper and of the lower lip"),
        "template": Layout(("points", "3"), "the same face at rest"),
        "head": Layout(("frames", "3", "4"), "rotation and shift that put the head where ``vertices`` have it"),
    }
)
CHOSEN = ("lips", "upper_face", "lip_middles")


@dataclass(frozen=True, eq=False)
class MeshClip:
    """What a file holds, as ``LAYOUTS`` says; ``name`` is its path, for messages."""

    name: str
    held: Mapping[str, NDArray[Any]]

    @property
    def vertices(self) -> Array:
        """(frames, points, 3)."""
        return self.held["vertices"]

    def array(self, name: str) -> NDArray[Any]:
        """One array; InputError if the file lacks it."""
        if name not in self.held:
            raise InputError(f"{self.name} has no array {name!r}, which is asked for", reason=REASON)
        return self.held[name]

    def still(self) -> Array:
        """The vertices with each frame's head turned back and shifted back."""
        rotation, shift = self.array("head")[..., :3], self.array("head")[..., 3]
        return np.asarray((self.vertices - shift[:, None]) @ rotation)


@feature(mesh_file, shown, version=1, grain=Grain.CLIP)
def mesh(path: Path, frames: Shown) -> MeshClip:
    """The mesh beside a clip; InputError (``bad mesh file``, ``other length``) if it can't be the clip's."""
    held = arrays(path, LAYOUTS, reason=REASON)
    points = held["vertices"].shape[1]
    for name in ("vertices", "head"):
        if name in held and len(held[name]) != len(frames.size):
            raise InputError(
                f"{path}: {name} has {len(held[name])} rows and the clip has {len(frames.size)} frames; "
                "give one for every frame that is scored",
                reason="other length",
            )
    if "template" in held and len(held["template"]) != points:
        _refuse(path, f"template has {len(held['template'])} vertices and each frame {points}")
    for name in ("triangles", *CHOSEN):
        if name in held:
            held[name] = _indices(path, name, held[name], points)
    return MeshClip(str(path), {name: _finite(path, name, array) for name, array in held.items()})


def _indices(path: Path, name: str, array: NDArray[Any], points: int) -> NDArray[np.intp]:
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= points:
        _refuse(path, f"{name} must be whole numbers in 0..{points - 1}, as it names vertices")
    return array.astype(np.intp)


def _finite(path: Path, name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind == "i":
        return array
    if not np.isfinite(array).all():
        _refuse(path, f"{name} holds NaN or infinity")
    return array.astype(np.float64)


def _refuse(path: Path, why: str) -> None:
    raise InputError(f"{path}: {why}", reason=REASON)


def check_one_topology(clip: str, generated: MeshClip, reference: MeshClip) -> None:
    """InputError (``other topology``, ``other length``) unless both meshes have the same vertices and frames."""
    ours, theirs = generated.vertices.shape, reference.vertices.shape
    if ours[1] != theirs[1]:
        raise InputError(f"{clip} has a mesh of {ours[1]} vertices and its reference one of {theirs[1]}", reason=OTHER)
    if len({len(side.vertices) for side in (generated, reference)}) > 1:
        raise InputError(f"{clip} has {ours[0]} frames of a mesh and its reference {theirs[0]}", reason="other length")
    for name in ("triangles", *CHOSEN):
        if both(name, generated, reference) and not np.array_equal(generated.held[name], reference.held[name]):
            raise InputError(f"{clip} has other {name} in its mesh than its reference has", reason=OTHER)


def both(name: str, *sides: MeshClip) -> bool:
    """Whether all sides state something."""
    return all(name in side.held for side in sides)


def vertices_named(name: str, generated: MeshClip, reference: MeshClip) -> NDArray[np.intp]:
    """Which vertices a pair calls ``lips``, ...: the reference's word, or else the generated clip's."""
    return (reference if name in reference.held or name not in generated.held else generated).array(name)
