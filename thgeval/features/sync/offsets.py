"""How far two sequences that should run together are apart in time, and how surely: SyncNet's arithmetic.

Two sequences of embeddings, one of what is seen and one of what is heard, a row for every window, are compared at every
shift from ``-furthest`` to ``furthest`` windows. The curve of mean distances over shifts says everything: its lowest
place is the offset, its lowest value the distance, and how far that lies below the curve's median the confidence.

At shift s, |s| windows have no partner. As the authors' program does, they are compared with a vector of zeros, so that
their distance is the length of the seen embedding: ``padded_share`` says how much of the curve is made of that. Where
embeddings have length 1 that would be nearer than most, so ``zeros=False`` leaves such windows out of a shift's mean.
The distance is the L2 norm after 1e-6 is added to every component, as in torch's ``pairwise_distance``; in float64.

Sign: a positive offset means that the sound is ahead of the picture. Delaying the sound by d windows lowers it by d.

Source: Chung and Zisserman, ACCV workshops 2016; ``SyncNetInstance.py`` of joonson/syncnet_python (6efbb1c).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError

EPSILON = 1e-6
SMOOTHED_OVER = 9

Rows = NDArray[np.float32] | NDArray[np.float64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OffsetDistances:
    """Distances of every seen window, (windows,), to what is heard at every shift: (windows, 2 furthest + 1).

    Column k compares seen window i with heard window i + k - furthest; NaN where that is left out.
    """

    distances: Floats

    @property
    def windows(self) -> int:
        """How many windows were compared."""
        return len(self.distances)

    @property
    def furthest(self) -> int:
        """The largest shift looked at, in windows."""
        return int(self.distances.shape[1] // 2)

    @property
    def curve(self) -> Floats:
        """Mean distance at every shift: (2 furthest + 1,)."""
        return np.asarray(np.nanmean(self.distances, axis=0))

    @property
    def offset(self) -> int:
        """By how many windows the sound is ahead: ``furthest`` less the first lowest place of the curve."""
        return self.furthest - int(self.curve.argmin())

    @property
    def distance(self) -> float:
        """Lowest mean distance of any shift."""
        return float(self.curve.min())

    @property
    def confidence(self) -> float:
        """Median of the curve less its minimum: at least 0."""
        return float(np.median(self.curve) - self.curve.min())

    @property
    def at_best(self) -> Floats:
        """Distance of every window at the best shift, whose mean is ``distance``: (windows,)."""
        return np.asarray(self.distances[:, self.furthest - self.offset])

    @property
    def confidences(self) -> Floats:
        """What every window adds to the confidence, which is their mean: (windows,)."""
        return np.asarray(np.median(self.curve) - self.at_best)

    @property
    def smoothed(self) -> Floats:
        """``confidences`` under a running median of nine, zeros beyond the ends, as the authors' program shows them."""
        from scipy.signal import medfilt  # takes half a second to import

        return np.asarray(medfilt(self.confidences, SMOOTHED_OVER))

    @property
    def padded_share(self) -> float:
        """Which share of all comparisons is with zeros, for want of a partner: in [0, 1]."""
        return padded_share(self.windows, self.furthest)


def aligned(*, seen: Rows, heard: Rows, furthest: int, zeros: bool = True) -> OffsetDistances:
    """Compare two sequences of embeddings, both (windows, dimensions), at every shift up to ``furthest``.

    Rows that are NaN are left out, and without ``zeros`` so are windows without a partner. Every shift must be left
    with a window.
    """
    if seen.shape != heard.shape or seen.ndim != 2 or not len(seen):
        raise ProtocolError(f"both sides must be (windows, dimensions) alike, not {seen.shape} and {heard.shape}")
    if furthest < 1:
        raise ProtocolError(f"the largest shift must be at least 1, not {furthest}")
    windows = len(seen)
    lips = np.asarray(seen, np.float64) + EPSILON
    beyond = 0.0 if zeros else np.nan
    padded = np.pad(np.asarray(heard, np.float64), ((furthest, furthest), (0, 0)), constant_values=beyond)
    shifts = range(2 * furthest + 1)
    return OffsetDistances(np.stack([_lengths(lips - padded[shift : shift + windows]) for shift in shifts], axis=1))


def padded_share(windows: int, furthest: int) -> float:
    """Which share of the comparisons of so many windows, at all shifts up to ``furthest``, is with zeros."""
    lacking = sum(min(abs(shift), windows) for shift in range(-furthest, furthest + 1))
    return lacking / ((2 * furthest + 1) * windows)


def _lengths(rows: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", rows, rows)))
