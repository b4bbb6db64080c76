"""What users measured themselves: arrays of one person's face or body in ``CLIP.faces.npz`` beside a clip.

Every array has one row per frame that is scored, in order. A frame in which nothing was found is NaN throughout; rows
that are NaN in part are refused, but for keypoints, where each joint may be missing (NaN, or -1 in x and y). Whatever
can't be right is an InputError: nothing is cut, repeated or guessed.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Feature, Grain, Parameter, feature
from thgeval.features.faces.facs import OPENFACE, ActionUnits
from thgeval.features.faces.gaps import filled
from thgeval.features.frames.frames import Shown, shown
from thgeval.features.frames.npz import Layout, arrays, check_axes
from thgeval.features.frames.offered import faces_file

Array = NDArray[np.float64]

REASON = "bad faces file"
IN_PX = ("landmarks_px", "keypoints_px")
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "size_px": Layout(("2",), "width and height of the frames that px are of; must stand beside arrays in px"),
        "landmarks_px": Layout(("frames", "68", "2"), "x and y of iBUG 300-W's 68 points, pixel centres whole numbers"),
        "keypoints_px": Layout(("frames", "joints", "2"), "x and y of joints of the body, in any order"),
        "pose_deg": Layout(("frames", "3"), "yaw (nose to the right of the picture), pitch (up) and roll (clockwise)"),
        "embeddings": Layout(("frames", "dimensions"), "a face recogniser's rows, of any length"),
        "source_embedding": Layout(("dimensions",), "the same of the source image"),
        "expression": Layout(("frames", "dimensions"), "what the face does: coefficients of any model"),
        "vertices": Layout(
            ("frames", "points", "3"), "the person's own face, without pose and expression, in decimetres"
        ),
        "au_presence": Layout(("frames", "18"), f"1 or 0 for {', '.join(OPENFACE)}; beside au_intensity"),
        "au_intensity": Layout(("frames", "17"), "0 to 5 for the same without AU28; beside au_presence"),
    }
)


@feature(faces_file, shown, version=1, grain=Grain.CLIP)
def given(path: Path, frames: Shown, *, array: str, fill: int = 0) -> Array:
    """One array of the file, of one person: (frames, 1, ...), gaps of at most ``fill`` frames bridged.

    Raises InputError (``bad faces file``, ``other length``, ``other size``) if the file can't be the clip's.
    """
    held = arrays(path, LAYOUTS, reason=REASON)
    if array not in held:
        raise InputError(f"{path} has no array {array!r}, which is asked for", reason=REASON)
    values = held[array]
    if array in IN_PX:
        _check_size(path, held.get("size_px"), frames)
    if LAYOUTS[array].axes[0] == "frames" and len(values) != len(frames.size):
        raise InputError(
            f"{path}: {array} has {len(values)} rows and the clip has {len(frames.size)} frames; "
            "measure the frames that are scored",
            reason="other length",
        )
    return person(array, values, fill, said=f"{path}: {array}", reason=REASON)


def checked_person(array: str, values: NDArray[Any], *, fill: int) -> Array:
    """``person`` of an array that came in no file; InputError for other shapes too."""
    check_axes(values, LAYOUTS[array], said=array, reason="wrong shape")
    return person(array, values, fill, said=array, reason="not finite")


def person(array: str, values: NDArray[Any], fill: int, *, said: str, reason: str) -> Array:
    """An array as that of one person: (frames, 1, ...), gaps of at most ``fill`` frames bridged.

    Raises InputError under ``reason`` if a row is neither wholly there nor wholly missing.
    """
    rows = np.asarray(values if LAYOUTS[array].axes[0] == "frames" else values[None], np.float64)
    return filled(_whole(array, rows, said, reason)[:, None], fill)


def _check_size(path: Path, size: NDArray[Any] | None, frames: Shown) -> None:
    if size is None:
        raise InputError(f"{path} holds px and lacks 'size_px', which says of what frames", reason=REASON)
    if (frames.size != size).any():
        (width, height), (wide, high) = frames.size[0], size
        raise InputError(
            f"{path} was measured on {wide:g}x{high:g} px and the frames scored are {width}x{height}",
            reason="other size",
        )


def _whole(array: str, values: Array, said: str, reason: str) -> Array:
    """The values, refused if a row is neither wholly there nor wholly missing; of keypoints, a joint."""
    if array == "keypoints_px":
        values = np.where((values == -1).all(axis=-1, keepdims=True), np.nan, values)
    unit = values.reshape(-1, 2) if array == "keypoints_px" else values.reshape(len(values), -1)
    missing = np.isnan(unit)
    if np.isinf(unit).any() or (missing.any(axis=1) & ~missing.all(axis=1)).any():
        raise InputError(f"{said} is NaN in part of a row, or infinite", reason=reason)
    return values


@feature(lambda: given(array="au_presence"), lambda: given(array="au_intensity"), version=1, grain=Grain.CLIP)
def given_units(presence: Array, intensity: Array) -> ActionUnits:
    """The action units of the file; there is no intensity of AU28, which is NaN."""
    return ActionUnits(presence, np.insert(intensity, OPENFACE.index("AU28"), np.nan, axis=2))


@feature(lambda: given(array="keypoints_px"), version=1, grain=Grain.CLIP)
def given_joints(keypoints: Array) -> Array:
    """Each joint of the body as if it were a person of its own: (frames, joints, 2) in px, NaN where it is missing."""
    return keypoints[:, 0]


def pose_given(*, fill: int = 0, **_: Parameter) -> Feature[Array]:
    """Pose from the file, by the parameters of ``people.shapes``."""
    return given(array="pose_deg", fill=fill)


def expression_given(*, fill: int = 0, **_: Parameter) -> Feature[Array]:
    """Expression from the file."""
    return given(array="expression", fill=fill)


def vertices_given(*, fill: int = 0, **_: Parameter) -> Feature[Array]:
    """Points of the face's shape from the file."""
    return given(array="vertices", fill=fill)


def units_given(**_: Parameter) -> Feature[ActionUnits]:
    """Action units from the file; gaps are never filled, as a unit is there or not."""
    return given_units()


def joints_given(**_: Parameter) -> Feature[Array]:
    """Joints of the body from the file."""
    return given_joints()
