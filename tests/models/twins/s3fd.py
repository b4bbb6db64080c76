"""S3FD as a function of its weights, in both published layouts, boxes decoded place by place.

Written from joonson/syncnet_python ``detectors/s3fd/{nets,box_utils}.py`` (cdd20ba1c328, 907c0b579c2e) and
1adrianb/face-alignment ``net_s3fd.py`` (03257a82fe99).
"""

import math

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, conv
from torch import Tensor

CONVOLUTIONS = ["conv1_1", "conv1_2", "pool", "conv2_1", "conv2_2", "pool", "conv3_1", "conv3_2", "conv3_3", "tap 3"]
CONVOLUTIONS += ["pool 3", "conv4_1", "conv4_2", "conv4_3", "tap 4", "pool", "conv5_1", "conv5_2", "conv5_3", "tap 5"]
CONVOLUTIONS += ["pool"]
SYNCNET = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]


def maps(w: Weights, x: Tensor, *, syncnet: bool) -> list[Tensor]:
    """Six normalised maps of a centred image in the network's channel order."""
    positions = iter(SYNCNET)
    found = []
    for step in CONVOLUTIONS:
        if step.startswith("pool"):
            x = F.max_pool2d(x, 2, 2, ceil_mode=syncnet and step == "pool 3")
        elif step.startswith("tap"):
            name = f"L2Norm{step[-1]}_3" if syncnet else f"conv{step[-1]}_3_norm"
            length = torch.sqrt((x * x).sum(1, keepdim=True)) + 1e-10
            found.append(x / length * w[f"{name}.weight"].view(1, -1, 1, 1))
        else:
            x = conv(w, f"vgg.{next(positions)}" if syncnet else step, x, pad=1).clamp(min=0)
    if syncnet:
        x = conv(w, "vgg.31", x, pad=6, dilation=6).clamp(min=0)
        x = conv(w, "vgg.33", x).clamp(min=0)
    else:
        x = conv(w, "fc7", conv(w, "fc6", x, pad=3).clamp(min=0)).clamp(min=0)
    found.append(x)
    for i, (name, stride) in enumerate((("conv6_1", 1), ("conv6_2", 2), ("conv7_1", 1), ("conv7_2", 2))):
        x = conv(w, f"extras.{i}" if syncnet else name, x, stride, pad=1 if stride == 2 else 0).clamp(min=0)
        if stride == 2:
            found.append(x)
    return found


def detect(w: Weights, rgb: Tensor, *, syncnet: bool) -> list[tuple[list[float], float]]:
    """One image (1, 3, H, W) in 0..255: a box in pixels and a probability for every place, map by map."""
    centred = rgb - torch.tensor([123.0, 117.0, 104.0]).view(1, 3, 1, 1)
    x = centred if syncnet else centred[:, [2, 1, 0]]
    heads = ["conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2"]
    found = []
    for k, seen in enumerate(maps(w, x, syncnet=syncnet)):
        loc = conv(w, f"loc.{k}" if syncnet else f"{heads[k]}_mbox_loc", seen, pad=1)[0]
        conf = conv(w, f"conf.{k}" if syncnet else f"{heads[k]}_mbox_conf", seen, pad=1)[0]
        step = 4 * 2**k
        for i in range(loc.shape[1]):
            for j in range(loc.shape[2]):
                background, face = conf[:-1, i, j].max().item(), conf[-1, i, j].item()
                dx, dy, dw, dh = loc[:, i, j].tolist()
                cx = (j + 0.5) * step + dx * 0.1 * 4 * step
                cy = (i + 0.5) * step + dy * 0.1 * 4 * step
                width, height = 4 * step * math.exp(0.2 * dw), 4 * step * math.exp(0.2 * dh)
                box = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]
                found.append((box, 1 / (1 + math.exp(background - face))))
    return found


def greedy(found: list[tuple[list[float], float]], threshold: float, overlap: float) -> list[int]:
    """Indices of the boxes that survive, best first."""

    def shared(a: list[float], b: list[float]) -> float:
        w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
        inter = max(w, 0) * max(h, 0)
        area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
        return inter / (area - inter)

    left = sorted((i for i, (_, score) in enumerate(found) if score > threshold), key=lambda i: -found[i][1])
    kept: list[int] = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if shared(found[best][0], found[i][0]) <= overlap]
    return kept
