"""Feature similarity (FSIM) of two frames, on luma alone and with colour (FSIMc).

Contract of every device's ``similarity``
    generated, reference   (frames, height, width, 3) red-green-blue of equal shape; uint8, float32 or float64
    peak                   value of white, scaled to 255 because the constants below are on that scale
    returns                two (frames,) float64 arrays in [0, 1], exactly 1 for equal frames
                           FSIMc is FSIM on grey frames, up to rounding
    places                 memory, or a graphics card: see ``thgeval.kernels.places``
    a frame's value depends on nothing but the two frames; its sums are float64 in row order, on a card in a tree
    NaN where no pixel of either frame has any congruency, as in two constant frames: all weights of the mean are zero

    1. Luma and the two chroma planes of YIQ, averaged over squares of F px and decimated by F, where F is the shorter
       side over 256, rounded half up, at least 1. Squares reach over the border into zeros where MATLAB's
       ``conv2(..., "same")`` has them do so, which is for F of 3 and more, or sizes that F does not divide.
    2. Phase congruency of luma after Kovesi, ``phasecong2``: log-Gabor filters of 4 scales and 4 orientations, the
       energy above the noise expected from the median response of the smallest scale, over the sum of amplitudes.
    3. Gradient magnitude of luma by Scharr's operator, over zeros outside the frame.
    4. Similarities (2 a b + T) / (a a + b b + T): 0.85 for congruency, 160 for gradients, 200 for either chroma plane.
    5. The mean of their product, weighted by the greater congruency; for FSIMc the product of the chroma similarities
       to the power of 0.03 is another factor, the real part where it is negative.

Where the authors' program and the paper leave something open, this is the program (``FeatureSIM.m``, version 1.0). It
divides 0 by 0 for frames without any response; here such a frame has no congruency.

Sources: Zhang, Zhang, Mou and Zhang, "FSIM: A Feature Similarity Index for Image Quality Assessment", IEEE TIP 20(8),
2011; Kovesi, "Image Features from Phase Congruency", Videre 1(3), 1999.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.fsim import cpu
from thgeval.kernels.places import loops, readable

_LEAST_PX = 2


@dataclass(frozen=True, eq=False)
class Similarity:
    """Both readings of one computation, (frames,) float64 each."""

    fsim: NDArray[np.float64]
    fsimc: NDArray[np.float64]


def similarity(*, generated: NDArray[Any], reference: NDArray[Any], peak: float) -> Similarity:
    """FSIM and FSIMc of each pair of frames.

    Frames are (frames, height, width, 3), red-green-blue from 0 to ``peak``; a pair that is not finite gets NaN.
    Raises ``InputError`` for frames that differ in shape or are narrower than 2 px, and ``ProtocolError`` for arrays
    that are not frames.
    """
    place, generated, reference = loops(cpu, generated, reference), readable(generated), readable(reference)
    _check(generated, reference, peak)
    return Similarity(*place.similarity(generated=generated, reference=reference, peak=peak))


def fsim(
    *, generated: NDArray[Any], reference: NDArray[Any], peak: float, chromatic: bool = False
) -> NDArray[np.float64]:
    """FSIMc where ``chromatic``, else FSIM: (frames,), in [0, 1], higher is more alike; the rest as ``similarity``."""
    both = similarity(generated=generated, reference=reference, peak=peak)
    return both.fsimc if chromatic else both.fsim


def _check(generated: NDArray[Any], reference: NDArray[Any], peak: float) -> None:
    for name, frames in (("generated", generated), ("reference", reference)):
        known = frames.dtype in (np.uint8, np.float32, np.float64)
        if frames.ndim != 4 or frames.shape[-1] != 3 or not known:
            raise ProtocolError(
                f"fsim reads {name} frames as (frames, height, width, 3) in uint8, float32 or float64, "
                f"not {frames.dtype} of shape {frames.shape}."
            )
    if not peak > 0:
        raise ProtocolError(f"fsim needs the value of white as a positive peak, not {peak}.")
    if generated.shape != reference.shape:
        raise InputError(
            f"fsim compares as many frames of the same size on both sides, not generated {generated.shape} with "
            f"reference {reference.shape}: cut or resize one of the clips first.",
            reason="shape mismatch",
        )
    if min(generated.shape[1:3]) < _LEAST_PX:
        raise InputError(
            f"fsim needs frames of at least {_LEAST_PX}x{_LEAST_PX} px, not {generated.shape[2]}x{generated.shape[1]}: "
            f"score the clip at a larger size, or leave fsim out.",
            reason="too small",
        )
