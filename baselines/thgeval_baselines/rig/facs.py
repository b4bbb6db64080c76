"""Facial action units of ARKit's actions: which muscles of the face the rig's curves stand for.

ARKit's makers don't say so themselves; the pairs below are the customary ones of its names with those of the Facial
Action Coding System. A unit is as strong as its strongest action; lips part where the jaw drops further than the mouth
is kept shut, or where a lip is raised or lowered.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from thgeval.features.faces.facs import OPENFACE
from thgeval_baselines.rig.model import rig

UNITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "AU01": ("browInnerUp",),
        "AU02": ("browOuterUpLeft", "browOuterUpRight"),
        "AU04": ("browDownLeft", "browDownRight"),
        "AU05": ("eyeWideLeft", "eyeWideRight"),
        "AU06": ("cheekSquintLeft", "cheekSquintRight"),
        "AU07": ("eyeSquintLeft", "eyeSquintRight"),
        "AU09": ("noseSneerLeft", "noseSneerRight"),
        "AU10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
        "AU12": ("mouthSmileLeft", "mouthSmileRight"),
        "AU14": ("mouthDimpleLeft", "mouthDimpleRight"),
        "AU15": ("mouthFrownLeft", "mouthFrownRight"),
        "AU17": ("mouthShrugLower",),
        "AU18": ("mouthPucker",),
        "AU20": ("mouthStretchLeft", "mouthStretchRight"),
        "AU23": ("mouthPressLeft", "mouthPressRight"),
        "AU25": ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
        "AU26": ("jawOpen",),
        "AU28": ("mouthRollLower", "mouthRollUpper"),
        "AU45": ("eyeBlinkLeft", "eyeBlinkRight"),
    }
)
PARTED, PRESENT, STRONGEST = 0.3, 0.2, 5.0
"""``jawOpen`` that parts the lips wholly; strength from which a unit is there; intensity of a curve that is 1."""


def strengths(actions: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Each unit's strength over time, (frames,) in [0, 1], of curves (frames, 52) in the rig's order."""
    curve = dict(zip(rig().action_names, actions.T, strict=True))
    found = {unit: np.max([curve[name] for name in names], axis=0) for unit, names in UNITS.items()}
    apart = np.clip((curve["jawOpen"] - curve["mouthClose"]) / PARTED, 0, 1)
    return found | {"AU25": np.maximum(found["AU25"], apart)}


def as_openface(actions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Presence (frames, 18) and intensity (frames, 17, without AU28) as a file beside a clip holds them."""
    strong = strengths(actions)
    every = np.stack([strong[unit] for unit in OPENFACE], axis=-1)
    intensity = STRONGEST * np.delete(every, OPENFACE.index("AU28"), axis=1)
    return (every >= PRESENT).astype(np.float64), intensity
