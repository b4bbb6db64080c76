"""The one table of how far a result may be from another program's, read from ``golden/tolerances.toml``.

Two programs that compute in floating point agree to rounding, never to the bit: their sums run in the order that the
processor, its vector width and the number of threads suggest. So no test compares with a peer but through this table.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TABLE = tomllib.loads((Path(__file__).parents[1] / "golden" / "tolerances.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Bound:
    """How far apart two results may be.

    ``relative`` is to the largest value of the other side, ``absolute`` in its own unit, ``share`` the part of the
    values that may differ at all.
    """

    kind: str
    ceiling: float

    def of(self, ours: np.ndarray, theirs: np.ndarray) -> float:
        """The distance that the ceiling bounds."""
        if self.kind == "share":
            return float((ours != theirs).mean())
        apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max()
        return float(apart / np.abs(theirs).max() if self.kind == "relative" and apart else apart)


CEILINGS = {row["metric"]: Bound(row["kind"], row["ceiling"]) for row in _TABLE["ceiling"]}
"""Metrics, beside their definition computed in double precision."""

PARITY = {row["name"]: Bound(row["kind"], row["ceiling"]) for row in _TABLE["parity"]}
"""Networks and kernels, beside the packages and programs that others use."""


def agree(ours: object, theirs: object, name: str) -> None:
    """Hold our result to a peer's, of the same shape and missing where it is missing, within the table's bound."""
    bound = (PARITY | CEILINGS)[name]
    sides = [np.asarray(side) for side in (ours, theirs)]
    assert sides[0].shape == sides[1].shape
    assert sides[1].size, "nothing was compared"
    missing = [np.isnan(side) for side in sides]
    np.testing.assert_array_equal(*missing)
    here, there = (side[~nan] for side, nan in zip(sides, missing, strict=True))
    assert np.isfinite(there).all()
    apart = bound.of(here, there)
    assert apart <= bound.ceiling, f"{name}: {apart:g} apart, {bound.kind} bound {bound.ceiling:g}"
