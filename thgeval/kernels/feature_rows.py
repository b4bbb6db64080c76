"""Two sets of feature rows for a kernel, wherever they lie, if it can compute with them."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.kernels.places import DeviceArray, in_memory, in_order, on_card, readable
from thgeval.states.stacked import AnyRows, check_shapes, check_size, checked_rows

__all__ = ["FetchedRows", "compared_rows"]


def compared_rows(what: str, *, generated: AnyRows, reference: AnyRows, least: int) -> tuple[Any, Any]:
    """Both sides as `thgeval.states.stacked.checked_rows` has them, or on a graphics card and checked there."""
    if not on_card(generated, reference):
        return checked_rows(what, generated=generated, reference=reference, least=least)
    from thgeval.kernels.reductions import row_sizes

    sides = {"generated": readable(generated), "reference": readable(reference)}
    check_shapes(what, sides, least=least)
    ordered = {side: in_order(rows) for side, rows in sides.items()}
    for side, rows in ordered.items():
        check_size(side, float(in_memory(row_sizes(rows)).max()))
    return ordered["generated"], ordered["reference"]


class FetchedRows:
    """Rows on a graphics card for what reads them in memory; fetched once, when they are first read."""

    def __init__(self, rows: DeviceArray) -> None:
        self.on_card = rows
        self.shape, self.dtype = rows.shape, rows.dtype

    @cached_property
    def _held(self) -> NDArray[Any]:
        return in_memory(self.on_card)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, which: Any) -> NDArray[Any]:
        rows: NDArray[Any] = self._held[which]
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self._held, dtype=dtype)
