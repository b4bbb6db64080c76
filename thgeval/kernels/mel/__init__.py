"""Speech as columns of 10 ms: cepstra as SyncNet reads them, logarithms of mel energies, and loudness.

Sound     16 kHz, mono, (samples,). ``mfcc`` takes int16 values as they are (any dtype, not scaled to [-1, 1]: its
          coefficient 0 is the logarithm of an energy); ``log_mel`` and ``loudness`` take [-1, 1].
Columns   column i of ``mfcc`` and ``log_mel`` covers samples 160 i to 160 i + 399, 25 ms from 10 i ms on; the end is
          filled with zeros. There are 1 + ceil((samples - 400) / 160) of them, so n video frames at 25 per second
          (640 n samples) have 4 n - 1. ``loudness`` i is centred at sample 160 i; there are 1 + samples // 160.
Layout    (columns, coefficients), float64.
Places    memory, or a graphics card: see ``thgeval.kernels.places``.
Order     a column never depends on what else is in the clip, beside the sample before it (pre-emphasis).

``mfcc`` is python_speech_features 0.6 at its defaults: pre-emphasis 0.97 with the first sample kept, rectangular
windows, a transform of 512 points, |X|^2 / 512, 26 triangles whose corners are rounded down to bins, exact zeros
replaced by 2^-52, natural logarithm, orthonormal DCT-II, 13 coefficients, lifter 22, and coefficient 0
replaced by the logarithm of the frame's energy.

``log_mel`` has no pre-emphasis, Hann windows (periodic) and triangles that are not rounded to bins; mel is
2595 log10(1 + f / 700) throughout.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.mel import cpu
from thgeval.kernels.places import empty_beside, in_order, loops, on_card, readable

__all__ = ["HOP", "RATE_HZ", "WINDOW", "columns", "filters", "log_mel", "loudness", "mfcc"]

RATE_HZ = 16000
WINDOW, HOP, POINTS = 400, 160, 512
BINS = POINTS // 2 + 1
BANDS, COEFFICIENTS, LIFTER, EMPHASIS = 26, 13, 22, 0.97

Samples = NDArray[np.integer] | NDArray[np.floating]


def columns(samples: int) -> int:
    """How many columns a sound of so many samples has; a short one has one."""
    return 1 + max(0, -(-(samples - WINDOW) // HOP))


def mfcc(samples: Samples) -> NDArray[np.float64]:
    """Mel cepstra of int16 samples, as the module says: (columns, 13)."""
    sound = _sound(samples)
    found: NDArray[np.float64] = empty_beside(sound, (columns(len(sound)), COEFFICIENTS), np.float64)
    loops(cpu, sound).cepstra(sound, EMPHASIS, _rectangle(), *_rounded_filters(), _cosines(), found)
    return found


def log_mel(samples: Samples, *, bands: int = 40, floor: float = 1e-10) -> NDArray[np.float64]:
    """Natural logarithms of mel energies, those below ``floor`` taken for it: (columns, bands)."""
    sound = _sound(samples)
    if not floor > 0:
        raise ProtocolError(f"the floor of a logarithm must be positive, not {floor}")
    found: NDArray[np.float64] = empty_beside(sound, (columns(len(sound)), bands), np.float64)
    loops(cpu, sound).bands(sound, floor, _hann(), *filters(bands), found)
    return found


def loudness(samples: Samples, *, window: int = 800) -> NDArray[np.float64]:
    """Root mean square of ``window`` samples around every 160th; what lies outside the sound is silent: (columns,)."""
    if window < 1:
        raise ProtocolError(f"a window must hold at least one sample, not {window}")
    sound = _sound(samples)
    found: NDArray[np.float64] = empty_beside(sound, (1 + len(sound) // HOP,), np.float64)
    loops(cpu, sound).loudness(sound, window, found)
    return found


def filters(bands: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Triangles in mel from 0 to 8000 Hz: weights (bands, 257), and the first and last + 1 bin of each (bands, 2)."""
    if bands < 1:
        raise ProtocolError(f"there must be at least one band, not {bands}")
    return _triangles(bands)


@cache
def _triangles(bands: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    corners = _corners(bands)
    frequencies = np.arange(BINS) * (RATE_HZ / POINTS)
    rising = (frequencies - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - frequencies) / np.diff(corners)[1:, None]
    weights = np.maximum(0.0, np.minimum(rising, falling))
    if not weights.any(axis=1).all():
        raise ProtocolError(f"{bands} bands are narrower than the bins of a {POINTS}-point transform; choose fewer")
    return weights, _spans(weights)


@cache
def _rounded_filters() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Triangles of python_speech_features: corners at whole bins, (512 + 1) f / 16000 rounded down."""
    corners = np.floor((POINTS + 1) * _corners(BANDS) / RATE_HZ)
    weights = np.zeros((BANDS, BINS))
    for band, (left, peak, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        rising, falling = np.arange(left, peak), np.arange(peak, right)
        weights[band, rising.astype(int)] = (rising - left) / (peak - left)
        weights[band, falling.astype(int)] = (right - falling) / (right - peak)
    return weights, _spans(weights)


def _corners(bands: int) -> NDArray[np.float64]:
    mels = np.linspace(0, 2595 * np.log10(1 + RATE_HZ / 2 / 700), bands + 2)
    return np.asarray(700 * (10 ** (mels / 2595) - 1))


def _spans(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    used = weights > 0
    return np.stack([used.argmax(axis=1), BINS - used[:, ::-1].argmax(axis=1)], axis=1).astype(np.int64)


@cache
def _cosines() -> NDArray[np.float64]:
    """Orthonormal DCT-II and lifter in one matrix: (26, 13)."""
    lifter = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    transform = dct(np.eye(BANDS), type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    return np.ascontiguousarray(transform * lifter)


@cache
def _rectangle() -> NDArray[np.float64]:
    return np.ones(WINDOW)


@cache
def _hann() -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)


def _sound(samples: Samples) -> NDArray[np.float64]:
    """The samples in order: float64 in memory, of their own type on a graphics card, whose loops widen them."""
    samples = readable(samples)
    if samples.ndim != 1:
        raise ProtocolError(f"sound must be mono, (samples,), not {samples.shape}")
    if not len(samples):
        raise InputError("there is no sound to look at: it holds no samples", reason="no audio")
    ordered: NDArray[np.float64] = in_order(samples) if on_card(samples) else np.ascontiguousarray(samples, np.float64)
    return ordered
