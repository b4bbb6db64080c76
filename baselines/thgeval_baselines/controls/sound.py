"""What sound alone can suffer: (samples,) float32 in, as many out."""

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError

Samples = NDArray[np.float32]
PIECE_S = 0.4


def in_pieces(samples: Samples, *, rate_hz: int, seed: int, seconds: float = PIECE_S) -> Samples:
    """The same sound in pieces, none of which stays in its place; the order follows from a seed.

    Raises ``ProtocolError`` for sound of less than two pieces.
    """
    size = round(seconds * rate_hz)
    count = len(samples) // size
    if count < 2:
        raise ProtocolError(
            f"sound of {len(samples) / rate_hz:g} s has no two pieces of {seconds:g} s, use a longer clip"
        )
    pieces = np.array_split(samples[: count * size], count)
    order = np.random.default_rng(seed).permutation(count)
    turned = np.empty(count, int)
    turned[order] = np.roll(order, 1)  # one cycle through all of them
    return np.concatenate([*(pieces[number] for number in turned), samples[count * size :]])


def as_long(samples: Samples, count: int) -> Samples:
    """Sound cut, or repeated, to so many samples."""
    return np.resize(samples, count).astype(np.float32) if len(samples) else np.zeros(count, np.float32)
