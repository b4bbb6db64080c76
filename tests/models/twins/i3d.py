"""I3D as a function of its weights, one call per published name, with TensorFlow's padding written out cell by cell.

Written from piergiaj/pytorch-i3d ``pytorch_i3d.py`` at b49fadf943fc and VideoGPT's copy at c6655e8c8fe5.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

ORDER = ["Mixed_3b", "Mixed_3c", "pool 3", "Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f", "pool 2"]
ORDER += ["Mixed_5b", "Mixed_5c"]


def logits(weights: dict[str, Tensor], clip: Tensor, *, eps: float) -> Tensor:
    def unit(name: str, x: Tensor, stride: int = 1) -> Tensor:
        kernel = weights[f"{name}.conv3d.weight"]
        x = F.conv3d(pad(x, tuple(kernel.shape[2:]), (stride,) * 3, 0.0), kernel, stride=stride)
        mean, var = weights[f"{name}.bn.running_mean"], weights[f"{name}.bn.running_var"]
        scale = weights[f"{name}.bn.weight"] / torch.sqrt(var + eps)
        shift = weights[f"{name}.bn.bias"] - mean * scale
        return torch.clamp(x * scale.view(1, -1, 1, 1, 1) + shift.view(1, -1, 1, 1, 1), min=0)

    def mixed(name: str, x: Tensor) -> Tensor:
        b1 = unit(f"{name}.b1b", unit(f"{name}.b1a", x))
        b2 = unit(f"{name}.b2b", unit(f"{name}.b2a", x))
        b3 = unit(f"{name}.b3b", largest(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([unit(f"{name}.b0", x), b1, b2, b3], 1)

    x = largest(unit("Conv3d_1a_7x7", clip, 2), (1, 3, 3), (1, 2, 2))
    x = largest(unit("Conv3d_2c_3x3", unit("Conv3d_2b_1x1", x)), (1, 3, 3), (1, 2, 2))
    for step in ORDER:
        x = largest(x, (int(step[-1]),) * 3, (2, 2, 2)) if step.startswith("pool") else mixed(step, x)
    x = F.avg_pool3d(x, (2, 7, 7), stride=(1, 1, 1))
    x = F.conv3d(x, weights["logits.conv3d.weight"], weights["logits.conv3d.bias"])
    return x.squeeze(3).squeeze(3).mean(2)


def pad(x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], value: float) -> Tensor:
    for axis, (k, s) in enumerate(zip(kernel, stride, strict=True), start=2):
        size = x.shape[axis]
        total = max((math.ceil(size / s) - 1) * s + k - size, 0)
        before, after = total // 2, total - total // 2
        shape = list(x.shape)
        for amount, first in ((before, True), (after, False)):
            shape[axis] = amount
            cells = torch.full(shape, value)
            x = torch.cat([cells, x] if first else [x, cells], axis)
            shape[axis] = x.shape[axis]
    return x


def largest(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    return F.max_pool3d(pad(x, kernel, stride, -math.inf), kernel, stride)
