"""Layers as plain functions of a state dict and a name, for the twins. Batch norm is spelled out."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]


def conv(w: Weights, name: str, x: Tensor, stride: int = 1, pad: int | tuple[int, ...] = 0, **options: int) -> Tensor:
    kernel = w[f"{name}.weight"]
    operation = F.conv2d if kernel.ndim == 4 else F.conv3d
    return operation(x, kernel, w.get(f"{name}.bias"), stride=stride, padding=pad, **options)


def norm(w: Weights, name: str, x: Tensor, eps: float = 1e-5) -> Tensor:
    shape = (1, -1) + (1,) * (x.ndim - 2)
    mean, var, scale, shift = (
        w[f"{name}.{part}"].view(shape) for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) * torch.rsqrt(var + eps) * scale + shift


def prelu(w: Weights, name: str, x: Tensor) -> Tensor:
    slope = w[f"{name}.weight"].view(1, -1, 1, 1)
    return torch.where(x > 0, x, slope * x)


def dense(w: Weights, name: str, x: Tensor) -> Tensor:
    out = x @ w[f"{name}.weight"].T
    return out + w[f"{name}.bias"] if f"{name}.bias" in w else out


def units(w: Weights, pattern: str) -> int:
    """How many consecutive numbers ``pattern`` can take so that the weights have such a name."""
    count = 0
    while any(name.startswith(pattern.format(count)) for name in w):
        count += 1
    return count
