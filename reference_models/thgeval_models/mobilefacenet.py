"""MobileFaceNet: a face recogniser of one million parameters.

Paper     Chen et al., MobileFaceNets: Efficient CNNs for Accurate Face Verification on Mobile Devices, CCBR 2018
Weights   ``mobilefacenet.pt`` of foamliu/MobileFaceNet (Apache-2.0), trained with the ArcFace loss
Input     RGB faces, (N, 3, 112, 112), in [0, 1], aligned to the five-point template; normalised inside the network
Output    embeddings, (N, 128), of any length

Inverted residuals as in MobileNet V2, but the last 7x7 map is weighted place by place (a depthwise 7x7 convolution)
instead of averaged. Names and shapes after foamliu/MobileFaceNet ``mobilefacenet.py`` (a687c71bea83), the normalisation
after its ``data_gen.py``.
"""

import torch
from torch import Tensor, nn

from thgeval_models.inputs import IMAGENET_MEAN, IMAGENET_STD, check_shape, standardised

SIZE_PX = 112
DIMENSIONS = 128
STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Widening, channels, blocks, stride of the first block."""


def build() -> "MobileFaceNet":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return MobileFaceNet().eval()


class MobileFaceNet(nn.Module):
    """The 112-pixel, 128-dimensional network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _convolution(3, 64, 3, stride=2)
        self.dw_conv = _Separable(64, 64)
        self.features = nn.Sequential()
        inputs = 64
        for widening, channels, count, stride in STAGES:
            for i in range(count):
                self.features.append(_InvertedResidual(inputs, channels, widening, stride=1 if i else stride))
                inputs = channels
        self.conv2 = _convolution(inputs, 512, 1)
        self.gdconv = _PlaceWeights(512)
        self.conv3 = nn.Conv2d(512, DIMENSIONS, 1)
        self.bn = nn.BatchNorm2d(DIMENSIONS)

    def forward(self, faces: Tensor) -> Tensor:
        """Embeddings, (N, 128), of RGB faces in [0, 1]."""
        check_shape(faces, 3, SIZE_PX, SIZE_PX, network="MobileFaceNet")
        x = self.dw_conv(self.conv1(standardised(faces, IMAGENET_MEAN, IMAGENET_STD)))
        embeddings: Tensor = self.bn(self.conv3(self.gdconv(self.conv2(self.features(x))))).flatten(1)
        return embeddings


def _convolution(inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, and a ReLU that ends at 6."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6())


class _Separable(nn.Module):
    """3x3 within each channel, then 1x1 across channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.depthwise(x)).relu()
        out: Tensor = self.bn2(self.pointwise(x)).relu()
        return out


class _InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow; the sum with the input wherever the shapes agree."""

    def __init__(self, inputs: int, outputs: int, widening: int, *, stride: int) -> None:
        super().__init__()
        wide = inputs * widening
        self.adds_input = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            _convolution(inputs, wide, 1),
            _convolution(wide, wide, 3, stride=stride, groups=wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.adds_input else out


class _PlaceWeights(nn.Module):
    """One weight for each channel and place of the 7x7 map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, groups=channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.bn(self.depthwise(x))
        return out
