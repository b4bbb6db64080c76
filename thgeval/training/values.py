"""Metrics whose number of a frame can be computed from tensors where they lie, with a gradient.

Each row of ``VALUES`` gives one number per frame under the fields of the metric it stands for, from the kernels that
the metric itself runs (``operators``) or torch's own words for them (``composite``): what ``measure`` keeps, within the
tolerances of the kernels. Where there are no words for a metric or its fields (``differentiable``), ``measure`` alone
knows its number, on the CPU and without a gradient.
"""

from collections.abc import Callable, Mapping
from dataclasses import astuple
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from thgeval.errors import InputError
from thgeval.kernels.luma import RULES
from thgeval.kernels.ms_ssim import WEIGHTS
from thgeval.kernels.ssim import Windows
from thgeval.meter.tally import Exact, Sums
from thgeval.metric import Metric
from thgeval.states import IDENTICAL, ClipMean, PooledMean, State
from thgeval.training import composite, operators

PerFrame: TypeAlias = Callable[[Tensor, Tensor, float], Tensor]
"""From both sides, (frames, channels, height, width) floats, and the value of white to (frames,)."""


def differentiable(metric: Metric[Any]) -> bool:
    """Whether the metric, with these fields, has a number per frame that can be differentiated."""
    return metric.name in VALUES and all(
        getattr(metric, field) in of for field, of in _WORDS[metric.name].items() if hasattr(metric, field)
    )


def per_frame(metric: Metric[Any], **floor: float) -> PerFrame:
    """The metric's number of every frame; made before it is called, so that ``torch.compile`` sees tensors alone.

    ``floor`` is for ``psnr`` (the least mean squared error, where white is 1) and ``ms-ssim`` (the least term of a
    scale): what lies below counts as that, and has no gradient.
    """
    return VALUES[metric.name](metric, **floor)


def _psnr(metric: Any, floor: float = 0.0) -> PerFrame:
    def decibels(generated: Tensor, reference: Tensor, peak: float) -> Tensor:
        error = _errors(generated, reference, peak)[:, 1]
        return torch.log10(error.clamp(min=floor)) * -10

    return decibels


def _errors_times(scale: float, column: int) -> Callable[[Any], PerFrame]:
    def of(metric: Any) -> PerFrame:
        return lambda generated, reference, peak: scale * _errors(generated, reference, peak)[:, column]

    return of


def _errors(generated: Tensor, reference: Tensor, peak: float) -> Tensor:
    """Mean absolute and mean squared difference of each frame, where white is 1: (frames, 2)."""
    first, second = generated.flatten(1), reference.flatten(1)
    errors = (operators if operators.applies(first, second) else composite).pixel_errors
    scale = peak * first.shape[1]
    sums = errors(first, second)
    return torch.stack([sums[:, 0] / scale, sums[:, 1] / (scale * peak)], dim=1)


def _ssim(metric: Any) -> PerFrame:
    sample = metric.covariance == "sample"
    terms = structure(1, Windows(metric.window, metric.sigma, metric.k1, metric.k2, metric.weighting, sample))
    colours = _COLOURS[metric.colour]
    return lambda generated, reference, peak: terms(colours(generated), colours(reference), peak).mean((1, 2))


def _ms_ssim(metric: Any, floor: float = 0.0) -> PerFrame:
    terms = structure(len(WEIGHTS), Windows(metric.window, metric.sigma, metric.k1, metric.k2))
    colours = _COLOURS[metric.colour]

    def product(generated: Tensor, reference: Tensor, peak: float) -> Tensor:
        found = terms(colours(generated), colours(reference), peak).clamp(min=floor)
        powers: Tensor = torch.pow(found, found.new_tensor(WEIGHTS))
        products: Tensor = powers.prod(-1)
        return products.mean(1)

    return product


def structure(scales: int, windows: Windows, *, absolute: bool = False) -> PerFrame:
    """``operators.scale_terms`` of each frame and channel: (frames, channels, scales [+ 1])."""
    least = (windows.window - 1) * 2 ** (scales - 1) + 1
    fields, weighting = astuple(windows), composite.Weighting.of(windows)

    def terms(generated: Tensor, reference: Tensor, peak: float) -> Tensor:
        height, width = generated.shape[-2:]
        if min(height, width) < least:
            raise InputError(
                f"frames of {width}x{height} px are too small: no side may be shorter than {least} px",
                reason="too small",
            )
        first, second = generated.flatten(0, 1), reference.flatten(0, 1)
        if operators.applies(first, second):
            found = operators.scale_terms(first, second, peak, scales, absolute, *fields)
        else:
            found = composite.scale_terms(first, second, peak, scales, absolute, weighting)
        by_frame: Tensor = found.reshape(*generated.shape[:2], -1)
        return by_frame

    return terms


def luma(frames: Tensor) -> Tensor:
    """Luma of floats under the rule of MATLAB's rgb2gray, as ``luma`` has it: (frames, 1, height, width)."""
    if frames.shape[1] == 1:
        return frames
    rule = RULES["bt601-rounded"]
    weights = frames.new_tensor([rule.red, rule.green, rule.blue]).view(1, 3, 1, 1)
    return (frames * weights).sum(1, keepdim=True)


def kind_of(metric: Metric[Any]) -> type[ClipMean | PooledMean]:
    """What the metric keeps its numbers of frames in."""
    pooled = metric.name in ("l1", "l1-255", "mse") or getattr(metric, "pool", "") == "all-frames"
    return PooledMean if pooled else ClipMean


def state_of(metric: Metric[Any], clip: str, numbers: Tensor) -> State:
    """What the metric would have kept of a clip, from its numbers of frames: (frames,)."""
    found = numbers.double().cpu().numpy()
    return kind_of(metric).of(clip, found, left_out={IDENTICAL: np.isinf(found)})


def sums_there(metric: Metric[Any], numbers: Tensor) -> Sums:
    """What clips add to sums, from their numbers of frames, (clips, frames): tensors, which nothing waits for."""
    numbers = numbers.double()
    there = torch.isfinite(numbers)
    counts, totals = there.sum(1), torch.where(there, numbers, 0.0).sum(1)
    scored = counts > 0
    if kind_of(metric) is PooledMean:
        above, below = totals.sum(), counts.sum()
    else:
        above, below = (totals / counts.clamp(min=1)).sum(), scored.sum()
    rest = torch.zeros_like(above)
    return Sums(Exact(above, rest), Exact(below.double(), rest), scored.sum(), counts.sum(), (~scored).sum())


_COLOURS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType({"rgb": lambda frames: frames, "grey": luma})

VALUES: Mapping[str, Callable[..., PerFrame]] = MappingProxyType(
    {
        "psnr": _psnr,
        "l1": _errors_times(1, 0),
        "l1-255": _errors_times(255, 0),
        "mse": _errors_times(1, 1),
        "ssim": _ssim,
        "ms-ssim": _ms_ssim,
    }
)
"""From a metric to its numbers, by its name."""

_WHOLE: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {"region": ("frame",), "arithmetic": ("exact",), "scale": ("native",)}
)
_WORDS: Mapping[str, Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    dict.fromkeys(VALUES, _WHOLE)
    | {"psnr": {**_WHOLE, "colour": ("rgb",), "pool": ("frame", "all-frames"), "identical": ("left-out",)}}
)
"""What fields must be for there to be words, by metric."""
