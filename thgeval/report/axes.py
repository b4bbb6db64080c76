"""Scales: from values to coordinates of a plot's view box, and round values to label them with.

Coordinates are rounded to a tenth; x grows to the right, y downwards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.report.text import number


@dataclass(frozen=True)
class Axis:
    """A linear scale: values from ``low`` to ``high`` lie between coordinates ``start`` and ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of a value."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)

    def ticks(self, about: int) -> list[tuple[float, str]]:
        """Coordinates and labels of about so many round values."""
        step = _round_step((self.high - self.low) / about)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        return [(self(index * step), number(index * step, places)) for index in range(first, last + 1)]


def _round_step(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted * (1 - 1e-9))


def axis(values: Sequence[float] | NDArray[np.float64], start: float, end: float) -> Axis:
    """A scale with all finite values a little inside its ends; at least one must be finite."""
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    low, high = float(finite.min()), float(finite.max())
    margin = (high - low) * 0.06 or abs(low) * 0.05 or 0.5
    return Axis(low - margin, high + margin, start, end)
