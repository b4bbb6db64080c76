"""FAN: 68 landmarks of a face as heat maps, from a stack of four hourglasses.

Paper     Bulat and Tzimiropoulos, How far are we from solving the 2D & 3D Face Alignment problem?, ICCV 2017
Weights   ``2DFAN4-11f355bf06.pth.tar`` of 1adrianb/face-alignment (BSD-3-Clause with the code)
Input     RGB faces, (N, 3, 256, 256), in [0, 1]
Output    one heat map for each landmark, (N, 68, 64, 64), from the last hourglass

Blocks of three 3x3 convolutions, each after its own batch norm, whose outputs stand side by side. Every hourglass but
the last passes what it saw, and its heat maps, on to the next.

Names and shapes after face-alignment 1.5.0 ``face_alignment/models/fan.py``.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import check_shape

SIZE_PX = 256
POINTS = 68
STACK, DEPTH, CHANNELS = 4, 4, 256


def build() -> "FAN":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return FAN().eval()


class FAN(nn.Module):
    """The 2DFAN-4 network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2, self.conv3, self.conv4 = _Block(64, 128), _Block(128, 128), _Block(128, CHANNELS)
        for i in range(STACK):
            self.add_module(f"m{i}", _Hourglass())
            self.add_module(f"top_m_{i}", _Block(CHANNELS, CHANNELS))
            self.add_module(f"conv_last{i}", nn.Conv2d(CHANNELS, CHANNELS, 1))
            self.add_module(f"bn_end{i}", nn.BatchNorm2d(CHANNELS))
            self.add_module(f"l{i}", nn.Conv2d(CHANNELS, POINTS, 1))
            if i < STACK - 1:
                self.add_module(f"bl{i}", nn.Conv2d(CHANNELS, CHANNELS, 1))
                self.add_module(f"al{i}", nn.Conv2d(POINTS, CHANNELS, 1))

    def forward(self, faces: Tensor) -> Tensor:
        """Heat maps, (N, 68, 64, 64), of RGB faces in [0, 1]."""
        check_shape(faces, 3, SIZE_PX, SIZE_PX, network="FAN")
        x = F.avg_pool2d(self.conv2(F.relu(self.bn1(self.conv1(faces)))), 2)
        x = self.conv4(self.conv3(x))
        for i in range(STACK):
            seen = self._part(f"top_m_{i}", self._part(f"m{i}", x))
            seen = F.relu(self._part(f"bn_end{i}", self._part(f"conv_last{i}", seen)))
            maps = self._part(f"l{i}", seen)
            if i < STACK - 1:
                x = x + self._part(f"bl{i}", seen) + self._part(f"al{i}", maps)
        return maps

    def _part(self, name: str, x: Tensor) -> Tensor:
        out: Tensor = self.get_submodule(name)(x)
        return out


class _Block(nn.Module):
    """Three convolutions in a row, of a half, a quarter and a quarter of the channels, side by side and added to x."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        sizes = (inputs, outputs // 2, outputs // 4, outputs // 4)
        for i in range(1, 4):
            self.add_module(f"bn{i}", nn.BatchNorm2d(sizes[i - 1]))
            self.add_module(f"conv{i}", nn.Conv2d(sizes[i - 1], sizes[i], 3, padding=1, bias=False))
        self.downsample: nn.Module = nn.Identity()
        if inputs != outputs:
            widening = nn.Conv2d(inputs, outputs, 1, bias=False)
            self.downsample = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU(), widening)

    def forward(self, x: Tensor) -> Tensor:
        parts, last = [], x
        for i in range(1, 4):
            last = self.get_submodule(f"conv{i}")(F.relu(self.get_submodule(f"bn{i}")(last)))
            parts.append(last)
        out: Tensor = torch.cat(parts, dim=1) + self.downsample(x)
        return out


class _Hourglass(nn.Module):
    """At each of four scales: what is seen here, plus what is seen at half the size, brought back."""

    def __init__(self) -> None:
        super().__init__()
        for level in range(1, DEPTH + 1):
            for name in ("b1", "b2", "b3"):
                self.add_module(f"{name}_{level}", _Block(CHANNELS, CHANNELS))
        self.b2_plus_1 = _Block(CHANNELS, CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        return self._level(x, DEPTH)

    def _level(self, x: Tensor, level: int) -> Tensor:
        here = self.get_submodule(f"b1_{level}")(x)
        small = self.get_submodule(f"b2_{level}")(F.avg_pool2d(x, 2))
        small = self._level(small, level - 1) if level > 1 else self.b2_plus_1(small)
        small = self.get_submodule(f"b3_{level}")(small)
        out: Tensor = here + F.interpolate(small, scale_factor=2, mode="nearest")
        return out
