"""Embeddings by VGG-16 with random weights, for images and for clips: nothing to download, nothing learned from data.

Paper     Naeem et al., Reliable Fidelity and Diversity Metrics for Generative Models, ICML 2020 (the embedding R64)
Weights   computed from a seed by integer arithmetic, so that all machines and library versions get the same bits;
          ``fingerprint`` is their sha256, frozen in ``weights.toml`` under random-vgg16 and random-vgg16-3d
Input     RGB in [0, 1]; images (N, 3, H, W) of at least 32 px, clips (N, 3, T, H, W) of at least 8 frames and 32 px
Output    (N, 64)
Departs   the paper keeps VGG's dense layers; here the last map is averaged and a single dense layer follows, so that
          images may have any size. The clip network is half as wide and convolves over time too.

Each weight is a hash of its position. The hash is splitmix64 (Steele, Lea and Flood, OOPSLA 2014); its four 16-bit
parts are added, which gives a bell curve without the logarithms and cosines that differ between libraries in the last
bit. The variance is 2 / fan-in (He et al., ICCV 2015), biases are zero.
"""

import hashlib
import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from thgeval_models.inputs import Least, check_shape
from thgeval_models.loading import fit

Kind = Literal["image", "clip"]

SEED = 20200713
DIMENSIONS = 64
STAGES = (2, 2, 3, 3, 3)  # convolutions before each halving
WIDTHS: dict[Kind, tuple[int, ...]] = {"image": (64, 128, 256, 512, 512), "clip": (32, 64, 128, 256, 256)}
SMALLEST_PX = 32
SMALLEST_FRAMES = 8

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LANE_SUM_MEAN = 4 * 65535 // 2
_LANE_SUM_STD = math.sqrt((2.0**32 - 1) / 3)  # four independent integers, uniform on 0..65535


def build(kind: Kind = "image", seed: int = SEED) -> "RandomVGG":
    """The embedding network, with its weights."""
    with torch.device("meta"):
        network = RandomVGG(kind)
    tensors = {}
    for stream, (name, parameter) in enumerate(network.named_parameters()):
        shape = tuple(parameter.shape)
        is_bias = name.endswith("bias")
        tensors[name] = torch.zeros(shape) if is_bias else torch.from_numpy(weights(shape, seed=seed, stream=stream))
    return fit(network, tensors)


class RandomVGG(nn.Module):
    """VGG-16's convolutions, the mean over the last map, and one dense layer."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.features = nn.Sequential(*_layers(kind))
        self.embedding = nn.Linear(WIDTHS[kind][-1], DIMENSIONS)

    def forward(self, samples: Tensor) -> Tensor:
        """Embeddings, (N, 64), of images (N, 3, H, W) or clips (N, 3, T, H, W) in [0, 1]."""
        px, frames = Least(SMALLEST_PX), Least(SMALLEST_FRAMES)
        sizes = (3, px, px) if self.kind == "image" else (3, frames, px, px)
        check_shape(samples, *sizes, network=f"RandomVGG ({self.kind})")
        embedded: Tensor = self.embedding(self.features(2 * samples - 1).flatten(2).mean(dim=2))
        return embedded


def fingerprint(network: RandomVGG) -> str:
    """The sha256 over the weights' bytes, little-endian float32, in the order of ``named_parameters``."""
    digest = hashlib.sha256()
    for _, parameter in network.named_parameters():
        digest.update(parameter.detach().cpu().numpy().astype("<f4").tobytes())
    return digest.hexdigest()


def weights(shape: tuple[int, ...], *, seed: int, stream: int) -> npt.NDArray[np.float32]:
    """Bell-shaped float32 numbers with variance 2 / fan-in; every ``stream`` is another sequence."""
    count = math.prod(shape)
    with np.errstate(over="ignore"):  # wrapping around at 2**64 is how the hash works
        positions = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream << 32)
        lanes = hashed(np.uint64(seed) + positions * _STEP).view("<u2").reshape(count, 4)
    centred = lanes.sum(axis=1, dtype=np.int64) - _LANE_SUM_MEAN
    scale = math.sqrt(2 / math.prod(shape[1:])) / _LANE_SUM_STD
    bell: npt.NDArray[np.float32] = (centred * scale).astype(np.float32).reshape(shape)
    return bell


def hashed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finishing function of splitmix64."""
    mixed = numbers
    with np.errstate(over="ignore"):
        for shift, factor in _MIXERS:
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed ^ (mixed >> np.uint64(31))).astype("<u8")


def _layers(kind: Kind) -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 3
    for stage, (count, outputs) in enumerate(zip(STAGES, WIDTHS[kind], strict=True)):
        for _ in range(count):
            convolution = nn.Conv2d if kind == "image" else nn.Conv3d
            layers += [convolution(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        halves_time = 1 <= stage <= 3  # eight frames become one
        layers.append(nn.MaxPool2d(2) if kind == "image" else nn.MaxPool3d((2 if halves_time else 1, 2, 2)))
    return layers
