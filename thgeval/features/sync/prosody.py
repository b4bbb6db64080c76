"""When speech is stressed: onsets of syllables and peaks of energy, on a grid of 25 per second.

Event k is at k / 25 s: librosa's onset strength (medians over 128 mel bands of what their decibels rise by) or root
mean square, both of windows centred at 40 ms steps, at peaks that reach the 70th percentile of the clip and are 200 ms
apart or more.

Source: metrics/pbas/prosodic_extractor.py of nachovigilante/talking-head-metrics at d236adb, with librosa 0.11. Its
pitch accents and prominences rest on Praat's pitch, a program of its own, and are left out.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from thgeval.feature import Grain, feature
from thgeval.features.sync.speech import speech
from thgeval.kernels.mel import RATE_HZ

Floats = NDArray[np.float64]

GRID_HZ = 25
HOP = RATE_HZ // GRID_HZ
POINTS, BANDS = 2048, 128
LEAST_POWER, DYNAMIC_DB = 1e-10, 80.0
PERCENTILE, APART = 70, 5
LINEAR_HZ, LINEAR_MEL, STEPS_PER_E = 1000.0, 15.0, 27 / np.log(6.4)
"""Where Slaney's scale of mel turns from linear, and how many of its steps stand for a factor of e above."""


def onsets(samples: Floats) -> Floats:
    """Onset strength at 25 per second: (1 + samples // 640,), 0 where nothing is heard to rise."""
    rises = np.maximum(np.diff(_decibels(samples), axis=0), 0)
    early = POINTS // (2 * HOP) + 1
    return np.concatenate([np.zeros(early), np.median(rises, axis=1)])[: 1 + len(samples) // HOP]


def energies(samples: Floats) -> Floats:
    """Root mean square of 80 ms at 25 per second: (1 + samples // 640,)."""
    return np.asarray(np.sqrt((_windows(samples, 2 * HOP) ** 2).mean(axis=1)))


EVENTS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType({"onset": onsets, "energy": energies})


@feature(speech(), version=1, grain=Grain.CLIP)
def stresses(samples: NDArray[np.float32], *, events: str = "onset") -> NDArray[np.int64]:
    """When one of ``EVENTS`` peaks, in steps of 40 ms: (events,)."""
    from scipy.signal import find_peaks  # takes half a second to import

    strength = EVENTS[events](samples.astype(np.float64))
    return np.asarray(find_peaks(strength, distance=APART, height=np.percentile(strength, PERCENTILE))[0], np.int64)


def _windows(samples: Floats, width: int) -> Floats:
    """Samples around every step, silent beyond either end: (1 + samples // 640, width)."""
    padded = np.pad(samples, width // 2)
    padded = np.pad(padded, (0, max(0, width - len(padded))))
    return np.lib.stride_tricks.sliding_window_view(padded, width)[::HOP][: 1 + len(samples) // HOP]


def _decibels(samples: Floats) -> Floats:
    """Mel energies of a whole clip in dB, none more than 80 below the loudest: (steps, 128)."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(POINTS) / POINTS)
    power = np.abs(rfft(_windows(samples, POINTS) * hann, axis=1)) ** 2 @ _filters().T
    found = 10 * np.log10(np.maximum(power, LEAST_POWER))
    return np.asarray(np.maximum(found, found.max() - DYNAMIC_DB))


@cache
def _filters() -> Floats:
    """Triangles of equal area on Slaney's scale, 0 to 8000 Hz: (128, 1025)."""
    top = LINEAR_MEL + STEPS_PER_E * np.log(RATE_HZ / 2 / LINEAR_HZ)
    mels = np.linspace(0, top, BANDS + 2)
    corners = np.where(
        mels < LINEAR_MEL, mels * LINEAR_HZ / LINEAR_MEL, LINEAR_HZ * np.exp((mels - LINEAR_MEL) / STEPS_PER_E)
    )
    frequencies = np.linspace(0, RATE_HZ / 2, POINTS // 2 + 1)
    rising = (frequencies - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - frequencies) / np.diff(corners)[1:, None]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * (2 / (corners[2:] - corners[:-2]))[:, None])
