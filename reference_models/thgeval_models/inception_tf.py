"""Inception-v3 as the Fréchet inception distance knows it, and torchvision's sister of it.

Paper     Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016
Weights   ``pt_inception-2015-12-05-6726825d.pth`` (mseitzer/pytorch-fid, Apache-2.0): TensorFlow's 2015-12-05 graph;
          ``inception-2015-12-05.pt`` (NVIDIA, TorchScript): the same graph, other names, see ``from_nvidia``;
          torchvision's ``inception_v3`` (BSD-3-Clause): another training, other pooling, *not* for FID
Input     RGB, (N, 3, 299, 299), in [-1, 1]
Output    ``pool3``, (N, 2048); ``logits`` turns it into class scores

The variants differ in how the pooling branches treat their border. TensorFlow's average counts only pixels inside the
image and its last block takes the maximum; torchvision averages over the zero border too. Names are torchvision's.

Names and shapes after pytorch-fid 0.3.0 ``inception.py`` and torchvision ``models/inception.py``.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import Least, check_shape

Variant = Literal["tensorflow", "torchvision"]
Pooling = Literal["inner average", "average", "maximum"]

CLASSES: dict[Variant, int] = {"tensorflow": 1008, "torchvision": 1000}
SMALLEST_PX = 75


def build(variant: Variant = "tensorflow") -> "Inception":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return Inception(variant).eval()


class _Unit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], *, stride: int = 1, padding: str | int = "same"
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = F.relu(self.bn(self.conv(x)))
        return out


def pooled(x: Tensor, how: Pooling) -> Tensor:
    """3 x 3 pooling with stride 1."""
    if how == "maximum":
        return F.max_pool2d(x, 3, stride=1, padding=1)
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=how == "average")


class _BlockA(nn.Module):
    """1x1, 5x5, twice 3x3 and pooling, side by side."""

    def __init__(self, inputs: int, pool_outputs: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        self.branch1x1 = _Unit(inputs, 64, 1)
        self.branch5x5_1 = _Unit(inputs, 48, 1)
        self.branch5x5_2 = _Unit(48, 64, 5)
        self.branch3x3dbl_1 = _Unit(inputs, 64, 1)
        self.branch3x3dbl_2 = _Unit(64, 96, 3)
        self.branch3x3dbl_3 = _Unit(96, 96, 3)
        self.branch_pool = _Unit(inputs, pool_outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(pooled(x, self.pooling))], dim=1)


class _BlockB(nn.Module):
    """Halves the grid: 3x3, twice 3x3, and the maximum."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = _Unit(inputs, 384, 3, stride=2, padding=0)
        self.branch3x3dbl_1 = _Unit(inputs, 64, 1)
        self.branch3x3dbl_2 = _Unit(64, 96, 3)
        self.branch3x3dbl_3 = _Unit(96, 96, 3, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, stride=2)], dim=1)


