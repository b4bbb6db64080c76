"""OpenFace nn4.small2: the face embedding behind the Average Euclidean Distance of Monkey-Net and FOMM.

Paper     Amos, Ludwiczuk and Satyanarayanan, OpenFace: A general-purpose face recognition library, CMU-CS-16-118, 2016
Weights   ``openface.pth`` of thnkim/OpenFacePytorch, converted from nn4.small2.v1.t7 (Apache-2.0)
Input     (N, 3, 96, 96) in [0, 1]; RGB for faces, **BGR** whole frames in the published metric
Output    embeddings, (N, 128), of unit length but for 1e-6 under the root

Inception blocks of the first generation. Branches that end with maps of different sizes are centred on a common one,
zeros around them; some pools take the root of the sum of squares.

Names and shapes after thnkim/OpenFacePytorch ``loadOpenFace.py`` (8ae85edf1a08).
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import check_shape

SIZE_PX = 96
DIMENSIONS = 128
POOLED = 736


class _Block(NamedTuple):
    """Sizes of one block: (kernel, narrow, wide) per convolution branch, pool, 1x1 after the pool, 1x1 alone."""

    inputs: int
    branches: tuple[tuple[int, int, int], ...]
    stride: int
    pool: str
    after_pool: int
    alone: int


BLOCKS = {
    "layer14": _Block(192, ((3, 96, 128), (5, 16, 32)), 1, "max", 32, 64),
    "layer15": _Block(256, ((3, 96, 128), (5, 32, 64)), 1, "root", 64, 64),
    "layer16": _Block(320, ((3, 128, 256), (5, 32, 64)), 2, "max", 0, 0),
    "layer17": _Block(640, ((3, 96, 192), (5, 32, 64)), 1, "root", 128, 256),
    "layer18": _Block(640, ((3, 160, 256), (5, 64, 128)), 2, "max", 0, 0),
    "layer19": _Block(1024, ((3, 96, 384),), 1, "root", 96, 256),
    "layer21": _Block(736, ((3, 96, 384),), 1, "max", 96, 256),
}


def build() -> "OpenFace":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return OpenFace().eval()


class OpenFace(nn.Module):
    """The nn4.small2 network."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.layer2 = nn.BatchNorm2d(64)
        self.layer6 = nn.Conv2d(64, 64, 1)
        self.layer7 = nn.BatchNorm2d(64)
        self.layer9 = nn.Conv2d(64, 192, 3, padding=1)
        self.layer10 = nn.BatchNorm2d(192)
        for name, block in BLOCKS.items():
            self.add_module(name, _Inception(block))
        self.layer25 = nn.Linear(POOLED, DIMENSIONS)

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings, (N, 128), of images in [0, 1]."""
        check_shape(images, 3, SIZE_PX, SIZE_PX, network="OpenFace")
        x = F.max_pool2d(F.relu(self.layer2(self.layer1(images))), 3, stride=2, padding=1)
        x = F.relu(self.layer7(self.layer6(_across_channels(x))))
        x = _across_channels(F.relu(self.layer10(self.layer9(x))))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        for name in BLOCKS:
            x = self.get_submodule(name)(x)
        embeddings: Tensor = self.layer25(F.avg_pool2d(x, 3, stride=1).flatten(1))
        return embeddings / (embeddings.square().sum(dim=1, keepdim=True) + 1e-6).sqrt()


def _across_channels(x: Tensor) -> Tensor:
    """Each number over a power of the squares in five neighbouring channels."""
    return F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=1.0)


class _Inception(nn.Module):
    """Branches side by side, centred on the largest map."""

    def __init__(self, block: _Block) -> None:
        super().__init__()
        branches = [_narrow_then_wide(block.inputs, *sizes, stride=block.stride) for sizes in block.branches]
        pool = nn.MaxPool2d(3, stride=2) if block.pool == "max" else nn.LPPool2d(2, 3, stride=3)
        branches.append(OrderedDict([("1_pool", pool)]))
        if block.after_pool:
            branches[-1] |= _one_by_one(block.inputs, block.after_pool, first=2)
        if block.alone:
            branches.append(_one_by_one(block.inputs, block.alone, first=1))
        self.seq_list = nn.ModuleList(nn.Sequential(branch) for branch in branches)

    def forward(self, x: Tensor) -> Tensor:
        maps = [branch(x) for branch in self.seq_list]
        height, width = (max(seen.shape[axis] for seen in maps) for axis in (2, 3))
        return torch.cat([_centred(seen, height, width) for seen in maps], dim=1)


def _one_by_one(inputs: int, outputs: int, *, first: int) -> "OrderedDict[str, nn.Module]":
    parts = (("conv", nn.Conv2d(inputs, outputs, 1)), ("bn", nn.BatchNorm2d(outputs)), ("relu", nn.ReLU()))
    return OrderedDict((f"{i}_{name}", part) for i, (name, part) in enumerate(parts, start=first))


def _narrow_then_wide(
    inputs: int, kernel: int, narrow: int, wide: int, *, stride: int
) -> "OrderedDict[str, nn.Module]":
    window = nn.Conv2d(narrow, wide, kernel, stride, padding=kernel // 2)
    last = OrderedDict([("4_conv", window), ("5_bn", nn.BatchNorm2d(wide)), ("6_relu", nn.ReLU())])
    return _one_by_one(inputs, narrow, first=1) | last


def _centred(x: Tensor, height: int, width: int) -> Tensor:
    down, right = height - x.shape[2], width - x.shape[3]
    return F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
