"""The speech of a clip on the clock of its picture, and what can be seen in it: cepstra, mel energies, loudness, voice.

``speech`` starts at the very moment the first video frame is shown. Where the sound starts later, silence stands before
it; where it starts earlier, what is heard before the picture is cut off; both to the nearest sample. Its end is left
where it is: who compares speech with frames takes what both have, and says so. A named driving speech without a picture
of its own is taken to start with the picture.

Voice is told from silence by loudness alone: 30 ms around every 10 ms are voiced where they are louder than both -55
dB of full scale and the clip's loud parts (its 95th percentile) less 30 dB. Pauses shorter than 100 ms belong to the
speech around them, and bursts shorter than 50 ms are dropped. Music counts as voice, and so does noise within 30 dB of
the speech.

Everything has a column every 10 ms, four for each frame at 25 per second; where a column lies is said in
``thgeval.kernels.mel``.

Resampling to 16 kHz is ffmpeg's with its default filter, as in the published programs: flat within 0.1 dB up to 6.5
kHz, 3 dB down at 7.5 kHz; a tone above comes back mirrored, 26 dB down at 8.5 kHz and more than 59 dB from 9 kHz on
(``tests/features/sync/test_speech.py`` holds it to that, from 22 to 48 kHz).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thgeval.clip import Clip
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.offered import sound
from thgeval.kernels import mel
from thgeval.media import audio

HOP_S = mel.HOP / mel.RATE_HZ
VOICE_WINDOW = 480
QUIETEST_DB, BELOW_LOUD_DB, LOUD_PERCENTILE = -55.0, 30.0, 95
SHORTEST_PAUSE, SHORTEST_BURST = 10, 5
"""Columns of 10 ms."""


@feature(sound, version=1, grain=Grain.CLIP)
def speech(source: Clip | Path, *, rate_hz: int = mel.RATE_HZ) -> NDArray[np.float32]:
    """Mono sound from the first video frame on: (samples,) in [-1, 1].

    Raises InputError: "no audio" if there is none, or if it ends before the picture starts.
    """
    heard = audio.decoded_speech(source, rate_hz=rate_hz)
    samples = placed(heard.samples, round(heard.start_s * rate_hz))
    if not len(samples):
        raise InputError(f"{_name(source)}: its sound ends before its picture starts", reason="no audio")
    return samples


@feature(speech(), version=1, grain=Grain.CLIP)
def pcm(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """The speech at 16 kHz as a 16-bit file holds it: rounded to the nearest step, cut off at full scale."""
    return np.asarray(np.clip(np.rint(samples * np.float32(32768)), -32768, 32767), np.int16)


@feature(pcm(), version=1, grain=Grain.CLIP)
def mfcc(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Mel cepstra as python_speech_features gives them by default: (columns, 13)."""
    return mel.mfcc(samples)


@feature(speech(), version=1, grain=Grain.CLIP)
def mel_spectrogram(samples: NDArray[np.float32], *, bands: int = 40, floor: float = 1e-10) -> NDArray[np.float64]:
    """Natural logarithms of mel energies, those below ``floor`` taken for it: (columns, bands)."""
    return mel.log_mel(samples, bands=bands, floor=floor)


@feature(speech(), version=1, grain=Grain.CLIP)
def loudness(samples: NDArray[np.float32], *, window: int = 800) -> NDArray[np.float64]:
    """Root mean square of ``window`` samples around every 10 ms, in [0, 1]: (1 + samples // 160,)."""
    return mel.loudness(samples, window=window)


@feature(loudness(window=VOICE_WINDOW), version=1, grain=Grain.CLIP)
def voice(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether somebody speaks, every 10 ms: (columns,)."""
    return voiced(levels)


def placed(samples: NDArray[np.float32], start: int) -> NDArray[np.float32]:
    """Sound that starts ``start`` samples after the picture, or before it if negative, from the picture's start on."""
    return samples[-start:] if start < 0 else np.pad(samples, (start, 0))


def voiced(levels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which loudnesses (root mean squares of full scale) are voice, as the module says; none of a silent clip."""
    quietest = 10 ** (QUIETEST_DB / 20)
    relative = np.percentile(levels, LOUD_PERCENTILE) * 10 ** (-BELOW_LOUD_DB / 20)
    loud = levels > max(quietest, relative)
    return _without_short(~_without_short(~loud, SHORTEST_PAUSE, inside=True), SHORTEST_BURST, inside=False)


def _without_short(marks: NDArray[np.bool_], shortest: int, *, inside: bool) -> NDArray[np.bool_]:
    """The same marks without runs shorter than ``shortest``; with ``inside``, those at either end are kept."""
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8))).reshape(-1, 2)
    kept = marks.copy()
    for first, end in bounds:
        at_end = first == 0 or end == len(marks)
        if end - first < shortest and not (inside and at_end):
            kept[first:end] = False
    return kept


def _name(source: Clip | Path) -> str:
    return source.name if isinstance(source, Clip) else str(source)
