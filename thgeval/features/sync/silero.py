"""Voice told from silence by Silero VAD, as THEval's programs have it; see ``thgeval_models.silero``.

A stretch of speech begins with a window of 32 ms whose probability reaches 0.5, and ends with the first of a run below
0.35 that lasts 100 ms and more; stretches of 250 ms and less are dropped, the others widened by 30 ms, or by half of
the silence between two of them. Bounds are rounded to tenths of a second, as ``return_seconds`` of the package does.

Source: silero-vad 5.1.2, ``get_speech_timestamps``.
"""

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Grain, feature
from thgeval.features.sync.speech import HOP_S, speech
from thgeval.kernels.mel import RATE_HZ
from thgeval.networks import TORCH
from thgeval.networks.memory import read_once
from thgeval.requirements import Weights

SILERO = "silero-vad"
WINDOW = 512
ENTER, LEAVE = 0.5, 0.35
LEAST_SPEECH, LEAST_SILENCE, WIDER = 4000, 1600, 480
"""Samples."""


@feature(speech(), version=1, grain=Grain.CLIP, requires=(TORCH, Weights(SILERO)))
def silero_voice(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether somebody speaks, every 10 ms: (columns,)."""
    from thgeval_models import silero

    tensors = read_once(SILERO, silero.load)
    marks = np.zeros(1 + int(len(samples) / RATE_HZ / HOP_S), np.bool_)
    for first, end in stretches(silero.probabilities(tensors, samples), len(samples)):
        bounds = (round(round(bound / RATE_HZ, 1) / HOP_S) for bound in (first, end))
        marks[slice(*bounds)] = True
    return marks


def stretches(probabilities: NDArray[np.float32], samples: int) -> list[tuple[int, int]]:
    """The first and the end sample of each stretch of speech, widened."""
    found = [(first, end) for first, end in _runs(probabilities, samples) if end - first > LEAST_SPEECH]
    starts, ends = (np.array(side, np.int64) for side in zip(*found, strict=True)) if found else np.empty((2, 0), int)
    gaps = starts[1:] - ends[:-1]
    wider = np.where(gaps < 2 * WIDER, gaps // 2, WIDER)
    starts = starts - np.concatenate([[WIDER], wider])[: len(starts)]
    ends = ends + np.concatenate([wider, [WIDER]])[: len(ends)]
    pairs = zip(np.maximum(starts, 0).tolist(), np.minimum(ends, samples).tolist(), strict=True)
    return [(int(first), int(end)) for first, end in pairs]


def _runs(probabilities: NDArray[np.float32], samples: int) -> list[tuple[int, int]]:
    """Stretches as they are found, window by window; the last may reach the end."""
    found: list[tuple[int, int]] = []
    begun, quiet = -1, -1
    for window, probability in enumerate(probabilities.tolist()):
        place = window * WINDOW
        if probability >= ENTER:
            begun, quiet = (place if begun < 0 else begun), -1
        elif probability < LEAVE and begun >= 0:
            quiet = place if quiet < 0 else quiet
            if place - quiet >= LEAST_SILENCE:
                found.append((begun, quiet))
                begun, quiet = -1, -1
    return [*found, (begun, samples)] if begun >= 0 else found
