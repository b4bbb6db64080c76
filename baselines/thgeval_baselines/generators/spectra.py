"""What is heard around each frame of a video: log-mel energies of a fifth of a second before and after it."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from thgeval.features.sync.speech import voiced
from thgeval.kernels import mel

BANDS, EVERY, AROUND = 26, 2, 10
"""Bands of mel, columns of 10 ms that are taken together, and how many of those on either side of the frame."""
COLUMNS = 2 * AROUND + 1
FLOOR = 1e-8
MOST = 4.0


def heard_around(samples: NDArray[np.float32], *, frames: int, fps: Fraction) -> NDArray[np.float32]:
    """Speech (samples,) at 16 kHz that starts with the first frame, as (frames, COLUMNS, BANDS).

    Each band is measured from its mean over what is voice, in its scatter there: another voice and another loudness
    look alike. What lies outside the sound is silence.
    """
    bands = np.maximum(mel.log_mel(samples, bands=BANDS, floor=FLOOR), np.log(FLOOR))
    loud = voiced(mel.loudness(samples, window=480))[: len(bands)]
    voice = bands[: len(loud)][loud] if loud.any() else bands
    level = ((bands - voice.mean(axis=0)) / np.maximum(voice.std(axis=0), 1.0)).clip(-MOST, MOST)
    quiet = ((np.log(FLOOR) - voice.mean(axis=0)) / np.maximum(voice.std(axis=0), 1.0)).clip(-MOST, MOST)
    centres = np.arange(frames) * float(mel.RATE_HZ / mel.HOP / fps) - 0.5 * mel.WINDOW / mel.HOP
    first = np.rint(centres).astype(np.int64)[:, None] + EVERY * np.arange(-AROUND, AROUND + 1)
    found = np.zeros((frames, COLUMNS, BANDS), np.float32)
    for part in range(EVERY):
        at = first + part
        inside = (at >= 0) & (at < len(level))
        found += np.where(inside[..., None], level[at.clip(0, len(level) - 1)], quiet) / EVERY
    return found
