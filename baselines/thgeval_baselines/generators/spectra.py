"""What is heard around each frame of a video, and what it tells of a mouth.

Heard are log-mel energies of a fifth of a second before and after a frame. An ``Ear`` has learnt from one person's
video, by regression, how measures of the mouth (``Place.spoken``) follow from them. It tells more of speech that it has
learnt from than of any other; who is to learn how far it can be trusted is given what ``told_across`` tells.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from thgeval.features.sync.speech import voiced
from thgeval.kernels import mel

BANDS, EVERY, AROUND = 26, 2, 10
"""Bands of mel, columns of 10 ms that are taken together, and how many of those on either side of the frame."""
COLUMNS = 2 * AROUND + 1
FLOOR = 1e-8
MOST = 4.0
NEAR = 5.0
"""After so many columns from the frame, what is heard counts for 0.6 as much."""
RIDGE = 0.3
LEARNT = 3000
"""Frames that an ear learns from at most, evenly out of more: its cost grows with their cube."""
CHUNK = 1000
FOLDS = 5
"""Parts of the speech that are told by the others."""


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


@dataclass(frozen=True, eq=False)
class Ear:
    """Kernel ridge regression from what is heard around a frame to ``measures`` of a mouth.

    ``known`` (frames, columns * bands) is what was heard, ``weights`` (frames, measures) what follows from each, and
    ``width`` how far two hearings may lie apart (a squared distance) to be alike.
    """

    known: NDArray[np.float32]
    weights: NDArray[np.float32]
    width: float

    @classmethod
    def of(cls, heard: NDArray[np.float32], measures: NDArray[np.float64]) -> "Ear":
        """The ear that hears ``measures`` (frames, n), each around 0, in what is ``heard`` in these frames."""
        some = np.unique(np.linspace(0, len(heard) - 1, LEARNT).astype(np.int64))
        known = _flat(heard[some])
        apart = cdist(known, known, "sqeuclidean")
        width = max(float(np.median(apart)), 1e-6)
        alike = np.exp(-apart / width) + RIDGE * np.eye(len(known))
        weights = scipy.linalg.solve(alike, measures[some], assume_a="pos")
        return cls(known, np.asarray(weights, np.float32), width)

    def told(self, heard: NDArray[np.float32]) -> NDArray[np.float32]:
        """The measures (frames, n) that are heard."""
        parts = [
            np.exp(-cdist(_flat(heard[first : first + CHUNK]), self.known, "sqeuclidean") / self.width) @ self.weights
            for first in range(0, len(heard), CHUNK)
        ]
        return np.concatenate(parts).astype(np.float32)


def told_across(
    heard: NDArray[np.float32], measures: NDArray[np.float64], *, fps: Fraction, parts: int = FOLDS
) -> NDArray[np.float32]:
    """The measures (frames, n) of each of ``parts`` of the speech, told by an ear that has learnt from the others.

    Frames of which a part has heard something count as its own.
    """
    reach = ceil(2 * AROUND * EVERY * mel.HOP / mel.RATE_HZ * fps)
    frames = np.arange(len(heard))
    found = np.zeros(measures.shape, np.float32)
    for part in np.array_split(frames, parts):
        away = (frames < part[0] - reach) | (frames > part[-1] + reach)
        found[part] = Ear.of(heard[away], measures[away]).told(heard[part])
    return found


def _flat(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    near = np.exp(-0.5 * (np.arange(-AROUND, AROUND + 1) / NEAR) ** 2)
    return np.asarray((heard * near[:, None]).reshape(len(heard), -1), np.float32)
