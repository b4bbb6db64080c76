"""Differences of angles."""

import numpy as np
from numpy.typing import NDArray


def wrapped(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees brought to [-180, 180) by whole turns."""
    return np.asarray((degrees + 180.0) % 360.0 - 180.0)
