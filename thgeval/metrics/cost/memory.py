"""Memory that generation takes: at its peak, and for the weights alone."""

import math
from dataclasses import dataclass

from thgeval.metrics.cost.card import CardMetric

MEGABYTE = 1e6


@dataclass(frozen=True)
class PeakMemory(CardMetric):
    """How much memory the generator takes at its peak.

    Reads    the timing record beside each generated clip: ``peak_memory_bytes``, and the conditions
    Returns  the peak of each clip's making, mean over clips: in MB of a million bytes, above 0; clips made under
             different conditions give no number
    Source   common practice of papers that report cost; ``thgeval baseline run`` records the peak resident set of the
             process that generates, and of its children
    Departs  nothing; memory of a graphics card is what the record's author counted, which ``timed`` may say
    """

    name = "peak-memory"
    version = 1
    unit = "MB"
    range = (0.0, math.inf)
    cites = ("liveavatar2025",)
    fact, scale = "peak_memory_bytes", MEGABYTE


@dataclass(frozen=True)
class WeightsSize(CardMetric):
    """How large the generator's weights are.

    Reads    the timing record beside each generated clip: ``weights_bytes``, and the conditions
    Returns  bytes of the files that it loads, mean over clips: in MB of a million bytes, from 0, for a generator
             without weights
    Source   common practice of papers that report cost; the bytes on disk, which other number formats halve
    Departs  from tables that count parameters: those say nothing of the format
    """

    name = "weights-size"
    version = 1
    unit = "MB"
    range = (0.0, math.inf)
    cites = ("liveavatar2025",)
    fact, scale = "weights_bytes", MEGABYTE
