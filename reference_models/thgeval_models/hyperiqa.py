"""hyperIQA: image quality without a reference, by a small network whose weights another network writes for each image.

Paper     Su et al., Blindly Assess Image Quality in the Wild Guided by a Self-Adaptive Hyper Network, CVPR 2020
Weights   ``koniq_pretrained.pkl`` of SSL92/hyperIQA, trained on KonIQ-10k (code MIT, none stated for the weights)
Input     crops of RGB images, (N, 3, 224, 224), in [0, 1]; normalised inside the network
Output    quality, (N,), about 0 to 100, higher is better

A ResNet-50 sees the crop. Its four stages, pooled, become a vector of 224 numbers; its last map becomes the weights of
five dense layers, which turn that vector into one number.

Names and shapes after SSL92/hyperIQA ``models.py`` (8be5a29ecc6a), the sizes after its ``demo.py`` (86a318775d8a).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from thgeval_models import resnet
from thgeval_models.inputs import IMAGENET_MEAN, IMAGENET_STD, check_shape, standardised

SIZE_PX = 224
GRID = 7
DISTORTION_CHANNELS = (16, 32, 64)  # per stage, before pooling to 8x8, 4x4 and 2x2 places
DISTORTION_NUMBERS = 16
HYPER_CHANNELS = 112
NARROWING = (2048, 1024, 512, HYPER_CHANNELS)
TARGET_SIZES = (224, 112, 56, 28, 14)


def build() -> "HyperIQA":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return HyperIQA().eval()


class HyperIQA(nn.Module):
    """The network that writes, and the five layers it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.res = _DistortionAware()
        layers = [(nn.Conv2d(inputs, outputs, 1), nn.ReLU()) for inputs, outputs in pairwise(NARROWING)]
        self.conv1 = nn.Sequential(*(part for layer in layers for part in layer))
        for i, (inputs, outputs) in enumerate(pairwise(TARGET_SIZES), start=1):
            self.add_module(f"fc{i}w_conv", nn.Conv2d(HYPER_CHANNELS, inputs * outputs // GRID**2, 3, padding=1))
            self.add_module(f"fc{i}b_fc", nn.Linear(HYPER_CHANNELS, outputs))
        self.fc5w_fc = nn.Linear(HYPER_CHANNELS, TARGET_SIZES[-1])
        self.fc5b_fc = nn.Linear(HYPER_CHANNELS, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Quality of each crop, (N,)."""
        check_shape(crops, 3, SIZE_PX, SIZE_PX, network="hyperIQA")
        judged, last_map = self.res(standardised(crops, IMAGENET_MEAN, IMAGENET_STD))
        seen = self.conv1(last_map)
        summary = seen.mean(dim=(2, 3))
        for i, (inputs, outputs) in enumerate(pairwise(TARGET_SIZES), start=1):
            weight = self.get_submodule(f"fc{i}w_conv")(seen).reshape(-1, outputs, inputs)
            bias = self.get_submodule(f"fc{i}b_fc")(summary)
            judged = torch.sigmoid(torch.einsum("noi,ni->no", weight, judged) + bias)
        quality: Tensor = (self.fc5w_fc(summary) * judged).sum(dim=1) + self.fc5b_fc(summary)[:, 0]
        return quality


class _DistortionAware(resnet.ResNet50):
    """ResNet-50 and, from each stage, a few numbers about local distortions."""

    def __init__(self) -> None:
        super().__init__()
        for i, channels in enumerate(DISTORTION_CHANNELS):
            squeeze = nn.Conv2d(resnet.CHANNELS[i], channels, 1, bias=False)
            self.add_module(f"lda{i + 1}_pool", nn.Sequential(squeeze, nn.AvgPool2d(7)))
            places = (SIZE_PX // 4 // 2**i // 7) ** 2
            self.add_module(f"lda{i + 1}_fc", nn.Linear(channels * places, DISTORTION_NUMBERS))
        self.lda4_fc = nn.Linear(resnet.CHANNELS[3], TARGET_SIZES[0] - 3 * DISTORTION_NUMBERS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.stages(images)
        pooled = [self.get_submodule(f"lda{i}_pool")(maps[i - 1]).flatten(1) for i in (1, 2, 3)]
        numbers = [self.get_submodule(f"lda{i}_fc")(places) for i, places in enumerate(pooled, start=1)]
        numbers.append(self.lda4_fc(maps[3].mean(dim=(2, 3))))
        return torch.cat(numbers, dim=1), maps[3]
