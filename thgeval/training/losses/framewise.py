"""Losses of frames: the metrics' own numbers, turned so that less is better.

A loss takes what its metric takes, by the same names, and gives one scalar: the mean over frames of 1 - value where 1
is best (``SSIMLoss``, ``MSSSIMLoss``), of the negative value where more is better without end (``PSNRLoss``), of the
value itself where less is better. Frames may leave their range, as a generator's do early on; nothing is clamped.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from thgeval.errors import ProtocolError
from thgeval.kernels.ssim import Windows
from thgeval.metric import Better
from thgeval.registry import metric_class
from thgeval.training.tensors import DataRange, FramePair, both_sides, checked_layout, stated
from thgeval.training.values import differentiable, per_frame, structure


class FrameLoss(nn.Module):
    """The loss that belongs to a metric; subclasses name it.

    ``data_range`` and ``layout`` are those of ``thgeval.training.tensors``; ``parameters`` the metric's fields, at
    their defaults unless given. Raises ProtocolError for fields under which the metric can't be differentiated.
    """

    key: ClassVar[str]

    def __init__(
        self,
        *,
        data_range: DataRange = None,
        layout: str | None = None,
        floor: Mapping[str, float] = MappingProxyType({}),
        **parameters: Any,
    ) -> None:
        super().__init__()
        cls = metric_class(self.key)
        if unknown := parameters.keys() - cls.parameters().keys():
            raise ProtocolError(f"{self.key} has no parameter {', '.join(sorted(unknown))}")
        self.metric = cls.configured(parameters)
        if not differentiable(self.metric):
            raise ProtocolError(f"{self.key} can't be differentiated with {parameters}")
        self.per_frame = per_frame(self.metric, **floor)
        self.data_range, self.layout = stated(data_range), checked_layout(layout)

    def forward(self, generated: Tensor, reference: Tensor) -> Tensor:
        """The loss of a batch: a scalar."""
        pair = both_sides(generated, reference, self.data_range, self.layout)
        return turned(self.per_frame(*pair.of_frames(), pair.peak).mean(), self.metric, pair)


def turned(value: Tensor, metric: Any, pair: FramePair) -> Tensor:
    """A metric's mean as a loss, in the type of the frames."""
    if metric.better is Better.HIGHER:
        best = metric.range[1]
        value = (best if best == 1 else 0.0) - value
    return value.to(_type(pair))


def _type(pair: FramePair) -> torch.dtype:
    """That of the frames; of bytes float32."""
    return pair.generated.dtype if pair.generated.is_floating_point() else torch.float32


class PSNRLoss(FrameLoss):
    """Negative decibels; ``floor`` is the least mean squared error, where white is 1, so that copies have a value."""

    key = "psnr"

    def __init__(self, *, floor: float = 1e-10, **how: Any) -> None:
        super().__init__(floor={"floor": floor}, **how)


class L1Loss(FrameLoss):
    """Mean absolute error, where white is 1."""

    key = "l1"


class MSELoss(FrameLoss):
    """Mean squared error, where white is 1."""

    key = "mse"


class SSIMLoss(FrameLoss):
    """1 - SSIM, of luma unless ``colour="rgb"``."""

    key = "ssim"


class MSSSIMLoss(FrameLoss):
    """1 - MS-SSIM, of red, green and blue apart.

    A scale's term below ``floor`` counts as ``floor`` and has no gradient: the power of a number near 0 has one without
    bounds, and of a negative number no value at all.
    """

    key = "ms-ssim"

    def __init__(self, *, floor: float = 1e-4, **how: Any) -> None:
        super().__init__(floor={"floor": floor}, **how)


class L1SSIMLoss(nn.Module):
    """(1 - weight) · L1 + weight · (1 - SSIM), both of red, green and blue, out of one pass over the frames.

    ``weight`` is 0.2 in Kerbl et al., 3D Gaussian Splatting, ACM TOG 2023. ``windows`` are SSIM's, by name.
    """

    def __init__(
        self, *, data_range: DataRange = None, layout: str | None = None, weight: float = 0.2, **windows: Any
    ) -> None:
        super().__init__()
        if not 0 <= weight <= 1:
            raise ProtocolError(f"weight is SSIM's share of the loss, from 0 to 1, not {weight}")
        self.data_range, self.layout, self.weight = stated(data_range), checked_layout(layout), weight
        self.terms = structure(1, Windows(**windows), absolute=True)

    def forward(self, generated: Tensor, reference: Tensor) -> Tensor:
        """The loss of a batch: a scalar."""
        pair = both_sides(generated, reference, self.data_range, self.layout)
        ssim, absolute = self.terms(*pair.of_frames(), pair.peak).mean((0, 1))
        loss: Tensor = (1 - self.weight) * absolute + self.weight * (1 - ssim)
        return loss.to(_type(pair))
