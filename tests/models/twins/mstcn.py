"""The LRW word reader as a function of its weights, with the padding and cutting of the original.

Written from mpc001/Lipreading_using_Temporal_Convolutional_Networks ``lipreading/model.py``, ``models/resnet.py``,
``models/tcn.py`` and ``configs/lrw_resnet18_mstcn.json`` (b98500cf5495).
"""

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, conv, dense, norm
from torch import Tensor


def swish(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def scores(w: Weights, x: Tensor) -> Tensor:
    x = F.conv3d(x, w["frontend3D.0.weight"], None, (1, 2, 2), (2, 3, 3))
    x = F.max_pool3d(swish(norm(w, "frontend3D.1", x)), (1, 3, 3), (1, 2, 2), (0, 1, 1))
    batch, _, frames = x.shape[:3]
    x = x.transpose(1, 2).reshape(batch * frames, *x.shape[1:2], *x.shape[3:])
    for layer in range(1, 5):
        for block in range(2):
            x = basic(w, f"trunk.layer{layer}.{block}", x, 2 if layer > 1 and block == 0 else 1)
    rows = F.adaptive_avg_pool2d(x, 1).view(batch, frames, -1).transpose(1, 2)
    for level in range(4):
        name = f"tcn.mb_ms_tcn.network.{level}"
        y = rows
        for half in range(2):
            y = torch.cat([branch(w, f"{name}.cbcr{half}_{k}", y, 2**level) for k in range(3)], dim=1)
        across = F.conv1d(rows, w[f"{name}.downsample.weight"], w[f"{name}.downsample.bias"])
        rows = swish(y + across)
    return dense(w, "tcn.tcn_output", torch.stack([row.mean(dim=1) for row in rows]))


def basic(w: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    y = swish(norm(w, f"{name}.bn1", conv(w, f"{name}.conv1", x, stride, 1)))
    y = norm(w, f"{name}.bn2", conv(w, f"{name}.conv2", y, 1, 1))
    if f"{name}.downsample.0.weight" in w:
        x = norm(w, f"{name}.downsample.1", conv(w, f"{name}.downsample.0", x, stride))
    return swish(y + x)


def branch(w: Weights, name: str, x: Tensor, dilation: int) -> Tensor:
    kernel = w[f"{name}.conv.weight"]
    around = (kernel.shape[2] - 1) * dilation
    y = F.conv1d(x, kernel, w[f"{name}.conv.bias"], padding=around, dilation=dilation)
    y = norm(w, f"{name}.batchnorm", y)
    return swish(y[:, :, around // 2 : -(around // 2)])