class _BlockC(nn.Module):
    """7x7 windows factored into rows and columns, once and twice."""

    def __init__(self, inputs: int, middle: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        row, column = (1, 7), (7, 1)
        self.branch1x1 = _Unit(inputs, 192, 1)
        self.branch7x7_1 = _Unit(inputs, middle, 1)
        self.branch7x7_2 = _Unit(middle, middle, row)
        self.branch7x7_3 = _Unit(middle, 192, column)
        self.branch7x7dbl_1 = _Unit(inputs, middle, 1)
        self.branch7x7dbl_2 = _Unit(middle, middle, column)
        self.branch7x7dbl_3 = _Unit(middle, middle, row)
        self.branch7x7dbl_4 = _Unit(middle, middle, column)
        self.branch7x7dbl_5 = _Unit(middle, 192, row)
        self.branch_pool = _Unit(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return torch.cat([self.branch1x1(x), once, twice, self.branch_pool(pooled(x, self.pooling))], dim=1)


class _BlockD(nn.Module):
    """Halves the grid: 3x3, 7x7 then 3x3, and the maximum."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Unit(inputs, 192, 1)
        self.branch3x3_2 = _Unit(192, 320, 3, stride=2, padding=0)
        self.branch7x7x3_1 = _Unit(inputs, 192, 1)
        self.branch7x7x3_2 = _Unit(192, 192, (1, 7))
        self.branch7x7x3_3 = _Unit(192, 192, (7, 1))
        self.branch7x7x3_4 = _Unit(192, 192, 3, stride=2, padding=0)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, F.max_pool2d(x, 3, stride=2)], dim=1)


class _BlockE(nn.Module):
    """3x3 windows split into a row and a column that stand side by side."""

    def __init__(self, inputs: int, pooling: Pooling) -> None:
        super().__init__()
        self.pooling: Pooling = pooling
        row, column = (1, 3), (3, 1)
        self.branch1x1 = _Unit(inputs, 320, 1)
        self.branch3x3_1 = _Unit(inputs, 384, 1)
        self.branch3x3_2a = _Unit(384, 384, row)
        self.branch3x3_2b = _Unit(384, 384, column)
        self.branch3x3dbl_1 = _Unit(inputs, 448, 1)
        self.branch3x3dbl_2 = _Unit(448, 384, 3)
        self.branch3x3dbl_3a = _Unit(384, 384, row)
        self.branch3x3dbl_3b = _Unit(384, 384, column)
        self.branch_pool = _Unit(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        once = self.branch3x3_1(x)
        twice = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pair, double_pair = (self.branch3x3_2a, self.branch3x3_2b), (self.branch3x3dbl_3a, self.branch3x3dbl_3b)
        branches = [self.branch1x1(x), *(unit(once) for unit in pair), *(unit(twice) for unit in double_pair)]
        return torch.cat([*branches, self.branch_pool(pooled(x, self.pooling))], dim=1)


class Inception(nn.Module):
    """Inception-v3 without its auxiliary classifier."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        tensorflow = variant == "tensorflow"
        average: Pooling = "inner average" if tensorflow else "average"
        self.Conv2d_1a_3x3 = _Unit(3, 32, 3, stride=2, padding=0)
        self.Conv2d_2a_3x3 = _Unit(32, 32, 3, padding=0)
        self.Conv2d_2b_3x3 = _Unit(32, 64, 3)
        self.Conv2d_3b_1x1 = _Unit(64, 80, 1)
        self.Conv2d_4a_3x3 = _Unit(80, 192, 3, padding=0)
        self.Mixed_5b = _BlockA(192, 32, average)
        self.Mixed_5c = _BlockA(256, 64, average)
        self.Mixed_5d = _BlockA(288, 64, average)
        self.Mixed_6a = _BlockB(288)
        self.Mixed_6b = _BlockC(768, 128, average)
        self.Mixed_6c = _BlockC(768, 160, average)
        self.Mixed_6d = _BlockC(768, 160, average)
        self.Mixed_6e = _BlockC(768, 192, average)
        self.Mixed_7a = _BlockD(768)
        self.Mixed_7b = _BlockE(1280, average)
        self.Mixed_7c = _BlockE(2048, "maximum" if tensorflow else average)
        self.fc = nn.Linear(2048, CLASSES[variant])

    def forward(self, images: Tensor) -> Tensor:
        """pool3 features, (N, 2048), of RGB images in [-1, 1]."""
        check_shape(images, 3, Least(SMALLEST_PX), Least(SMALLEST_PX), network="Inception")
        x: Tensor = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, stride=2)))
        x = F.max_pool2d(x, 3, stride=2)
        for name in BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean(dim=(2, 3))

    def logits(self, pool3: Tensor) -> Tensor:
        """Class scores before the softmax."""
        scores: Tensor = self.fc(pool3)
        return scores


