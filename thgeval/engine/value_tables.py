"""Values per clip and per frame as tables for other programs: CSV, or Parquet with the extra ``frame``.

Rows are long: one for each clip (or frame) and metric, so that a table of any run has the same columns. They are
written as they are read, so that memory doesn't grow with the run. Infinite values stay infinite; where there is no
value the cell is empty and the reason is beside it. A Parquet file carries the signatures of all scores.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from thgeval.engine.per_frame import curves
from thgeval.errors import MissingExtra, ProtocolError
from thgeval.files import replacing
from thgeval.results import Run

FORMS = ("csv", "parquet")
GROUP_ROWS = 1 << 16
Cells: TypeAlias = tuple[str | int | float | None, ...]


@dataclass(frozen=True)
class ValueTable:
    """A table of values: what it is called, its columns with their types, and its rows for a result."""

    name: str
    columns: Mapping[str, str]
    rows: Callable[[Run], Iterator[Cells]]


def _clip_rows(run: Run) -> Iterator[Cells]:
    for clip in run.clips:
        for key in run.scores:
            value = clip.scores.get(key)
            failed = clip.failed.get(key) or (clip.failure if value is None else None)
            above, below = clip.contributions.get(key, (None, None))
            own = clip.reference_contributions.get(key)
            reference = None if own is None or not own[1] else own[0] / own[1]
            why = None if failed is None else failed.reason
            yield clip.id, clip.side, key, value, reference, above, below, clip.frames, why


def _frame_rows(run: Run) -> Iterator[Cells]:
    for clip in run.clips:
        for key, part in curves(run, clip):
            why = {frame: reason for reason, frames in part.left_out.items() for frame in frames}
            for frame, value in enumerate(part.column.tolist()):
                yield clip.id, key, part.start + frame, None if math.isnan(value) else value, why.get(frame)


TABLES = {
    table.name: table
    for table in (
        ValueTable(
            "clips",
            {
                **dict.fromkeys(("clip", "side", "metric"), "string"),
                **dict.fromkeys(("value", "reference", "above", "below"), "double"),
                "frames": "int64",
                "left_out": "string",
            },
            _clip_rows,
        ),
        ValueTable(
            "frames",
            {"clip": "string", "metric": "string", "frame": "int64", "value": "double", "left_out": "string"},
            _frame_rows,
        ),
    )
}


def write_values(result: Path, name: str, form: str = "csv") -> Path:
    """Write the table called ``clips`` or ``frames`` beside a result, as ``csv`` or ``parquet``; where it is.

    Raises ProtocolError if there is nothing to write, MissingExtra without the package for Parquet, OutputError.
    """
    run, table = Run.read(result), TABLES[name]
    rows = table.rows(run)
    if (first := next(rows, None)) is None:
        raise ProtocolError(f"there are no values of {name} beside {result}")
    path = result.with_suffix(f".{name}.{form}")
    write = _csv if form == "csv" else _parquet(run)
    with replacing(path) as file:
        write(file, table.columns, _all(first, rows))
    return path


def _all(first: Cells, rest: Iterable[Cells]) -> Iterator[Cells]:
    yield first
    yield from rest


def _csv(file: BinaryIO, columns: Mapping[str, str], rows: Iterable[Cells]) -> None:
    text = io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="")
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows([repr(cell) if isinstance(cell, float) else cell for cell in row] for row in rows)
    text.flush()
    text.detach()


def _parquet(run: Run) -> Callable[[BinaryIO, Mapping[str, str], Iterable[Cells]], None]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("Parquet", extra="frame") from None

    def write(file: BinaryIO, columns: Mapping[str, str], rows: Iterable[Cells]) -> None:
        told = {"thgeval": json.dumps({"protocol": run.protocol["name"], "signatures": run.signature})}
        schema = arrow.schema([(name, getattr(arrow, kinds[kind])()) for name, kind in columns.items()], told)
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            left = iter(rows)
            while some := list(islice(left, GROUP_ROWS)):
                cells = [[_plain(cell) for cell in column] for column in zip(*some, strict=True)]
                arrays = [arrow.array(column, kind) for column, kind in zip(cells, schema.types, strict=True)]
                writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))

    kinds = {"string": "string", "double": "float64", "int64": "int64"}
    return write


def _plain(cell: Any) -> Any:
    """Text that UTF-8 can hold: names of files may be other bytes."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(cell, str) else cell
