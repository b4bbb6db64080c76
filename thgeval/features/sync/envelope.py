"""The gap of the lips and the loudness of the speech, side by side at 25 Hz, and the shift where they go together."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.faces.lips import LANDMARKS_HZ, at_25_hz, moving_mean
from thgeval.features.faces.mouth import LOWER, UPPER
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import WITH_SOUND, Shown, shown, times_of
from thgeval.features.sync.speech import loudness, voice
from thgeval.features.sync.sync_lm import LEAST_VOICED_S
from thgeval.states import mean

Floats = NDArray[np.float64]

WINDOW = 640
FLOOR = 1e-3
REST_S = 2.0
LEAST_ROWS = 10
ROUNDING = 1e-9
SMOOTH_ROWS, CHANCE_DRAWS = 1.0, 100


class Envelopes(NamedTuple):
    """``aperture`` (rows, people) in eye distances, NaN without a face, and ``loudness`` (rows,) in dB, at 25 Hz."""

    aperture: Floats
    loudness: Floats


@feature(
    lambda **chosen: shapes(**chosen),
    shown,
    loudness(window=WINDOW),
    voice(),
    version=1,
    grain=Grain.CLIP,
)
def envelopes(
    points: Floats,
    how: Shown,
    levels: Floats,
    voiced: NDArray[np.bool_],
    *,
    landmarks: str = "dlib",
    follow: str = "every",
    who: str = "largest",
    min_px: int = 0,
    fill: int = 0,
) -> Envelopes:
    """Both envelopes as far as both reach, freed of their mean over the 2 s around.

    Raises InputError: "no frame rate", "no voice", "no face".
    """
    times = times_of(how, what=WITH_SOUND)
    if voiced.sum() * 0.01 < LEAST_VOICED_S:
        raise InputError("hardly anything is heard, so that lips can't be compared with it", reason="no voice")
    if np.isnan(points).any(axis=(2, 3)).all():
        raise InputError("no face is found in any frame", reason="no face")
    people = [aperture(at_25_hz(points[:, person], times)[0]) for person in range(points.shape[1])]
    decibels = 20 * np.log10(np.maximum(levels[:: 100 // LANDMARKS_HZ], FLOOR))
    rows = min(len(people[0]), len(decibels))
    return Envelopes(
        np.stack([levelled(own[:rows]) for own in people], axis=1),
        decibels[:rows] - moving_mean(decibels[:rows, None], REST_S)[:, 0],
    )


def aperture(points: Floats) -> Floats:
    """Gap of the inner lips over the distance of the outer eye corners: (rows,), NaN where there is no face."""
    gap, unit = points[:, LOWER] - points[:, UPPER], points[:, 45] - points[:, 36]
    return np.asarray(np.linalg.norm(gap, axis=1) / np.linalg.norm(unit, axis=1))


def levelled(own: Floats) -> Floats:
    """Values less their mean over the 2 s around, of those that are there."""
    there = ~np.isnan(own)
    total = moving_mean(np.where(there, own, 0.0)[:, None], REST_S)[:, 0]
    share = moving_mean(there.astype(np.float64)[:, None], REST_S)[:, 0]
    return own - np.divide(total, share, out=np.zeros_like(total), where=share > 0)


def best_shift(seen: Floats, heard: Floats, furthest: int) -> tuple[int, Floats]:
    """The offset with the largest correlation, and each row's product of standard scores there, whose mean it is.

    Sign as in ``features.sync.offsets``. Rows without a partner are NaN; all are if a shift has too few of them, or
    one side never changes.
    """
    best, chosen = 0, np.full(len(seen), np.nan)
    largest = -np.inf
    for shift in range(-furthest, furthest + 1):
        products = standard_products(seen, _shifted(heard, shift))
        correlation = float(np.nanmean(products)) if not np.isnan(products).all() else np.nan
        if np.isnan(correlation):
            return 0, np.full(len(seen), np.nan)
        if correlation > largest:
            best, chosen, largest = -shift, products, correlation
    return best, chosen


def standard_products(first: Floats, second: Floats) -> Floats:
    """Products of standard scores where both are there, NaN elsewhere, or throughout if there is no correlation."""
    both = ~np.isnan(first) & ~np.isnan(second)
    products = np.full(len(first), np.nan)
    if both.sum() < LEAST_ROWS:
        return products
    one, two = (side[both] - side[both].mean() for side in (first, second))
    if changes(one) and changes(two):
        products[both] = one * two / np.sqrt((one**2).mean() * (two**2).mean())
    return products


def changes(values: Floats) -> bool:
    """Whether values, NaN where there are none, differ by more than rounding leaves of equal ones."""
    there = values[~np.isnan(values)]
    return bool(len(there) and there.std() > ROUNDING)


@cache
def chance(rows: int, furthest: int) -> float:
    """What ``best_shift`` gives on average for a mouth and a voice that have nothing to do with each other.

    Mean of ``CHANCE_DRAWS`` pairs of independent noise, smoothed by a Gaussian of 40 ms (which leaves what is slower
    than 3 Hz, as syllables are), each freed of its mean over the 2 s around; smoother curves score more. NaN if there
    are too few rows for any correlation.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    near = np.exp(-0.5 * (np.arange(-8, 9) / SMOOTH_ROWS) ** 2)
    found = []
    for _ in range(CHANCE_DRAWS):
        seen, heard = (levelled(np.convolve(own, near, "valid")) for own in rng.standard_normal((2, rows + 16)))
        products = best_shift(seen, heard, furthest)[1]
        found.append(math.nan if np.isnan(products).all() else float(np.nanmean(products)))
    return mean(found)


def _shifted(values: Floats, shift: int) -> Floats:
    """Row i holds what was in row i + shift; NaN beyond the ends."""
    moved = np.full(len(values), np.nan)
    rows = np.arange(len(values)) + shift
    inside = (rows >= 0) & (rows < len(values))
    moved[inside] = values[rows[inside]]
    return moved
