"""SyncNet as a function of its weights, one window at a time.

Written from joonson/syncnet_python ``SyncNetModel.py`` (5befaa32e49a).
"""

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, conv, dense, norm
from torch import Tensor


def head(w: Weights, name: str, x: Tensor) -> Tensor:
    return dense(w, f"{name}.3", norm(w, f"{name}.1", dense(w, f"{name}.0", x)).clamp(min=0))


def speech(w: Weights, x: Tensor) -> Tensor:
    def step(i: int, y: Tensor, pad: int = 1) -> Tensor:
        return norm(w, f"netcnnaud.{i + 1}", conv(w, f"netcnnaud.{i}", y, pad=pad)).clamp(min=0)

    x = F.max_pool2d(step(4, step(0, x)), (3, 3), (1, 2))
    x = F.max_pool2d(step(14, step(11, step(8, x))), (3, 3), (2, 2))
    return head(w, "netfcaud", step(18, x, pad=0).reshape(len(x), -1))


def lips(w: Weights, window: Tensor) -> Tensor:
    """One window, (N, 3, 5, 224, 224)."""

    def step(i: int, y: Tensor, stride: int = 1, pad: int = 0) -> Tensor:
        kernel = w[f"netcnnlip.{i}.weight"]
        y = F.conv3d(y, kernel, w[f"netcnnlip.{i}.bias"], (1, stride, stride), (0, pad, pad))
        return norm(w, f"netcnnlip.{i + 1}", y).clamp(min=0)

    x = step(0, window, 2)
    x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2))
    x = F.max_pool3d(step(4, x, 2, 1), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    for i in (8, 11, 14):
        x = step(i, x, 1, 1)
    x = step(18, F.max_pool3d(x, (1, 3, 3), (1, 2, 2)))
    assert x.shape[2:] == torch.Size([1, 1, 1])
    return head(w, "netfclip", x.reshape(len(x), -1))
