"""How the sums of absolute and of squared differences change with each generated value."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.jit import jit


@jit(fastmath=True)
def gradient(
    generated: NDArray[Any], reference: NDArray[Any], absolute: NDArray[Any], squared: NDArray[Any], out: NDArray[Any]
) -> None:
    """Into ``out``: absolute · sign(a - b) + 2 squared · (a - b), for (frames, values) sides and (frames,) weights.

    The weights have the type of the sides. Where a = b, the absolute difference has the gradient 0.
    """
    for frame in range(generated.shape[0]):
        of_absolute = absolute[frame]
        of_squared = squared[frame] + squared[frame]
        for i in range(generated.shape[1]):
            apart = generated[frame, i] - reference[frame, i]
            sign = np.float32(apart > 0) - np.float32(apart < 0)
            out[frame, i] = of_absolute * sign + of_squared * apart


@jit()
def add_signs(generated: NDArray[Any], reference: NDArray[Any], weight: Any, out: NDArray[Any]) -> None:
    """Add weight · sign(a - b) to ``out``; all are (values,) of one type."""
    for i in range(out.size):
        apart = generated[i] - reference[i]
        out[i] += weight * (np.float32(apart > 0) - np.float32(apart < 0))
