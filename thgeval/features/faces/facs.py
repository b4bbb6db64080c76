"""The Facial Action Coding System's units, as features of whole clips give them.

Source: Ekman, Friesen, Hager, "Facial Action Coding System", 2002.
"""

from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ActionUnits(NamedTuple):
    """``presence`` 1 or 0, ``intensity`` 0 to 5: both (frames, people, units), NaN where there is no face."""

    presence: NDArray[np.float64]
    intensity: NDArray[np.float64]


NAMES = MappingProxyType(
    {
        "AU01": "inner brow raiser",
        "AU02": "outer brow raiser",
        "AU04": "brow lowerer",
        "AU05": "upper lid raiser",
        "AU06": "cheek raiser",
        "AU07": "lid tightener",
        "AU09": "nose wrinkler",
        "AU10": "upper lip raiser",
        "AU12": "lip corner puller",
        "AU14": "dimpler",
        "AU15": "lip corner depressor",
        "AU17": "chin raiser",
        "AU18": "lip pucker",
        "AU20": "lip stretcher",
        "AU23": "lip tightener",
        "AU25": "lips part",
        "AU26": "jaw drop",
        "AU28": "lip suck",
        "AU45": "blink",
    }
)

OPENFACE = tuple(name for name in NAMES if name != "AU18")
"""The 18 units that OpenFace 2 tells, in its order; of AU28 it tells no intensity."""
