"""What a metric remembers between measuring and scoring.

A state keeps a record per clip and is reduced once, in the order of clip ids. Adding two states only puts records
side by side, so that chunks, workers, shards, resumed runs and resampled sets of clips are all plain sums, in any
order, with identical bits. Records stay small: per-frame values, a pair of counts, or feature rows.

A frame without a value (an exactly reproduced frame has no PSNR) is left out of means and counted under its reason.
"""

from thgeval.states.correlated import Correlated
from thgeval.states.counts import Counts
from thgeval.states.framewise import (
    IDENTICAL,
    ByTrack,
    ClipError,
    ClipMean,
    Framewise,
    PooledMean,
    PooledRoot,
    PooledTracks,
    TimedValues,
    TrackMean,
)
from thgeval.states.rows import Rows, TwoRows, TwoSets
from thgeval.states.state import Part, State, mean

__all__ = [
    "IDENTICAL",
    "ByTrack",
    "ClipError",
    "ClipMean",
    "Correlated",
    "Counts",
    "Framewise",
    "Part",
    "PooledMean",
    "PooledRoot",
    "PooledTracks",
    "Rows",
    "State",
    "TimedValues",
    "TrackMean",
    "TwoRows",
    "TwoSets",
    "mean",
]
