"""How far frames are from each other, pixel by pixel: the sums behind L1, MSE, PSNR and frame-to-frame change.

Frames   (frames, ...), uint8, float32 or float64; both sides alike in shape and type. Views are copied only where
         their memory isn't in order.
Returns  float64 sums per frame over all pixels and channels, in the frames' own units (squared for squares); ``count``
         is the number of values in one frame, so a mean is a division away.
Order    uint8 is widened before it is subtracted and summed in integers: sums are exact. Floats are subtracted in
         float64 and summed in blocks of 4096 values, then over blocks: within 1e-9 of the exact sum, and the same
         whatever else is in the batch.
Places   memory, or a graphics card (see ``thgeval.kernels.places``), where floats are summed in a tree instead.
Wrapped  ``wrapped_absolute`` and ``wrapped_squared`` give what ``a - b`` and ``(a - b) ** 2`` give on uint8 arrays,
         where both operations wrap modulo 256: not a distance, but what several published scripts compute.
Errors   ProtocolError for types; InputError (``shape mismatch``) for frames.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.difference import cpu
from thgeval.kernels.places import in_order, loops, readable

__all__ = ["Errors", "errors", "frame_change", "wrapped_absolute", "wrapped_squared"]

Frames = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Errors:
    """Sums of absolute and of squared differences, float64 (frames,), over ``count`` values per frame."""

    absolute: NDArray[np.float64]
    squared: NDArray[np.float64]
    count: int


def errors(*, generated: Frames, reference: Frames) -> Errors:
    """Absolute and squared differences of each generated frame from its reference frame, in one pass."""
    generated_rows, reference_rows = _rows(generated, reference)
    absolute, squared = loops(cpu, generated_rows).errors(generated_rows, reference_rows)
    return Errors(absolute, squared, generated_rows.shape[1])


def frame_change(*, previous: Frames, current: Frames) -> Errors:
    """Absolute and squared differences of each frame from the one before it: `errors` of one clip with itself."""
    return errors(generated=current, reference=previous)


def wrapped_absolute(*, generated: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Sums of ``generated - reference`` modulo 256: (frames,)."""
    return _wrapped(generated, reference)[0]


def wrapped_squared(*, generated: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Sums of ``(generated - reference) ** 2``, difference and square each modulo 256: (frames,)."""
    return _wrapped(generated, reference)[1]


def _rows(generated: Frames, reference: Frames) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both sides as (frames, values), if they fit each other."""
    loops(cpu, generated, reference)  # refuses sides that lie in two places
    generated, reference = readable(generated), readable(reference)
    if generated.dtype != reference.dtype or generated.dtype not in (np.uint8, np.float32, np.float64):
        raise ProtocolError(
            f"both sides must be uint8, float32 or float64 alike, not {generated.dtype} and {reference.dtype}"
        )
    if generated.shape != reference.shape or generated.ndim < 2:
        raise InputError(
            f"frames of shape {generated.shape} can't be compared with frames of shape {reference.shape}; bring both "
            "to one size and length first",
            reason="shape mismatch",
        )
    rows = (generated.shape[0], int(np.prod(generated.shape[1:])))
    return in_order(generated).reshape(*rows), in_order(reference).reshape(*rows)


def _wrapped(
    generated: NDArray[np.uint8], reference: NDArray[np.uint8]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Absolute and squared sums of both sides, modulo 256."""
    for side in (readable(generated), readable(reference)):
        if side.dtype != np.uint8:
            raise ProtocolError(f"arithmetic modulo 256 needs uint8 frames, not {side.dtype}")
    rows = _rows(generated, reference)
    absolute, squared = loops(cpu, *rows).wrapped(*rows)
    return absolute, squared
