"""OpenFace nn4.small2 as a function of its weights.

Written from thnkim/OpenFacePytorch ``loadOpenFace.py`` (8ae85edf1a08).
"""

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, conv, dense, norm
from torch import Tensor

STRIDES = {"layer14": 1, "layer15": 1, "layer16": 2, "layer17": 1, "layer18": 2, "layer19": 1, "layer21": 1}
ROOT_POOLED = ("layer15", "layer17", "layer19")


def embedding(w: Weights, x: Tensor) -> Tensor:
    x = F.max_pool2d(norm(w, "layer2", conv(w, "layer1", x, 2, 3)).clamp(min=0), 3, 2, 1)
    x = norm(w, "layer7", conv(w, "layer6", across(x))).clamp(min=0)
    x = across(norm(w, "layer10", conv(w, "layer9", x, 1, 1)).clamp(min=0))
    x = F.max_pool2d(x, 3, 2, 1)
    for name, stride in STRIDES.items():
        x = block(w, name, x, stride)
    x = dense(w, "layer25", F.avg_pool2d(x, 3, 1).reshape(-1, 736))
    return x / torch.sqrt((x**2).sum(1, keepdim=True) + 1e-6)


def across(x: Tensor) -> Tensor:
    """x / (1 + 1e-4 / 5 * sum of squares of five channels) ** 0.75"""
    channels = x.shape[1]
    squares = [sum(x[:, j] ** 2 for j in range(max(0, i - 2), min(channels, i + 3))) for i in range(channels)]
    return x / (1 + 1e-4 / 5 * torch.stack(squares, 1)) ** 0.75


def block(w: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    maps, i = [], 0
    while any(key.startswith(f"{name}.seq_list.{i}.4_conv") for key in w):
        at = f"{name}.seq_list.{i}"
        y = norm(w, f"{at}.2_bn", conv(w, f"{at}.1_conv", x)).clamp(min=0)
        pad = w[f"{at}.4_conv.weight"].shape[-1] // 2
        maps.append(norm(w, f"{at}.5_bn", conv(w, f"{at}.4_conv", y, stride, pad)).clamp(min=0))
        i += 1
    at = f"{name}.seq_list.{i}"
    pooled = (9 * F.avg_pool2d(x**2, 3, 3)).sqrt() if name in ROOT_POOLED else F.max_pool2d(x, 3, 2)
    if f"{at}.2_conv.weight" in w:
        pooled = norm(w, f"{at}.3_bn", conv(w, f"{at}.2_conv", pooled)).clamp(min=0)
    maps.append(pooled)
    at = f"{name}.seq_list.{i + 1}"
    if f"{at}.1_conv.weight" in w:
        maps.append(norm(w, f"{at}.2_bn", conv(w, f"{at}.1_conv", x)).clamp(min=0))
    height, width = max(m.shape[2] for m in maps), max(m.shape[3] for m in maps)
    canvas = torch.zeros(len(x), sum(m.shape[1] for m in maps), height, width)
    channel = 0
    for m in maps:
        top, left = (height - m.shape[2]) // 2, (width - m.shape[3]) // 2
        canvas[:, channel : channel + m.shape[1], top : top + m.shape[2], left : left + m.shape[3]] = m
        channel += m.shape[1]
    return canvas
