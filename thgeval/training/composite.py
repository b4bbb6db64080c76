"""The kernels' sums said in torch's own operations, for every device and type, differentiable as often as one likes.

They are the oracle of the operators' loops, and what runs where there are none.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from thgeval.kernels.ssim import Windows


def pixel_errors(generated: Tensor, reference: Tensor) -> Tensor:
    """Sums of absolute and of squared differences of (frames, values): (frames, 2)."""
    apart = generated - reference
    return torch.stack([apart.abs().sum(1), apart.square().sum(1)], dim=1)


class Weighting(NamedTuple):
    """SSIM's windows in plain numbers: weights along a side, 2 k1², 2 k2² and the factor on variances."""

    taps: tuple[float, ...]
    c1: float
    c2: float
    unbias: float

    @classmethod
    def of(cls, windows: Windows) -> "Weighting":
        """The numbers that the loops take, of a peak of 1."""
        half = tuple(map(float, windows.taps))
        return cls((*half[:0:-1], *half), *map(float, windows.constants(1.0)[1:]))


def scale_terms(
    generated: Tensor, reference: Tensor, peak: float, scales: int, absolute: bool, through: Weighting
) -> Tensor:
    """Terms of (planes, height, width), as ``operators.scale_terms`` has them: (planes, scales [+ 1])."""
    terms = []
    planes = torch.stack([generated, reference]) / peak
    mean_error = (planes[0] - planes[1]).abs().mean((1, 2))
    for scale in range(scales):
        ssim, contrast = _similarity(planes[0], planes[1], through)
        terms.append(contrast if scale < scales - 1 else ssim)
        if scale < scales - 1:
            planes = _halved(planes)
    return torch.stack([*terms, mean_error] if absolute else terms, dim=1)


def _similarity(generated: Tensor, reference: Tensor, through: Weighting) -> tuple[Tensor, Tensor]:
    """Mean SSIM and mean contrast-structure of each plane, of sum and difference as the loops have them."""
    taps, c1, c2, unbias = through
    both, apart = generated + reference, generated - reference
    centre = both.detach().mean((1, 2), keepdim=True)
    sums = both - centre
    mean, square, d, dd = _filtered(torch.cat([sums, sums.square(), apart, apart.square()]), taps).chunk(4)
    together, different = unbias * (square - mean.square()), unbias * (dd - d.square())
    level = (mean + centre).square() + c1
    luminance = (level - d.square()) / (level + d.square())
    contrast = (together - different + c2) / (together + different + c2)
    return (luminance * contrast).mean((1, 2)), contrast.mean((1, 2))


def _filtered(planes: Tensor, taps: tuple[float, ...]) -> Tensor:
    """Windows inside the planes alone: both sides shorter by the window less one.

    Sums of shifted planes and no convolution: cards round what they convolve to ten bits (TF32), and autocast to fewer,
    of which a variance keeps nothing.
    """
    return _along(_along(planes, taps, 1), taps, 2)


def _along(planes: Tensor, taps: tuple[float, ...], axis: int) -> Tensor:
    length = planes.shape[axis] - len(taps) + 1
    total = planes.narrow(axis, 0, length) * taps[0]
    for at, tap in enumerate(taps[1:], 1):
        total = total.add(planes.narrow(axis, at, length), alpha=tap)
    return total


def _halved(planes: Tensor) -> Tensor:
    """Means of 2 x 2 pixels; an odd side first gets zeros before it, which count."""
    down, across = (side % 2 for side in planes.shape[-2:])
    return functional.avg_pool2d(functional.pad(planes, (across, 0, down, 0)), 2)
