"""Distances from frames before: those of whole clips, however they are cut."""

import numpy as np
import pytest

from thgeval.features.frames.lagged import lagged
from thgeval.media.frames import FrameBatch
from thgeval.metrics.alignment import TimeAlignment

BAND = 3


def see(pixels, peak):
    return pixels.reshape(len(pixels), -1).astype(np.float32) / peak


def squared(first, second):
    return ((first - second) ** 2).sum(axis=1)


@pytest.mark.parametrize("chunk", [1, 2, 11])
def test_costs_are_those_of_whole_clips(chunk):
    frames = np.random.default_rng(2).random((2, 11, 2, 3, 3))
    rows = []
    for start in range(0, 11, chunk):
        lead = min(start, BAND + 1)  # another metric may ask for more
        pieces = [FrameBatch(side[start - lead : start + chunk], 1.0, start, lead) for side in frames]
        rows.append(lagged(*pieces, band=BAND, see=see))
    whole = TimeAlignment(BAND).costs(*(side.reshape(11, -1) for side in frames), squared)
    np.testing.assert_allclose(np.concatenate(rows), whole, rtol=1e-5)
