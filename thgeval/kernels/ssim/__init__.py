"""Structural similarity of frames, window by window.

    ssim = l · cs,   l  = (2 µa µb + C1) / (µa² + µb² + C1),
                     cs = (2 σab + C2) / (σa² + σb² + C2),   C1 = (k1 · peak)², C2 = (k2 · peak)²

with weighted means, variances and covariance over each window, averaged over all windows that lie inside the frame.

Frames   (frames, height, width) or (frames, height, width, 3), uint8, float32 or float64; both sides alike. Channels
         are scored apart and averaged. Views are copied only where their memory isn't in order.
Range    [-1, 1], no unit; equal frames score exactly 1.
Windows  ``"gaussian"``: ``window`` × ``window`` weights of standard deviation ``sigma``; ``"uniform"``: equal weights,
         ``sigma`` has no say. ``sample_covariance`` multiplies variances and covariance by N / (N - 1), N = window².
Order    float32 windows, summed along rows, then float64 over rows, strips and channels, always alike: a frame's
         score doesn't depend on its neighbours in the batch. Within 2e-5 of a float64 computation.
Places   memory, or a graphics card (see ``thgeval.kernels.places``), where sums follow columns instead of rows.
Errors   ProtocolError for parameters and types; InputError (``too small``, ``shape mismatch``) for frames.
Source   Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004 (gaussian 11, sigma 1.5, k1 0.01, k2 0.03); the
         uniform 7 × 7 window with sample covariance is scikit-image's default.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import floor, inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, ProtocolError
from thgeval.kernels.places import in_order, loops, readable
from thgeval.kernels.ssim import cpu
from thgeval.parameter import check, parameter

__all__ = ["Terms", "Windows", "checked", "downsample", "downsampling_factor", "ssim", "ssim_terms"]

Frames = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.float64]

_WEIGHTINGS: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.float64]]] = {
    "gaussian": lambda offset_px, sigma: np.exp(-(offset_px**2) / (2 * sigma**2)),
    "uniform": lambda offset_px, sigma: np.ones(offset_px.shape),
}


@dataclass(frozen=True, eq=False)
class Terms:
    """Mean SSIM and mean contrast-structure term of each frame and channel: float64, (frames, channels)."""

    ssim: NDArray[np.float64]
    contrast: NDArray[np.float64]


@dataclass(frozen=True)
class Windows:
    """What SSIM looks through: the side of its windows, their weights and the two stabilising factors."""

    window: int = parameter(
        11, "side of the windows in px; windows that leave the frame are not used", least=3, odd=True
    )
    sigma: float = parameter(1.5, "width of Gaussian weights, their standard deviation in px", above=0)
    k1: float = parameter(0.01, "constant that keeps the fraction of luminances stable, relative to white", above=0)
    k2: float = parameter(0.03, "the same for contrast and structure", above=0)
    weighting: str = parameter("gaussian", "``gaussian``, or ``uniform`` windows without a sigma", of=_WEIGHTINGS)
    sample_covariance: bool = parameter(False, "whether variances are multiplied by N / (N - 1)")

    def __post_init__(self) -> None:
        check(self, "ssim")

    @property
    def taps(self) -> tuple[np.float32, ...]:
        """Weights from the window's centre outwards."""
        return _half_window(self.window, self.sigma, self.weighting)

    def constants(self, peak: float) -> tuple[np.float32, np.float32, np.float32, np.float32]:
        """Peak, 2 k1², 2 k2² and the factor on variances, as the loops take them."""
        if not 0 < peak < inf:
            raise ProtocolError(f"SSIM needs the value of white as a positive peak, not {peak}")
        unbias = self.window**2 / (self.window**2 - 1) if self.sample_covariance else 1.0
        return np.float32(peak), np.float32(2 * self.k1**2), np.float32(2 * self.k2**2), np.float32(unbias)


