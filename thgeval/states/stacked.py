"""Feature rows of many clips as one matrix, read a block at a time, from memory or from the files they were written to.

What computes with sets of rows slices them (``rows[first:last]``), picks some (``rows[indices]``) or asks for a part to
be read later (``chosen``), and so holds no more of them at once than it asked for. Numbers are those of the arrays put
below each other, bit for bit.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from thgeval.errors import InputError, OutputError, ProtocolError

AnyArray = NDArray[Any]
Indices = NDArray[np.intp]
Which: TypeAlias = slice | Indices

BLOCK_ROWS = 1024
LARGEST = 1e60  # products of four rows must stay within float64


@dataclass(frozen=True)
class FileRows:
    """An array in a file, in C order from ``offset`` on, of which the rows asked for are read; unchanging.

    ``seen`` is what the file was when the array was found in it. Raises OutputError if it has changed, or is gone.
    """

    path: Path
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    seen: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: Which) -> AnyArray:
        """The rows of a slice without steps, or at indices, in that order."""
        if isinstance(which, slice):
            first, last, _ = which.indices(len(self))
            spans = [(first, max(first, last))]
        else:
            breaks = np.flatnonzero(np.diff(which) != 1) + 1
            spans = [(int(run[0]), int(run[-1]) + 1) for run in np.split(which, breaks) if len(run)]
        found = np.empty((sum(last - first for first, last in spans), *self.shape[1:]), self.dtype)
        at = 0
        for first, last, block in self._read(spans):
            found[at : at + last - first] = block
            at += last - first
        return found

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self[:], dtype=dtype)

    def _read(self, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, AnyArray]]:
        width = int(np.prod(self.shape[1:], dtype=np.int64))
        try:
            with self.path.open("rb") as file:
                if stamp(file.fileno()) != self.seen:
                    raise OutputError(f"{self.path} was changed during the run that needs it; run it again")
                for first, last in spans:
                    file.seek(self.offset + first * width * self.dtype.itemsize)
                    block = np.fromfile(file, self.dtype, (last - first) * width)
                    yield first, last, block.reshape(last - first, *self.shape[1:])
        except (OSError, ValueError) as error:
            raise OutputError(f"{self.path} can't be read again ({error}); run it again") from error


def blocks(rows: "AnyArray | FileRows | RowMatrix", step: int = 0, start: int = 0) -> Iterator[tuple[slice, AnyArray]]:
    """All rows from ``start`` on, ``step`` at once (``BLOCK_ROWS`` unless told), with their places."""
    step = step or BLOCK_ROWS
    for first in range(start, len(rows), step):
        part = slice(first, min(first + step, len(rows)))
        yield part, rows[part]


def stamp(file: int) -> tuple[int, ...]:
    """What changes when an open file is changed."""
    status = os.fstat(file)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, eq=False)
class ClipRows:
    """Rows of one clip: of (rows, columns), or one ``side`` of (rows, sides, columns); ``given`` ones or all."""

    source: AnyArray | FileRows
    side: int | None = None
    given: Indices | None = None

    def __len__(self) -> int:
        return len(self.source if self.given is None else self.given)

    def read(self, which: Which) -> AnyArray:
        """(rows, columns)."""
        block = self.source[which if self.given is None else self.given[which]]
        return block if self.side is None else block[:, self.side]


class RowMatrix:
    """Pieces below each other as one matrix, (rows, columns); ``order`` names the rows that count, or all."""

    def __init__(self, pieces: Sequence[ClipRows], order: Indices | None = None) -> None:
        held = [piece for piece in pieces if len(piece)]
        if len({piece.source.shape[-1] for piece in held}) > 1:
            raise ValueError("rows of one set must have the same number of columns")
        self._pieces = held
        self._order = order

    @classmethod
    def of(cls, rows: "AnyRows") -> "RowMatrix":
        """An array as such a matrix, or the matrix itself."""
        return rows if isinstance(rows, RowMatrix) else cls([ClipRows(rows)])

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(len(piece) for piece in self._pieces))

    def __len__(self) -> int:
        if self._order is not None:
            return len(self._order)
        return self._ends[-1] if self._ends else 0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), self._pieces[0].source.shape[-1] if self._pieces else 0

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The type that blocks have."""
        return np.result_type(*(piece.source.dtype for piece in self._pieces)) if self._pieces else np.dtype("f4")

    def __getitem__(self, which: Which) -> AnyArray:
        """The rows of a slice without steps, or at indices, in that order: (rows, columns)."""
        if self._order is not None:
            which = self._order[which]
        return self._sliced(which) if isinstance(which, slice) else self._picked(which)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self[:], dtype=dtype)

    def chosen(self, indices: Indices) -> "RowMatrix":
        """These rows alone, in that order; nothing is read."""
        return RowMatrix(self._pieces, indices if self._order is None else self._order[indices])

    def _sliced(self, which: slice) -> AnyArray:
        first, last, _ = which.indices(len(self))
        found = []
        while first < last:
            at, begin, end = self._place(first)
            found.append(self._pieces[at].read(slice(first - begin, min(last, end) - begin)))
            first = end
        if len(found) == 1:
            return found[0]
        return np.concatenate(found) if found else np.empty((0, self.shape[1]), self.dtype)

    def _picked(self, which: Indices) -> AnyArray:
        found = np.empty((len(which), self.shape[1]), self.dtype)
        sought = np.argsort(which, kind="stable")  # each file is opened once
        at = 0
        while at < len(sought):
            piece, begin, end = self._place(int(which[sought[at]]))
            upto = at + int(np.searchsorted(which[sought[at:]], end))
            places = sought[at:upto]
            found[places] = self._pieces[piece].read(which[places] - begin)
            at = upto
        return found

    def _place(self, row: int) -> tuple[int, int, int]:
        """The piece that a row is in, its first row and the one after its last."""
        at = bisect_right(self._ends, row)
        return at, self._ends[at - 1] if at else 0, self._ends[at]


