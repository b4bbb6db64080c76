"""Rows that stay on their device until they are compared: room for ``cap`` of them is made once, at the first."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from thgeval.errors import InputError
from thgeval.meter.tally import Tally
from thgeval.states import TwoRows


def not_finite() -> InputError:
    """What is said of rows that are no numbers, which would be left out of a set unseen."""
    return InputError("rows hold NaN or infinity; check the network and its input", reason="not finite")


class KeptRows:
    """Rows of one side, (rows, ...), in the order they came."""

    def __init__(self, cap: int, what: str) -> None:
        self._cap, self._what, self._used = cap, what, 0
        self._room: Tensor | None = None

    def __len__(self) -> int:
        return self._used

    def fits(self, rows: Tensor) -> None:
        """Refuse rows for which there is no room, or that others of these can't stand beside: InputError."""
        if self._used + len(rows) > self._cap:
            raise InputError(
                f"{self._what} keeps {self._cap} rows and would need {self._used + len(rows)}; make room with "
                f"cap={self._used + len(rows)}, or more",
                reason="too many rows",
            )
        if self._room is not None and self._room.shape[1:] != rows.shape[1:]:
            raise InputError(
                f"{self._what} was given rows of shape {tuple(self._room.shape[1:])} before and now "
                f"{tuple(rows.shape[1:])}",
                reason="shape mismatch",
            )

    def add(self, rows: Tensor) -> None:
        """Copy rows that fit."""
        if self._room is None:
            self._room = rows.new_empty((self._cap, *rows.shape[1:]))
        self._room[self._used : self._used + len(rows)].copy_(rows)
        self._used += len(rows)

    @property
    def rows(self) -> Tensor | None:
        """All that was kept; None of nothing."""
        return None if self._room is None else self._room[: self._used]


class SetRows:
    """Rows of both sides, and of which clip each of them is; those without a name are of sets without pairs."""

    def __init__(self, cap: int, what: str) -> None:
        self._sides = KeptRows(cap, what), KeptRows(cap, what)
        self._clips: list[tuple[str | None, int, int]] = []

    def __len__(self) -> int:
        return len(self._clips)

    def add(self, generated: Tensor, reference: Tensor | None, names: list[str] | None) -> None:
        """Keep (clips, rows, dimensions) of either side; InputError if clips with names differ in rows."""
        counts = generated.shape[1], 0 if reference is None else reference.shape[1]
        if names is not None and counts[0] != counts[1]:
            raise InputError(
                f"clip {names[0]!r} has {counts[0]} generated and {counts[1]} reference rows; sets of different sizes "
                "have no names",
                reason="length differs",
            )
        given = [rows.flatten(0, 1) for rows in (generated, reference) if rows is not None]
        for kept, rows in zip(self._sides, given, strict=False):
            kept.fits(rows)
        for kept, rows in zip(self._sides, given, strict=False):
            kept.add(rows)
        self._clips += [(None if names is None else names[clip], *counts) for clip in range(len(generated))]

    def counted(self, tally: Tally) -> Tally:
        """A tally with all of it, counted as a metric of sets does; here the device is waited for."""
        if not self._clips:
            return tally
        tally = tally.copied()
        generated, reference = (None if kept.rows is None else kept.rows.cpu().numpy() for kept in self._sides)
        first, second = 0, 0
        for name, ours, theirs in self._clips:
            one = _padded(generated, first, ours, max(ours, theirs))
            other = _padded(reference, second, theirs, max(ours, theirs), like=one)
            tally.count_alone(TwoRows.of("0", generated=one, reference=other), name)
            first, second = first + ours, second + theirs
        return tally


def _padded(
    rows: NDArray[np.float32] | None, first: int, count: int, length: int, like: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Some rows, and NaN below them up to a length: what isn't there on one side."""
    width = (like if rows is None and like is not None else rows).shape[1]  # type: ignore[union-attr]
    found = np.full((length, width), np.nan, np.float32)
    if rows is not None:
        found[:count] = rows[first : first + count]
    return found
