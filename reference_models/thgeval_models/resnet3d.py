"""3D ResNet-50, trained on Kinetics-400: the network behind DisCo's FID-VID.

Paper     Hara, Kataoka, Satoh, Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?, CVPR 2018
Weights   ``resnet-50-kinetics.pth`` of kenshohara/3D-ResNets-PyTorch (MIT), its first release
Input     RGB, (N, 3, 16, 112, 112), in 0..255 less Kinetics' mean colour
Output    features, (N, 2048), averaged over what is left of time and place; ``logits`` gives 400 scores

Names and shapes after kenshohara/video-classification-3d-cnn-pytorch ``models/resnet.py`` and Wangt-CN/DisCo
``tool/metrics/resnet3d.py`` (c4fa48a), shortcuts of kind B.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import check_shape

FRAMES, SIZE_PX = 16, 112
CLASSES = 400
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPANSION = 4


def build() -> "ResNet3D":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return ResNet3D().eval()


class ResNet3D(nn.Module):
    """Four stages of bottleneck blocks over time and place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 64, 7, stride=(1, 2, 2), padding=3, bias=False)
        self.bn1 = nn.BatchNorm3d(64)
        inputs = 64
        for i, (width, count) in enumerate(STAGES, start=1):
            blocks = nn.Sequential(_Bottleneck(inputs, width, stride=1 if i == 1 else 2))
            inputs = EXPANSION * width
            blocks.extend(_Bottleneck(inputs, width, stride=1) for _ in range(count - 1))
            self.add_module(f"layer{i}", blocks)
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, clips: Tensor) -> Tensor:
        """Features, (N, 2048), of pieces of 16 frames."""
        check_shape(clips, 3, FRAMES, SIZE_PX, SIZE_PX, network="3D ResNet-50")
        x: Tensor = F.max_pool3d(F.relu(self.bn1(self.conv1(clips))), 3, stride=2, padding=1)
        for i in range(1, len(STAGES) + 1):
            x = self.get_submodule(f"layer{i}")(x)
        return x.mean(dim=(2, 3, 4))

    def logits(self, features: Tensor) -> Tensor:
        """Scores of 400 actions before the softmax."""
        scores: Tensor = self.fc(features)
        return scores


class _Bottleneck(nn.Module):
    """1x1x1 to few channels, 3x3x3, 1x1x1 to many, added to the input."""

    def __init__(self, inputs: int, width: int, *, stride: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1 = nn.Conv3d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm3d(width)
        self.conv2 = nn.Conv3d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm3d(width)
        self.conv3 = nn.Conv3d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if inputs != outputs:
            shortcut = nn.Conv3d(inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm3d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def from_checkpoint(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The published checkpoint's ``state_dict``, whose names begin with ``module.``, as those of this module."""
    named = {name.removeprefix("state_dict."): tensor for name, tensor in tensors.items()}
    return {
        name.removeprefix("module."): tensor
        for name, tensor in named.items()
        if name.startswith(("module.", "conv1.", "bn1.", "layer", "fc."))
    }
