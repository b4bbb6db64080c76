"""Inception-ResNet-v1: FaceNet as facenet-pytorch has it.

Paper     Schroff, Kalenichenko and Philbin, FaceNet: A Unified Embedding for Face Recognition, CVPR 2015; network of
          Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections, AAAI 2017
Weights   ``20180402-114759-vggface2.pt`` and ``20180408-102900-casia-webface.pt`` of timesler/facenet-pytorch (MIT),
          converted from davidsandberg/facenet
Input     RGB faces, (N, 3, 160, 160), (x - 127.5) / 128 of 0..255
Output    embeddings of unit length, (N, 512)

Names and shapes after facenet-pytorch 2.6.0 ``models/inception_resnet_v1.py``. The files also hold ``logits.*``, the
classifier of the training; ``embedding_tensors`` leaves it out.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import Least, check_shape

DIMENSIONS = 512
SMALLEST_PX = 75


def build() -> "InceptionResNetV1":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return InceptionResNetV1().eval()


def embedding_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published file's tensors without the classifier of its training."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith("logits.")}


class InceptionResNetV1(nn.Module):
    """Stem, three stages of residual Inception blocks, and a linear embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d_1a = _Unit(3, 32, 3, stride=2)
        self.conv2d_2a = _Unit(32, 32, 3)
        self.conv2d_2b = _Unit(32, 64, 3, padding=1)
        self.conv2d_3b = _Unit(64, 80, 1)
        self.conv2d_4a = _Unit(80, 192, 3)
        self.conv2d_4b = _Unit(192, 256, 3, stride=2)
        self.repeat_1 = nn.Sequential(*(_Block35() for _ in range(5)))
        self.mixed_6a = _Halve6a()
        self.repeat_2 = nn.Sequential(*(_Block17() for _ in range(10)))
        self.mixed_7a = _Halve7a()
        self.repeat_3 = nn.Sequential(*(_Block8(scale=0.2) for _ in range(5)))
        self.block8 = _Block8(scale=1.0, activated=False)
        self.last_linear = nn.Linear(1792, DIMENSIONS, bias=False)
        self.last_bn = nn.BatchNorm1d(DIMENSIONS, eps=1e-3)

    def forward(self, faces: Tensor) -> Tensor:
        """Embeddings of unit length, (N, 512)."""
        check_shape(faces, 3, Least(SMALLEST_PX), Least(SMALLEST_PX), network="InceptionResNetV1")
        x = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a(faces)))
        x = self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(F.max_pool2d(x, 3, stride=2))))
        x = self.repeat_2(self.mixed_6a(self.repeat_1(x)))
        x = self.block8(self.repeat_3(self.mixed_7a(x)))
        return F.normalize(self.last_bn(self.last_linear(x.mean(dim=(2, 3)))), dim=1)


class _Unit(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], *, stride: int = 1, padding: int | str = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Block35(nn.Module):
    """1x1, 3x3 and twice 3x3 side by side, joined by 1x1 and added to the input at 0.17."""

    def __init__(self) -> None:
        super().__init__()
        self.branch0 = _Unit(256, 32, 1)
        self.branch1 = nn.Sequential(_Unit(256, 32, 1), _Unit(32, 32, 3, padding=1))
        self.branch2 = nn.Sequential(_Unit(256, 32, 1), _Unit(32, 32, 3, padding=1), _Unit(32, 32, 3, padding=1))
        self.conv2d = nn.Conv2d(96, 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([self.branch0(x), self.branch1(x), self.branch2(x)], dim=1)
        return F.relu(x + 0.17 * self.conv2d(joined))


class _Block17(nn.Module):
    """1x1 and a 7x7 window factored into a row and a column, added at 0.1."""

    def __init__(self) -> None:
        super().__init__()
        row, column = _Unit(128, 128, (1, 7), padding="same"), _Unit(128, 128, (7, 1), padding="same")
        self.branch0 = _Unit(896, 128, 1)
        self.branch1 = nn.Sequential(_Unit(896, 128, 1), row, column)
        self.conv2d = nn.Conv2d(256, 896, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + 0.1 * self.conv2d(torch.cat([self.branch0(x), self.branch1(x)], dim=1)))


class _Block8(nn.Module):
    """1x1 and a 3x3 window factored into a row and a column; the last one is added in full and has no ReLU."""

    def __init__(self, *, scale: float, activated: bool = True) -> None:
        super().__init__()
        self.scale, self.activated = scale, activated
        row, column = _Unit(192, 192, (1, 3), padding="same"), _Unit(192, 192, (3, 1), padding="same")
        self.branch0 = _Unit(1792, 192, 1)
        self.branch1 = nn.Sequential(_Unit(1792, 192, 1), row, column)
        self.conv2d = nn.Conv2d(384, 1792, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.scale * self.conv2d(torch.cat([self.branch0(x), self.branch1(x)], dim=1))
        return F.relu(out) if self.activated else out


class _Halve6a(nn.Module):
    """Halves the grid: 3x3, twice 3x3, and the maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.branch0 = _Unit(256, 384, 3, stride=2)
        self.branch1 = nn.Sequential(_Unit(256, 192, 1), _Unit(192, 192, 3, padding=1), _Unit(192, 256, 3, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.branch0(x), self.branch1(x), F.max_pool2d(x, 3, stride=2)], dim=1)


class _Halve7a(nn.Module):
    """Halves the grid: 3x3, 3x3 again, twice 3x3, and the maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.branch0 = nn.Sequential(_Unit(896, 256, 1), _Unit(256, 384, 3, stride=2))
        self.branch1 = nn.Sequential(_Unit(896, 256, 1), _Unit(256, 256, 3, stride=2))
        self.branch2 = nn.Sequential(_Unit(896, 256, 1), _Unit(256, 256, 3, padding=1), _Unit(256, 256, 3, stride=2))

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.branch0(x), self.branch1(x), self.branch2(x), F.max_pool2d(x, 3, stride=2)]
        return torch.cat(branches, dim=1)
