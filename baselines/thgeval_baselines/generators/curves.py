"""Curves that drive a face: 52 actions by their ARKit names, or action units, and the angles of the head.

``.npz`` holds one (frames,) array a name, ``.csv`` one column a name under a head line. Known are ARKit's names in
[0, 1]; ``AU01_r`` ... ``AU45_r`` in 0 to 5, as OpenFace writes them, which stand for the actions of ``rig.facs``; and
``yaw``, ``pitch``, ``roll`` in degrees. ``fps`` (``.npz``) is the rate of the rows. Others are left alone.
"""

import csv
import io
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.limits import content
from thgeval_baselines.rig.facs import STRONGEST, UNITS
from thgeval_baselines.rig.model import rig

REASON = "bad curves"
ANGLES = ("yaw", "pitch", "roll")
BY_UNIT = {unit: names for unit, names in UNITS.items() if unit != "AU25"}
"""Units that drive actions: lips part with the jaw and the lips themselves."""


@dataclass(frozen=True, eq=False)
class Curves:
    """``actions`` (frames, 52) in [0, 1], ``given`` (52,) those that the file has, ``angles`` (frames, 3) degrees."""

    actions: NDArray[np.float64]
    given: NDArray[np.bool_]
    angles: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.actions)


def read_curves(path: Path, *, fps: Fraction, frames: int | None) -> Curves:
    """The curves of a file at ``fps``, ``frames`` of them (all if None); after its end the last row holds.

    Raises ``InputError`` (``bad curves``) for a file that isn't such a table.
    """
    columns, rate = _table(path)
    if not columns:
        raise InputError(f"{path} has no column with the name of an action, a unit or an angle", reason=REASON)
    rows = len(next(iter(columns.values())))
    if rows == 0 or any(len(column) != rows for column in columns.values()):
        raise InputError(f"{path}: its curves are empty or of different lengths", reason=REASON)
    wanted = frames if frames is not None else max(1, round(rows / rate * float(fps))) if rate else rows
    at = np.arange(wanted) * (rate / float(fps) if rate else 1.0)
    sampled = {name: np.interp(at, np.arange(rows), column) for name, column in columns.items()}
    return _curves(path, sampled, wanted)


def _curves(path: Path, columns: dict[str, NDArray[np.float64]], frames: int) -> Curves:
    names = rig().action_names
    actions, given, angles = np.zeros((frames, len(names))), np.zeros(len(names), np.bool_), np.zeros((frames, 3))
    driving = {name: column for name, column in columns.items() if name in names}
    for unit, driven in BY_UNIT.items():
        if f"{unit}_r" in columns:
            driving |= {name: columns[f"{unit}_r"] / STRONGEST for name in driven if name not in driving}
    for name, column in driving.items():
        if not np.all((column >= 0) & (column <= 1)):
            raise InputError(f"{path}: {name} leaves its range, or is not a number", reason=REASON)
        actions[:, names.index(name)], given[names.index(name)] = column, True
    for axis, name in enumerate(ANGLES):
        if name in columns:
            angles[:, axis] = columns[name]
    if not np.isfinite(angles).all() or np.abs(angles).max() > 180:
        raise InputError(f"{path}: an angle is not a number of degrees", reason=REASON)
    return Curves(actions, given, angles)


def _table(path: Path) -> tuple[dict[str, NDArray[np.float64]], float]:
    """The columns that are known, and their rate (0 if the file says none)."""
    known = {*rig().action_names, *ANGLES, *(f"{unit}_r" for unit in BY_UNIT)}
    try:
        raw = content(path, "companion_bytes")
        if path.suffix.lower() == ".csv":
            return _columns(raw, known), 0.0
        with np.load(io.BytesIO(raw), allow_pickle=False) as held:
            rate = float(held["fps"]) if "fps" in held.files else 0.0
            columns = {name: np.asarray(held[name], np.float64) for name in held.files if name in known}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error, csv.Error) as error:
        raise InputError(f"{path} is no table of curves: {' '.join(str(error).split())}", reason=REASON) from None
    if rate < 0 or not np.isfinite(rate) or any(column.ndim != 1 for column in columns.values()):
        raise InputError(f"{path}: fps must be a rate, and each curve one row of numbers", reason=REASON)
    return columns, rate


def _columns(raw: bytes, known: set[str]) -> dict[str, NDArray[np.float64]]:
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    names = [name.strip() for name in rows[0]] if rows else []
    body: list[Any] = [row for row in rows[1:] if row]
    return {
        name: np.array([float(row[at]) if at < len(row) else np.nan for row in body])
        for at, name in enumerate(names)
        if name in known
    }
