"""LipNet as a function of its weights, recurrences spelled out step by step.

Written from VIPL-Audio-Visual-Speech-Understanding/LipNet-PyTorch ``model.py`` (f3d09c59844d).
"""

import torch
import torch.nn.functional as F
from models.twins.by_name import Weights, dense
from torch import Tensor


def scores(w: Weights, x: Tensor) -> Tensor:
    for name, stride, pad in (("conv1", (1, 2, 2), (1, 2, 2)), ("conv2", 1, (1, 2, 2)), ("conv3", 1, 1)):
        x = F.conv3d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride, pad).clamp(min=0)
        x = F.max_pool3d(x, (1, 2, 2), (1, 2, 2))
    rows = x.permute(2, 0, 1, 3, 4).reshape(x.shape[2], x.shape[0], -1)
    return dense(w, "FC", both_ways(w, "gru2", both_ways(w, "gru1", rows))).transpose(0, 1)


def both_ways(w: Weights, name: str, rows: Tensor) -> Tensor:
    forth = one_way(w, name, "_l0", list(rows))
    back = one_way(w, name, "_l0_reverse", list(rows.flip(0)))[::-1]
    return torch.stack([torch.cat(pair, dim=1) for pair in zip(forth, back, strict=True)])


def one_way(w: Weights, name: str, end: str, rows: list[Tensor]) -> list[Tensor]:
    inside, around = w[f"{name}.weight_ih{end}"], w[f"{name}.weight_hh{end}"]
    state = torch.zeros(len(rows[0]), around.shape[1])
    states = []
    for row in rows:
        reset, keep, new = (row @ inside.T + w[f"{name}.bias_ih{end}"]).chunk(3, dim=1)
        held = (state @ around.T + w[f"{name}.bias_hh{end}"]).chunk(3, dim=1)
        share = torch.sigmoid(keep + held[1])
        state = share * state + (1 - share) * torch.tanh(new + torch.sigmoid(reset + held[0]) * held[2])
        states.append(state)
    return states