@lru_cache(maxsize=64)
def _half_window(window: int, sigma: float, weighting: str) -> tuple[np.float32, ...]:
    """Weights on a grid of 2⁻²⁴ that add up to exactly 1, so that float32 filters constant planes without error."""
    weights = _WEIGHTINGS[weighting](np.arange(window, dtype=np.float64) - window // 2, sigma)
    units = np.rint(weights / weights.sum() * 2**24).astype(np.int64)
    units[window // 2] += 2**24 - units.sum()
    return tuple(np.float32(unit / 2**24) for unit in units[window // 2 :])


def checked(*, generated: Frames, reference: Frames, smallest_px: int, why: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both sides with their memory in order, if they fit each other and no side is shorter than ``smallest_px``."""
    loops(cpu, generated, reference)  # refuses sides that lie in two places
    generated, reference = readable(generated), readable(reference)
    if generated.dtype != reference.dtype or generated.dtype not in (np.uint8, np.float32, np.float64):
        raise ProtocolError(
            f"both sides must be uint8, float32 or float64 alike, not {generated.dtype} and {reference.dtype}"
        )
    if generated.ndim not in (3, 4) or (generated.ndim == 4 and generated.shape[3] != 3):
        raise ProtocolError(
            f"frames must be (frames, height, width) or (frames, height, width, 3), not {generated.shape}"
        )
    if generated.shape != reference.shape:
        raise InputError(
            f"generated frames {generated.shape} and reference frames {reference.shape} differ in shape; bring both to "
            "one size and length first",
            reason="shape mismatch",
        )
    height, width = generated.shape[1:3]
    if min(height, width) < smallest_px:
        raise InputError(
            f"frames of {width}x{height} px are too small: {why}, so no side may be shorter than {smallest_px} px",
            reason="too small",
        )
    return in_order(generated), in_order(reference)


def ssim_terms(*, generated: Frames, reference: Frames, peak: float, **windows: Any) -> Terms:
    """Mean SSIM and mean contrast-structure per frame and channel; further keywords are the fields of ``Windows``."""
    through = Windows(**windows)
    side_px = through.window
    sides = checked(
        generated=generated, reference=reference, smallest_px=side_px, why=f"SSIM's window is {side_px} px wide"
    )
    return Terms(*loops(cpu, *sides).terms(*sides, through.taps, through.constants(peak)))


def ssim(*, generated: Frames, reference: Frames, peak: float, **windows: Any) -> NDArray[np.float64]:
    """SSIM of each frame, channels averaged: (frames,), in [-1, 1]; further keywords are the fields of ``Windows``."""
    terms = ssim_terms(generated=generated, reference=reference, peak=peak, **windows)
    means: NDArray[np.float64] = loops(cpu, terms.ssim).channel_means(terms.ssim)
    return means


def downsampling_factor(height: int, width: int) -> int:
    """By how much the authors' MATLAB script shrinks frames before the windows: shorter side / 256, rounded, >= 1."""
    return max(1, floor(min(height, width) / 256 + 0.5))


def downsample(planes: Frames, factor: int) -> NDArray[np.float32] | NDArray[np.float64]:
    """Planes shrunk as the authors' MATLAB script does: mean over factor × factor pixels, then every factor-th one.

    ``planes`` is (frames, height, width); the result (frames, ceil(height / factor), ceil(width / factor)) is float64
    for float64 planes, else float32. The filter mirrors the plane at its borders (edge pixel repeated), and its centre
    lies left of and above the middle for even factors, as with ``imfilter(..., 'symmetric')`` and ``(1:f:end)``.
    """
    planes = readable(planes)
    if planes.ndim != 3:
        raise ProtocolError(f"planes to downsample must be (frames, height, width), not {planes.shape}")
    if not 1 <= factor <= min(planes.shape[1:]):
        raise ProtocolError(f"a downsampling factor of {factor} doesn't fit planes of {planes.shape[1:]} px")
    scaled: NDArray[np.float32] | NDArray[np.float64] = loops(cpu, planes).downsample(in_order(planes), factor)
    return scaled
