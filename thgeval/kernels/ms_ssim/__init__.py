"""Structural similarity of frames over several scales.

    ms_ssim = ssim_M ^ w_M · Π_{j < M} cs_j ^ w_j

per channel, then the mean over channels; ssim and cs are SSIM's mean and mean contrast-structure term on scale j, each
clamped at 0. Scale j + 1 is scale j averaged over 2 × 2 pixels; an odd side is first given a row or column of zeros
before it, which counts in the mean.

Frames   (frames, height, width) or (frames, height, width, 3), uint8, float32 or float64; both sides alike. The
         shorter side has to exceed (window - 1) · 2^(scales - 1): 160 px with the usual 11 px and 5 scales.
Range    [0, 1], no unit; equal frames score exactly 1.
Order    as SSIM's, then scales from fine to coarse: a frame's score doesn't depend on its neighbours in the batch.
         Within 5e-5 of a float64 computation.
Places   memory, or a graphics card: see ``thgeval.kernels.places``.
Errors   ProtocolError for parameters and types; InputError (``too small``, ``shape mismatch``) for frames.
Source   Wang, Simoncelli, Bovik, Asilomar 2003, equation 7 and its weights; clamping and halving as in
         ``pytorch_msssim`` 1.0, which the talking-head papers use.
"""

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels.ms_ssim import cpu
from thgeval.kernels.places import loops
from thgeval.kernels.ssim import Frames, Windows, checked

__all__ = ["WEIGHTS", "ms_ssim"]

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, fine to coarse, as Wang et al. fitted them."""


def ms_ssim(
    *,
    generated: Frames,
    reference: Frames,
    peak: float,
    weights: tuple[float, ...] = WEIGHTS,
    **windows: Any,
) -> NDArray[np.float64]:
    """MS-SSIM of each frame, channels averaged: (frames,), in [0, 1]; the other keywords are fields of ``Windows``."""
    through = Windows(**windows)
    if not weights or not all(0 < weight < inf for weight in weights):
        raise ProtocolError(f"MS-SSIM needs one positive weight per scale, not {weights}")
    scales = len(weights)
    limit_px = (through.window - 1) * 2 ** (scales - 1)
    sides = checked(
        generated=generated,
        reference=reference,
        smallest_px=limit_px + 1,
        why=f"MS-SSIM halves them {scales - 1} times and its window is {through.window} px wide",
    )
    found: NDArray[np.float64] = loops(cpu, *sides).products(*sides, weights, through.taps, through.constants(peak))
    return found
