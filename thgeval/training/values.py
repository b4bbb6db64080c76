"""Metrics whose number of a frame can be computed from tensors where they lie, with a gradient.

Each row of ``FRAME_VALUES`` gives one number per frame under the fields of the metric it stands for, from the kernels
that the metric itself runs (``operators``) or torch's own words for them (``composite``): what ``measure`` keeps,
within the tolerances of the kernels. Where there are no words for a metric or its fields (``differentiable``),
``measure`` alone knows its number, on the CPU and without a gradient.
"""

from collections.abc import Callable, Mapping
from dataclasses import astuple
from functools import partial
from math import ceil
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
"""From both sides, (frames, channels, height, width), and the value of white to (frames,); can be pickled."""

ABSOLUTE, SQUARED = 0, 1
"""Columns of pixel errors."""

RULE = "bt601-rounded"


def differentiable(metric: Metric[Any]) -> bool:
    """Whether the metric, with these fields, has a number per frame that can be differentiated."""
    return metric.name in FRAME_VALUES and all(
        getattr(metric, field) in of for field, of in _WORDS[metric.name].items() if hasattr(metric, field)
    )


def per_frame(metric: Metric[Any], **floor: float) -> PerFrame:
    """The metric's number of every frame; made before it is called, so that ``torch.compile`` sees tensors alone.

    ``floor`` is for ``psnr`` (the least mean squared error, where white is 1) and ``ms-ssim`` (the least term of a
    scale): what lies below counts as that, and has no gradient.
    """
    return FRAME_VALUES[metric.name](metric, **floor)


def _psnr(metric: Any, floor: float = 0.0) -> PerFrame:
    return partial(_decibels, floor=floor)


def _decibels(generated: Tensor, reference: Tensor, peak: float, *, floor: float) -> Tensor:
    return torch.log10(_error(generated, reference, peak, column=SQUARED).clamp(min=floor)) * -10


def _of_errors(column: int, scale: float = 1.0) -> Callable[[Any], PerFrame]:
    return lambda metric: partial(_error, column=column, scale=scale)


def _error(generated: Tensor, reference: Tensor, peak: float, *, column: int, scale: float = 1.0) -> Tensor:
    """Mean absolute or mean squared difference of each frame, where white is ``scale``: (frames,)."""
    first, second = _levels(generated).flatten(1), _levels(reference).flatten(1)
    errors = (operators if operators.applies(first, second) else composite).pixel_errors
    white = peak if column == ABSOLUTE else peak**2
    sums: Tensor = errors(first, second)[:, column]
    return sums * (scale / (first.shape[1] * white))


def _ssim(metric: Any) -> PerFrame:
    sample = metric.covariance == "sample"
    terms = structure(1, Windows(metric.window, metric.sigma, metric.k1, metric.k2, metric.weighting, sample))
    return partial(_mean_ssim, terms=terms, colour=metric.colour)


def _mean_ssim(generated: Tensor, reference: Tensor, peak: float, *, terms: PerFrame, colour: str) -> Tensor:
    return terms(_in(colour, generated), _in(colour, reference), peak).mean((1, 2))


def _ms_ssim(metric: Any, floor: float = 0.0) -> PerFrame:
    terms = structure(len(WEIGHTS), Windows(metric.window, metric.sigma, metric.k1, metric.k2))
    return partial(_mean_ms_ssim, terms=terms, colour=metric.colour, floor=floor)


def _mean_ms_ssim(
    generated: Tensor, reference: Tensor, peak: float, *, terms: PerFrame, colour: str, floor: float
) -> Tensor:
    found = terms(_in(colour, generated), _in(colour, reference), peak).clamp(min=floor)
    powers = [term.pow(weight) for term, weight in zip(found.unbind(-1), WEIGHTS, strict=True)]
    products: Tensor = torch.stack(powers).prod(0)
    return products.mean(1)


def structure(scales: int, windows: Windows, *, absolute: bool = False) -> PerFrame:
    """``operators.scale_terms`` of each frame and channel: (frames, channels, scales [+ 1])."""
    weighting = composite.Weighting.of(windows)
    return partial(_terms, scales=scales, absolute=absolute, fields=astuple(windows), weighting=weighting)


def _terms(
    generated: Tensor,
    reference: Tensor,
    peak: float,
    *,
    scales: int,
    absolute: bool,
    fields: tuple[Any, ...],
    weighting: composite.Weighting,
) -> Tensor:
    height, width = generated.shape[-2:]
    least = (len(weighting.taps) - 1) * 2 ** (scales - 1) + 1
    if min(height, width) < least:
        raise InputError(
            f"frames of {width}x{height} px are too small: no side may be shorter than {least} px", reason="too small"
        )
    first, second = _levels(generated).flatten(0, 1), _levels(reference).flatten(0, 1)
    if operators.applies(first, second):
        found = operators.scale_terms(first, second, peak, scales, absolute, *fields)
    else:
        found = composite.scale_terms(first, second, peak, scales, absolute, weighting)
    by_frame: Tensor = found.reshape(*generated.shape[:2], -1)
    return by_frame


def _in(colour: str, frames: Tensor) -> Tensor:
    return frames if colour == "rgb" else luma(frames)


def luma(frames: Tensor) -> Tensor:
    """Luma under the rule of MATLAB's rgb2gray: (frames, 1, height, width); that of bytes is rounded as it does."""
    if frames.shape[1] == 1:
        return frames
    rule = RULES[RULE]
    weights = (rule.red, rule.green, rule.blue)
    if frames.dtype != torch.uint8 or rule.bits is None:
        red, green, blue = (plane * weight for plane, weight in zip(frames.unbind(1), weights, strict=True))
        return (red + green + blue)[:, None]
    units = [ceil(weight * 2**rule.bits) for weight in weights]
    red, green, blue = (plane.long() * unit for plane, unit in zip(frames.unbind(1), units, strict=True))
    rounded: Tensor = (red + green + blue + 2 ** (rule.bits - 1)) >> rule.bits
    return rounded.float()[:, None]


def _levels(frames: Tensor) -> Tensor:
    """Floats as they are, bytes as float32."""
    return frames if frames.is_floating_point() else frames.float()


def kind_of(metric: Metric[Any]) -> type[ClipMean | PooledMean]:
    """What the metric keeps its numbers of frames in."""
    pooled = metric.name in ("l1", "l1-255", "mse") or getattr(metric, "average", "") == "frames"
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
    infinite = (~scored).sum()
    return Sums(Exact(above, rest), Exact(below.double(), rest), scored.sum(), counts.sum(), infinite)


FRAME_VALUES: Mapping[str, Callable[..., PerFrame]] = MappingProxyType(
    {
        "psnr": _psnr,
        "l1": _of_errors(ABSOLUTE),
        "l1-255": _of_errors(ABSOLUTE, 255.0),
        "mse": _of_errors(SQUARED),
        "ssim": _ssim,
        "ms-ssim": _ms_ssim,
    }
)
"""From a metric to its numbers, by its name."""

_WHOLE: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "region": ("frame",),
        "arithmetic": ("exact",),
        "scale": ("native",),
        "rule": (RULE,),
        "over": ("levels",),
    }
)
_WORDS: Mapping[str, Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    dict.fromkeys(FRAME_VALUES, _WHOLE)
    | {"psnr": {**_WHOLE, "colour": ("rgb",), "pool": ("frame",), "identical": ("left-out",)}}
)
"""What fields must be for there to be words, by metric."""
