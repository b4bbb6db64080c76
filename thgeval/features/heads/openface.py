"""What OpenFace 2 measured: head pose and action units, read from its table beside a clip or made by its program.

The table is a CSV with one row per frame and face: ``CLIP.openface.csv``, or ``CLIP.csv`` as the program names it.
Names of columns may have leading blanks. A row whose ``success`` is 0 has no face. With several ``face_id`` the policy
of ``people`` chooses by the boxes of their landmarks (columns x_0, ..., y_67), or by their number.

OpenFace's angles are radians about the camera's axes, x to the right, y down and z away from the viewer, and its
rotation is ``Rx(pose_Rx) @ Ry(pose_Ry) @ Rz(pose_Rz)``. They become yaw, pitch and roll as ``pose`` has them; for small
angles these are -pose_Ry, -pose_Rx and pose_Rz in degrees.

Sources: Baltrusaitis et al., FG 2018; TadasBaltrusaitis/OpenFace 2.2.0. Its licence allows research alone.
"""

import csv
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip, check_whole
from thgeval.errors import InputError
from thgeval.feature import Feature, Grain, Parameter, feature
from thgeval.features.faces.alignment import angles
from thgeval.features.faces.facs import OPENFACE as UNITS
from thgeval.features.faces.facs import ActionUnits
from thgeval.features.faces.gaps import filled
from thgeval.features.faces.people import CHOOSERS, large_enough, taken
from thgeval.features.frames.frames import Shown, shown
from thgeval.features.frames.offered import clip, openface_file
from thgeval.limits import check_file

Array = NDArray[np.float64]

REASON = "bad OpenFace table"
PROGRAM = "FeatureExtraction"
LONGEST_S = 3600
ANGLES = ("pose_Rx", "pose_Ry", "pose_Rz")
PRESENCE = tuple(f"{unit}_c" for unit in UNITS)
INTENSITY = tuple(f"{unit}_r" for unit in UNITS if unit != "AU28")
LANDMARKS = tuple(f"{axis}_{point}" for axis in "xy" for point in range(68))


class Table(NamedTuple):
    """A table as it stands in the file: names of columns, and (rows, columns) numbers."""

    path: str
    names: tuple[str, ...]
    values: Array

    def columns(self, names: Sequence[str]) -> Array:
        """The named columns: (rows, names); InputError if one is missing."""
        if missing := [name for name in names if name not in self.names]:
            raise InputError(f"{self.path} lacks the column {missing[0]!r}", reason=REASON)
        return self.values[:, [self.names.index(name) for name in names]]

    @property
    def good(self) -> NDArray[np.bool_]:
        """The rows that have a face: (rows,)."""
        success = self.columns(["success"])[:, 0]
        return np.asarray((success != 0) & ~np.isnan(success))

    def measured(self, names: Sequence[str]) -> Array:
        """The named columns of rows that have a face, NaN in others; InputError if one of those is not a number."""
        values = self.columns(names).copy()
        values[~self.good] = np.nan
        if not np.isfinite(values[self.good]).all():
            raise InputError(f"{self.path} holds NaN or infinity where a face was found", reason=REASON)
        return values


@feature(openface_file, version=1, grain=Grain.CLIP)
def openface_table(path: Path) -> Table:
    """The table beside the clip."""
    return read(path)


@feature(clip, version=1, grain=Grain.CLIP)
def openface_run(seen: Clip) -> Table:
    """The table that OpenFace's program makes of the clip, if it is installed; InputError if it is not, or fails."""
    check_whole(seen, "OpenFace")
    program = shutil.which(PROGRAM)
    if program is None:
        raise InputError(f"OpenFace's program {PROGRAM} is not on the PATH", reason="no OpenFace")
    if not isinstance(seen.source, Path):
        raise InputError(f"{seen.name}: OpenFace reads files, not frames in memory", reason="no OpenFace")
    source = ["-fdir" if seen.source.is_dir() else "-f", str(seen.source.absolute())]
    with tempfile.TemporaryDirectory() as folder:
        command = [program, *source, "-out_dir", folder, "-of", "table", "-pose", "-aus", "-2Dfp"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"{seen.name}: OpenFace did not finish: {error}", reason="OpenFace failed") from None
        made = Path(folder) / "table.csv"
        if done.returncode or not made.is_file():
            said = (done.stderr or done.stdout).strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise InputError(f"{seen.name}: OpenFace failed: {said[0]}", reason="OpenFace failed")
        return read(made)._replace(path=f"OpenFace's table of {seen.name}")


def read(path: Path) -> Table:
    """A table from its file; InputError (``bad OpenFace table``) for one that can't be read as numbers under names."""
    names: tuple[str, ...] = ()
    rows: list[Array] = []
    try:
        if not check_file(path, "companion_bytes"):
            raise ValueError("it is empty")
        with path.open(newline="", encoding="utf-8") as file:
            for row in filter(None, csv.reader(file, skipinitialspace=True)):
                if names:
                    rows.append(_numbers(row, names, len(rows) + 2, path))
                names = names or tuple(name.strip() for name in row)
    except InputError as error:
        raise InputError(str(error), reason=REASON) from None
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise InputError(f"{path} can't be read as an OpenFace table: {error}", reason=REASON) from None
    if not names:
        raise InputError(f"{path} can't be read as an OpenFace table: it is empty", reason=REASON)
    return Table(str(path), names, np.array(rows, np.float64).reshape(len(rows), len(names)))


def _numbers(row: list[str], names: tuple[str, ...], line: int, path: Path) -> Array:
    if len(row) != len(names):
        raise InputError(f"{path}: line {line} has {len(row)} values under {len(names)} names", reason=REASON)
    try:
        return np.array(row, np.float64)
    except ValueError as error:
        raise InputError(f"{path} holds what is not a number: {error}", reason=REASON) from None


