"""Distances of each frame from frames of either clip up to so many before, as ``thgeval.metrics.alignment`` reads them.

A network's rows of some frames are held at a time, so that a clip may be of any length.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from thgeval.media.frames import FrameBatch, Pixels

Rows: TypeAlias = NDArray[np.float32]
See: TypeAlias = Callable[[Pixels, float], Rows]
"""From frames, and the value of white, to a row each whose squared distances are the network's."""


def lagged(generated: FrameBatch, reference: FrameBatch, *, band: int, see: See) -> NDArray[np.float64]:
    """Squared distances of rows, (new frames, 1 + 4 band), NaN where there is no frame so many before."""
    sides = generated, reference
    held: tuple[deque[Any], ...] = deque(maxlen=band + 1), deque(maxlen=band + 1)
    lead = min(generated.lead, band)
    table = np.full((len(generated), 1 + 4 * band), np.nan)
    for frame in range(generated.lead - lead, len(generated.pixels)):
        for side, rows in zip(sides, held, strict=True):
            rows.appendleft(see(side.pixels[frame : frame + 1], side.peak)[0])
        if frame >= generated.lead:
            table[frame - generated.lead] = _row(*held, band=band)
    return table


def _row(ours: "deque[Any]", theirs: "deque[Any]", *, band: int) -> NDArray[np.float64]:
    """Of the newest frames of both sides, held newest first: against each other, then so many before."""
    pairs = ((ours, theirs), (theirs, ours), (ours, ours), (theirs, theirs))
    found = np.full((4, band), np.nan)
    for way, (newest, earlier) in enumerate(pairs):
        for back in range(1, len(earlier)):
            found[way, back - 1] = _apart(newest[0], earlier[back])
    return np.concatenate([[_apart(ours[0], theirs[0])], found.ravel()])


def _apart(first: Rows, second: Rows) -> float:
    return float(((first - second).astype(np.float64) ** 2).sum())