AnyRows: TypeAlias = AnyArray | RowMatrix


def checked_rows(what: str, *, generated: AnyRows, reference: AnyRows, least: int) -> tuple[RowMatrix, RowMatrix]:
    """Both sets of rows if ``what`` can be computed of them: matrices of floats of equal width, finite and enough."""
    sides = {"generated": generated, "reference": reference}
    check_shapes(what, sides, least=least)
    for side, rows in sides.items():
        for _, block in blocks(rows):
            check_size(side, max(-float(block.min()), float(block.max())))
    return RowMatrix.of(generated), RowMatrix.of(reference)


def check_shapes(what: str, sides: Mapping[str, Any], *, least: int) -> None:
    """Raise ProtocolError or InputError unless both sides are matrices of floats of equal width and ``least`` rows."""
    for side, rows in sides.items():
        if len(rows.shape) != 2 or rows.dtype not in (np.float16, np.float32, np.float64) or not rows.shape[1]:
            raise ProtocolError(
                f"{what} reads {side} features as (rows, dimensions) in float16, float32 or float64, not {rows.dtype} "
                f"of shape {rows.shape}."
            )
    generated, reference = sides["generated"], sides["reference"]
    if generated.shape[1] != reference.shape[1]:
        raise ProtocolError(
            f"{what} compares features of the same dimensions, not {generated.shape[1]} (generated) with "
            f"{reference.shape[1]} (reference)."
        )
    for side, rows in sides.items():
        if len(rows) < least:
            raise InputError(
                f"{what} needs at least {least} rows on either side, not {len(rows)} {side}: add clips or frames.",
                reason="too few rows",
            )


def check_size(side: str, largest: float) -> None:
    """Raise InputError unless numbers up to that size, NaN among them, can be computed with."""
    if not largest <= LARGEST:
        raise InputError(
            f"{side} features hold NaN, infinity or numbers beyond {LARGEST:g}: check the network and its input.",
            reason="not finite",
        )


class Groups(NamedTuple):
    """Which of ``total`` groups each row of either side is in: (rows,) numbers from 0."""

    generated: Indices
    reference: Indices
    total: int


def checked_groups(sides: tuple[AnyRows, AnyRows], generated: ArrayLike, reference: ArrayLike, *, least: int) -> Groups:
    """Labels of rows as groups, in the order of the sorted labels, each of which leaves ``least`` rows on each side."""
    labels = np.asarray(generated), np.asarray(reference)
    for side, own, names in zip(("generated", "reference"), sides, labels, strict=True):
        if names.shape != (len(own),):
            raise ProtocolError(f"groups are one label a row: {len(own)} {side} rows, but labels of {names.shape}.")
    known = np.union1d(*labels)
    groups = Groups(np.searchsorted(known, labels[0]), np.searchsorted(known, labels[1]), len(known))
    for own, numbers in zip(sides, groups[:2], strict=True):
        if len(own) - np.bincount(numbers, minlength=1).max() < least:
            raise InputError(
                f"a group leaves fewer than {least} rows on a side, so nothing is left to compare: add clips, or use "
                "more groups.",
                reason="too few rows",
            )
    return groups
