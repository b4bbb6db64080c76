"""LPIPS: how different two images look to a classification network.

Paper     Zhang et al., The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, CVPR 2018
Weights   trunk: torchvision's AlexNet, VGG-16 or SqueezeNet 1.1 (``features.*``, BSD-3-Clause); heads: one non-negative
          weight per channel and tapped layer, shipped in the ``lpips`` package (BSD-2-Clause)
Input     RGB, (N, 3, H, W), in [-1, 1]; version 0.1 then shifts and scales per channel, version 0.0 forgot to
Output    (N,), 0 for equal images, no upper bound

Feature maps are scaled to unit length over the channels, subtracted, squared, weighted, averaged over the image and
summed over the layers. Facts after richzhang/PerceptualSimilarity ``lpips/lpips.py`` and
``lpips/pretrained_networks.py`` (0.1.4).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.errors import MissingPackageError
from thgeval_models.inputs import Least, check_shape, standardised
from thgeval_models.manifest import packaged_path, weights

Trunk = Literal["alex", "vgg", "squeeze"]
Version = Literal["0.1", "0.0"]

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
EPSILON = 1e-10  # added to the length of a feature vector, so that black patches don't divide by zero

TAPS: dict[Trunk, tuple[int, ...]] = {
    "alex": (1, 4, 7, 9, 11),
    "vgg": (3, 8, 15, 22, 29),
    "squeeze": (1, 4, 7, 9, 10, 11, 12),
}
CHANNELS: dict[Trunk, tuple[int, ...]] = {
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
}
SMALLEST_PX: dict[Trunk, int] = {"alex": 31, "vgg": 16, "squeeze": 16}


def build(trunk: Trunk = "alex", version: Version = "0.1") -> "LPIPS":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return LPIPS(trunk, version).eval()


class LPIPS(nn.Module):
    """A trunk and its heads."""

    def __init__(self, trunk: Trunk, version: Version) -> None:
        super().__init__()
        self.trunk: Trunk = trunk
        self.version: Version = version
        self.features = _TRUNKS[trunk]()
        for i, channels in enumerate(CHANNELS[trunk]):
            self.add_module(f"lin{i}", _Head(channels))

    def forward(self, *, generated: Tensor, reference: Tensor) -> Tensor:
        """One distance per pair of images, (N,)."""
        maps = self.layer_maps(generated=generated, reference=reference)
        return torch.stack([layer.mean(dim=(1, 2, 3)) for layer in maps]).sum(0)

    def described(self, images: Tensor) -> Tensor:
        """Maps of every image, flat and scaled so that squared distances are ``forward``: (N, numbers)."""
        flat = []
        for i, taps in enumerate(self._taps(images)):
            weights = self.get_parameter(f"lin{i}.model.1.weight").clamp(min=0).sqrt().reshape(1, -1, 1, 1)
            flat.append((_unit_length(taps) * weights).flatten(1) / taps[0, 0].numel() ** 0.5)
        return torch.cat(flat, dim=1)

    def distance_map(self, *, generated: Tensor, reference: Tensor) -> Tensor:
        """The distance at every pixel, (N, 1, H, W); its mean is only close to ``forward``, as maps are enlarged."""
        maps = self.layer_maps(generated=generated, reference=reference)
        size = generated.shape[2:]
        enlarged = [F.interpolate(layer, size=size, mode="bilinear", align_corners=False) for layer in maps]
        return torch.stack(enlarged).sum(0)

    def map_mean(self, *, generated: Tensor, reference: Tensor) -> Tensor:
        """The mean of each pair's ``distance_map``, (N,)."""
        return self.distance_map(generated=generated, reference=reference).mean(dim=(1, 2, 3))

    def layer_maps(self, *, generated: Tensor, reference: Tensor) -> list[Tensor]:
        """Weighted squared differences at every tapped layer, each (N, 1, h, w)."""
        pairs = zip(self._taps(generated), self._taps(reference), strict=True)
        return [
            self.get_submodule(f"lin{i}")((_unit_length(mine) - _unit_length(theirs)) ** 2)
            for i, (mine, theirs) in enumerate(pairs)
        ]

    def _taps(self, images: Tensor) -> list[Tensor]:
        smallest = Least(SMALLEST_PX[self.trunk])
        check_shape(images, 3, smallest, smallest, network=f"LPIPS-{self.trunk}")
        x = standardised(images, SHIFT, SCALE) if self.version == "0.1" else images
        taps = []
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in TAPS[self.trunk]:
                taps.append(x)
        return taps


def trunk_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What LPIPS needs of torchvision's classifier weights: the convolutions, not the classifier."""
    return {name: tensor for name, tensor in tensors.items() if name.startswith("features.")}


def packaged_heads(trunk: Trunk, version: Version = "0.1") -> Path:
    """The heads' file inside the installed ``lpips`` package."""
    path = packaged_path(weights(f"lpips-{trunk}" if version == "0.1" else f"lpips-{trunk}-v00"))
    if path is None:
        raise MissingPackageError("The LPIPS heads come with an optional package: pip install lpips")
    return path


def _unit_length(features: Tensor) -> Tensor:
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + EPSILON)


class _Head(nn.Module):
    """A weight per channel. Position 0 was a dropout in training; it keeps the published name ``model.1.weight``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        weighted: Tensor = self.model(x)
        return weighted


class _Fire(nn.Module):
    """SqueezeNet's block: narrow to few channels, widen by 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


def _alexnet() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    )


def _vgg16() -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs = 3
    for stage, (outputs, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))):
        if stage:
            layers.append(nn.MaxPool2d(2))
        for _ in range(count):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
    return nn.Sequential(*layers)


def _squeezenet() -> nn.Sequential:
    def halve() -> nn.Module:
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)

    return nn.Sequential(
        nn.Conv2d(3, 64, 3, stride=2),
        nn.ReLU(),
        halve(),
        _Fire(64, 16, 64),
        _Fire(128, 16, 64),
        halve(),
        _Fire(128, 32, 128),
        _Fire(256, 32, 128),
        halve(),
        _Fire(256, 48, 192),
        _Fire(384, 48, 192),
        _Fire(384, 64, 256),
        _Fire(512, 64, 256),
    )


_TRUNKS: dict[Trunk, Callable[[], nn.Sequential]] = {"alex": _alexnet, "vgg": _vgg16, "squeeze": _squeezenet}
