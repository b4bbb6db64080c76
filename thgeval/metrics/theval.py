"""THEval's scores: how near a set's number is to that of real videos, and the final score over all eight.

Source: Eq. 12 of THEval, CVPR 2026; theval/scoring.py and examples/gt_metrics.csv of Newbyl/THEval at cfe23fe.
"""

from collections.abc import Mapping
from math import fsum
from types import MappingProxyType

from thgeval.errors import ProtocolError

TRUTH: Mapping[str, float] = MappingProxyType(
    {
        "global-aesthetics-theval": 4.6842,
        "mouth-quality-theval": 23.835,
        "face-quality-theval": 0.4425,
        "lip-dynamics-theval": 1.716603,
        "head-motion-theval": 18.46757,
        "eyebrow-dynamics-theval": 0.006777,
        "silent-lip-stability": 0.0263,
        "lip-sync-theval": 0.2528,
    }
)
"""What the authors found on the real videos of their data set, by metric: all eight of THEval."""


def closeness(value: float, truth: float) -> float:
    """1 at the true value, less by as many times it as they are apart, from -inf: Eq. 12 of the paper."""
    return 1 - abs(value - truth) / abs(truth)


def near_truth(metric: str, value: float) -> str:
    """The score of a set by one metric, in a sentence."""
    truth = TRUTH[metric]
    return f"THEval's score of these clips, against {truth:g} of its real videos: {closeness(value, truth):.4f}"


def final_score(values: Mapping[str, float], truths: Mapping[str, float] = TRUTH) -> float:
    """The mean of the eight scores, up to 1: of values by metric, beside true ones.

    Videos of another data set want the values of its own real videos for ``truths``. Raises ProtocolError if either
    lacks a metric, or a true value is 0.
    """
    if lacking := [name for name in TRUTH if name not in values or name not in truths]:
        raise ProtocolError(f"THEval's final score is of eight metrics; {', '.join(lacking)} has no value")
    if none := [name for name in TRUTH if not truths[name]]:
        raise ProtocolError(f"THEval's score divides by the true value, which is 0 of {', '.join(none)}")
    return fsum(closeness(values[name], truths[name]) for name in TRUTH) / len(TRUTH)