def _by(binary: bool, **_: Any) -> Feature[Table]:
    return openface_run() if binary else openface_table()


@feature(_by, shown, version=1, grain=Grain.CLIP)
def openface_pose(
    table: Table, frames: Shown, *, binary: bool = False, who: str = "largest", min_px: int = 0, fill: int = 0
) -> Array:
    """Yaw, pitch and roll in degrees of the chosen people: (frames, people, 3), NaN where there is no face."""
    found = angles(rotations(table.measured(ANGLES)))
    return filled(of_people(table, found, len(frames.size), who=who, min_px=min_px), fill)


@feature(_by, shown, version=1, grain=Grain.CLIP)
def openface_units(
    table: Table, frames: Shown, *, binary: bool = False, who: str = "largest", min_px: int = 0
) -> ActionUnits:
    """The 18 units for the chosen people; OpenFace tells no intensity of AU28, which is NaN."""
    presence = table.measured(PRESENCE)
    intensity = np.insert(table.measured(INTENSITY), UNITS.index("AU28"), np.nan, axis=1)
    parts = (of_people(table, part, len(frames.size), who=who, min_px=min_px) for part in (presence, intensity))
    return ActionUnits(*parts)


def pose_openface(*, who: str = "largest", min_px: int = 0, fill: int = 0, **_: Parameter) -> Feature[Array]:
    """Pose from the table beside the clip, by the parameters of ``people.shapes``."""
    return openface_pose(who=who, min_px=min_px, fill=fill)


def pose_openface_binary(*, who: str = "largest", min_px: int = 0, fill: int = 0, **_: Parameter) -> Feature[Array]:
    """Pose by OpenFace's program, run on the clip."""
    return openface_pose(binary=True, who=who, min_px=min_px, fill=fill)


def units_openface(*, who: str = "largest", min_px: int = 0, **_: Parameter) -> Feature[ActionUnits]:
    """Action units from the table beside the clip; gaps are never filled, as a unit is there or not."""
    return openface_units(who=who, min_px=min_px)


def units_openface_binary(*, who: str = "largest", min_px: int = 0, **_: Parameter) -> Feature[ActionUnits]:
    """Action units by OpenFace's program, run on the clip."""
    return openface_units(binary=True, who=who, min_px=min_px)


def rotations(radians: Array) -> Array:
    """OpenFace's angles (..., 3) as rotations (..., 3, 3) of axes to the right, down and towards the viewer."""
    x, y, z = np.moveaxis(radians, -1, 0)
    turned = _turn(x, 1, 2) @ _turn(y, 2, 0) @ _turn(z, 0, 1)
    towards = np.diag([1.0, 1.0, -1.0])
    return np.asarray(towards @ turned @ towards)


def _turn(angle: Array, first: int, second: int) -> Array:
    """Rotations in the plane of two axes, from the first towards the second."""
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., range(3), range(3)] = 1.0
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -matrix[..., second, first]
    return matrix


def of_people(table: Table, values: Array, frames: int, *, who: str, min_px: int) -> Array:
    """Values of rows, (rows, ...), as those of the chosen people: (frames, people, ...), NaN where there is no face.

    Raises InputError for frames the clip doesn't have, a face that stands twice in a frame, and several faces that
    nothing tells apart as ``who`` wants it.
    """
    places, faces = _places(table, frames)
    good = table.good
    slots = np.full((frames, faces, *values.shape[1:]), np.nan)
    slots[places[0][good], places[1][good]] = values[good]
    return taken(slots, _chosen(table, places, (frames, faces), who=who, min_px=min_px))


def _places(table: Table, frames: int) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], int]:
    """Index of frame and face of every row, and how many faces there are."""
    numbers = table.columns(["frame"])[:, 0]
    several = "face_id" in table.names
    ids = table.columns(["face_id"])[:, 0] if several else np.zeros(len(numbers))
    known, face = np.unique(ids, return_inverse=True)
    last = int(numbers.max(initial=0)) if np.isfinite(numbers).all() else -1
    if last < 0 or (numbers != np.rint(numbers)).any() or (numbers < 1).any():
        raise InputError(f"{table.path}: frames must be whole numbers from 1", reason=REASON)
    if last > frames or (len(known) < 2 and last < frames):
        raise InputError(
            f"{table.path} ends with frame {last} and the clip has {frames} frames; measure the frames that are scored",
            reason="other length",
        )
    frame = numbers.astype(np.intp) - 1
    if len(np.unique(np.stack([frame, face]), axis=1).T) < len(frame):
        raise InputError(f"{table.path} has two rows of one face in one frame", reason=REASON)
    return (frame, face.astype(np.intp)), len(known)


def _chosen(
    table: Table,
    places: tuple[NDArray[np.intp], NDArray[np.intp]],
    shape: tuple[int, int],
    *,
    who: str,
    min_px: int,
) -> NDArray[np.int64]:
    """The slots of the chosen faces, by their landmarks' boxes; by their numbers alone where that is enough."""
    boxes = np.full((*shape, 4), np.nan)
    rows = places[0][table.good], places[1][table.good]
    if (shape[1] > 1 and who not in ("first", "last")) or min_px:
        points = table.measured(LANDMARKS)[table.good].reshape(-1, 2, 68)
        boxes[rows] = np.concatenate([points.min(axis=2), points.max(axis=2)], axis=1)
        boxes[~large_enough(boxes, min_px)] = np.nan
    else:
        boxes[rows] = (0, 0, 1, 1)
    return CHOOSERS[who](boxes)
