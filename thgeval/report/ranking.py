"""Which clips and frames are worst, by the direction of each metric.

Higher is better: the lowest. Lower is better: the highest. Closer to zero: the furthest from it. Closer to the
reference's own value: the furthest from what the same clip's reference scores. A metric without a direction has no
worst. Ties go by clip id, then frame.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from thgeval.metric import Better
from thgeval.report.data import MetricData

FRAMES_PER_CLIP = 2


class WorstFrame(NamedTuple):
    """A frame among the worst of one metric; ``rank`` counts from 1."""

    metric: str
    rank: int
    clip: str
    frame: int
    value: float


def worst_clips(
    values: Mapping[str, float], count: int, *, better: Better, own: Mapping[str, float] | None = None
) -> list[str]:
    """The worst clips, worst first, none of them as good as the best; empty without a direction to tell them by.

    ``values`` are scores by clip, ``own`` what each clip's reference scores.
    """
    rated = [
        (bad, clip)
        for clip, value in values.items()
        if (bad := better.badness(value, (own or {}).get(clip))) is not None
    ]
    best = min((bad for bad, _ in rated), default=0.0)
    worse = [item for item in rated if item[0] > best]
    return [clip for _, clip in sorted(worse, key=lambda item: (-item[0], item[1]))[:count]]


def has_worst_frames(data: MetricData) -> bool:
    """Whether a single frame can be called bad: it is compared with its reference, and up or down is better."""
    compares = data.metric is not None and data.metric.needs.compares
    return compares and data.score.better in (Better.HIGHER, Better.LOWER)


def worst_frames(data: MetricData, count: int) -> list[WorstFrame]:
    """The worst frames of all clips, worst first, at most two of one clip."""
    sign = -1.0 if data.score.better is Better.HIGHER else 1.0
    candidates: list[tuple[float, str, int, float]] = []
    for curve in data.curves.values():
        used = np.flatnonzero(~np.isnan(curve.values)) if curve.by_frame else np.empty(0, np.intp)
        order = used[np.argsort(-sign * curve.values[used], kind="stable")][:FRAMES_PER_CLIP]
        candidates += [
            (-sign * float(curve.values[at]), curve.clip, curve.first + int(at), float(curve.values[at]))
            for at in order
        ]
    chosen = sorted(candidates)[:count]
    return [
        WorstFrame(data.score.key, rank, clip, frame, value) for rank, (_, clip, frame, value) in enumerate(chosen, 1)
    ]
