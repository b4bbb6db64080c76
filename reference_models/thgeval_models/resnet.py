"""ResNet-50 without its classifier, under torchvision's names: the trunk of hyperIQA and Deep3DFaceRecon.

Paper     He et al., Deep Residual Learning for Image Recognition, CVPR 2016; the stride sits in the 3x3 convolution
Names and shapes after torchvision ``models/resnet.py`` (BSD-3-Clause).
"""

import torch.nn.functional as F
from torch import Tensor, nn

STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPANSION = 4
CHANNELS = tuple(EXPANSION * width for width, _ in STAGES)


class ResNet50(nn.Module):
    """Four stages of bottleneck blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for i, (width, count) in enumerate(STAGES, start=1):
            first = _Bottleneck(inputs, width, stride=1 if i == 1 else 2)
            inputs = EXPANSION * width
            others = (_Bottleneck(inputs, width, stride=1) for _ in range(count - 1))
            self.add_module(f"layer{i}", nn.Sequential(first, *others))

    def stages(self, images: Tensor) -> list[Tensor]:
        """The maps after each stage, at a quarter to a thirty-second of the size, of normalised images."""
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(images))), 3, stride=2, padding=1)
        maps = []
        for i in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"layer{i}")(x)
            maps.append(x)
        return maps


class _Bottleneck(nn.Module):
    """1x1 to few channels, 3x3, 1x1 to many, added to the input."""

    def __init__(self, inputs: int, width: int, *, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))
