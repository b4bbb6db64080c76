"""How far the mouth is open: the distance of the inner lips in the middle over the distance of the outer eye corners.

The middle pair alone says it as well as the mean of the three pairs of the inner lips, and its scale is nearer to the
truth (``benchmarks/faces.py``).
"""

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import derived_from
from thgeval.features.faces.people import shapes

UPPER, LOWER = 62, 66


@derived_from(shapes, version=1)
def mouth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Aperture of the mouth in eye distances: (frames, people), 0 closed, NaN where there is no face."""
    gap, unit = points[..., LOWER, :] - points[..., UPPER, :], points[..., 45, :] - points[..., 36, :]
    return np.asarray(np.linalg.norm(gap, axis=-1) / np.linalg.norm(unit, axis=-1))
