"""The log-Gabor filters of FSIM's phase congruency, in the frequency domain, and what noise does to them.

Frequencies are in cycles per pixel, from -0.5 to 0.5 and zero first, as the transforms have them; for an odd size the
authors' grid ends at 0.5 and spaces its frequencies by 1 / (size - 1). Filters are real and gather one side of the
spectrum, so that a response's real part is even and its imaginary part odd.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FILTER_SCALES = 4
ORIENTATIONS = 4
_SHORTEST_WAVE_PX = 6
_WAVE_RATIO = 2
_SIGMA_ON_F = 0.55
_ANGLE_ON_SIGMA = 1.2
_LOWPASS_CUTOFF = 0.45
_LOWPASS_ORDER = 15
_NOISE_SIGMAS = 2.0
_NOISE_OVERESTIMATE = 1.7


@dataclass(frozen=True, eq=False)
class FilterBank:
    """Filters for one size of frame.

    ``weights`` is (orientations, scales, height, width) float32. ``noise`` is one number an orientation: the noise
    threshold on the energy over the square root of the median squared amplitude at the smallest scale.
    """

    weights: NDArray[np.float32]
    noise: tuple[float, ...]


@lru_cache(maxsize=4)
def filter_bank(height: int, width: int) -> FilterBank:
    """The filters for frames of that size; the last four sizes are kept (4 MB for 256 x 256 px)."""
    y, x = np.meshgrid(_frequencies(height), _frequencies(width), indexing="ij")
    radius, angle = np.hypot(x, y), np.arctan2(-y, x)
    lowpass = 1 / (1 + (radius / _LOWPASS_CUTOFF) ** (2 * _LOWPASS_ORDER))
    radius[0, 0] = 1
    weights = np.empty((ORIENTATIONS, FILTER_SCALES, height, width))
    for orientation in range(ORIENTATIONS):
        spread = _spread(angle, orientation * math.pi / ORIENTATIONS)
        for scale in range(FILTER_SCALES):
            centre = 1 / (_SHORTEST_WAVE_PX * _WAVE_RATIO**scale)
            band = np.exp(-(np.log(radius / centre) ** 2) / (2 * math.log(_SIGMA_ON_F) ** 2))
            weights[orientation, scale] = band * lowpass * spread
    weights[:, :, 0, 0] = 0
    single = weights.astype(np.float32)
    single.flags.writeable = False
    return FilterBank(weights=single, noise=tuple(_noise_factor(bank) for bank in weights))


def _frequencies(size: int) -> NDArray[np.float64]:
    span = size - size % 2
    return np.fft.ifftshift((np.arange(size) - size // 2) / span)


def _spread(angle: NDArray[np.float64], direction: float) -> NDArray[np.float64]:
    """How much of each frequency an orientation takes: a Gaussian of the angle between them."""
    sigma = math.pi / ORIENTATIONS / _ANGLE_ON_SIGMA
    apart = np.abs(np.angle(np.exp(1j * (angle - direction))))
    spread: NDArray[np.float64] = np.exp(-(apart**2) / (2 * sigma**2))
    return spread


def _noise_factor(bank: NDArray[np.float64]) -> float:
    """From the median squared amplitude of noise to the energy it may reach, for the filters of one orientation.

    The amplitude of Gaussian noise is Rayleigh distributed: its squared median over ln 2 is its mean square, and energy
    up to ``_NOISE_SIGMAS`` deviations above the mean is noise. The scales respond to the same noise, so their filters'
    products in space add up too. Kovesi divides by 1.7, because that overestimates what noise does to this measure.
    """
    in_space = np.fft.ifft2(bank).real * math.sqrt(bank[0].size)
    products = np.tensordot(in_space, in_space, axes=([1, 2], [1, 2]))
    squares = float(np.trace(products))
    crossed = float(np.triu(products, 1).sum())
    power = 1 / math.log(2) / float(np.sum(bank[0] ** 2))
    rayleigh = math.sqrt(power * (squares + 2 * crossed))
    deviations = math.sqrt(math.pi / 2) + _NOISE_SIGMAS * math.sqrt(2 - math.pi / 2)
    return rayleigh * deviations / _NOISE_OVERESTIMATE