BLOCKS = tuple(f"Mixed_{block}" for block in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"))


def legacy_input(images: Tensor, size_px: int = 299) -> Tensor:
    """The network's input from RGB in [0, 1] of any size, as pytorch-fid makes it: plain bilinear, then 2x - 1."""
    resized = F.interpolate(images, size=(size_px, size_px), mode="bilinear", align_corners=False)
    return 2 * resized - 1


def clean_input(images: Tensor) -> Tensor:
    """The network's input from RGB in 0..255 of the right size, as clean-fid and NVIDIA's metrics scale it."""
    return (images - 128) / 128


def torchvision_input(images: Tensor) -> Tensor:
    """What torchvision's pretrained network does before its first layer: it takes images for brought to ImageNet's mean
    and spread of channels, and brings them to [-1, 1], once more where they were there already.
    """
    mean, spread = (torch.tensor(of).view(3, 1, 1) for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    return images * (spread / 0.5) + (mean - 0.5) / 0.5


def from_torchvision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Torchvision's ``inception_v3`` weights without the auxiliary classifier, which only training uses."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("AuxLogits.")}


def from_nvidia(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """NVIDIA's TorchScript weights under torchvision's names.

    Its batch norms have no scale, that is, a scale of one. Names after miemie2013/miemieGAN
    ``tools/inception_convert_weights.py`` (8d13602773f6) and ``mmgan/models/networks/inception_pytorch.py``
    (6f1483229d8c).
    """
    renamed = {}
    for name, tensor in tensors.items():
        if name.startswith("output."):
            renamed[name.replace("output.", "fc.")] = tensor
            continue
        unit, part = name.removeprefix("layers.").rsplit(".", 1)
        target = _torchvision_unit(unit)
        renamed[f"{target}.{_NVIDIA_PARTS.get(part, part)}"] = tensor
        if part == "beta":
            renamed[f"{target}.bn.weight"] = torch.ones_like(tensor)
    return renamed


def _torchvision_unit(unit: str) -> str:
    if "." not in unit:
        return _NVIDIA_STEM.get(unit, unit)
    block, branch = unit.split(".", 1)
    target = dict(zip(_NVIDIA_BLOCKS, BLOCKS, strict=True)).get(block, block)
    return f"{target}.{_NVIDIA_BRANCHES.get(target, {}).get(branch, branch)}"


_NVIDIA_PARTS = {"weight": "conv.weight", "beta": "bn.bias", "mean": "bn.running_mean", "var": "bn.running_var"}
_NVIDIA_STEM = {
    "conv": "Conv2d_1a_3x3",
    "conv_1": "Conv2d_2a_3x3",
    "conv_2": "Conv2d_2b_3x3",
    "conv_3": "Conv2d_3b_1x1",
    "conv_4": "Conv2d_4a_3x3",
}
_NVIDIA_BLOCKS = ("mixed", *(f"mixed_{i}" for i in range(1, 11)))


def _tower(source: str, target: str, count: int) -> dict[str, str]:
    """``tower.conv``, ``tower.conv_1``, ... are ``branch_1``, ``branch_2``, ..."""
    return {f"{source}.conv{f'_{i}' if i else ''}": f"{target}_{i + 1}" for i in range(count)}


_ONE_AND_POOL = {"conv": "branch1x1", "tower_2.conv": "branch_pool"}
_A = _ONE_AND_POOL | _tower("tower", "branch5x5", 2) | _tower("tower_1", "branch3x3dbl", 3)
_B = {"conv": "branch3x3"} | _tower("tower", "branch3x3dbl", 3)
_C = _ONE_AND_POOL | _tower("tower", "branch7x7", 3) | _tower("tower_1", "branch7x7dbl", 5)
_D = _tower("tower", "branch3x3", 2) | _tower("tower_1", "branch7x7x3", 4)
_E = {
    "conv": "branch1x1",
    "tower_conv": "branch3x3_1",
    "tower_mixed_conv": "branch3x3_2a",
    "tower_mixed_conv_1": "branch3x3_2b",
    "tower_1_conv": "branch3x3dbl_1",
    "tower_1_conv_1": "branch3x3dbl_2",
    "tower_1_mixed_conv": "branch3x3dbl_3a",
    "tower_1_mixed_conv_1": "branch3x3dbl_3b",
    "tower_2_conv": "branch_pool",
}
_NVIDIA_BRANCHES = dict(zip(BLOCKS, (_A, _A, _A, _B, _C, _C, _C, _C, _D, _E, _E), strict=True))
