"""The word reader for LRW with a multi-scale temporal convolution: which of 500 words was in the middle of a clip.

Paper     Martinez, Ma, Petridis, Pantic, Lipreading Using Temporal Convolutional Networks, ICASSP 2020; Ma et al.,
          Towards Practical Lipreading with Distilled and Efficient Models, ICASSP 2021
Weights   ``resnet18_mstcn(adamw_s3)`` of mpc001/Lipreading_using_Temporal_Convolutional_Networks (non-commercial)
Input     mouths, (N, 1, T, 88, 88), grey, (x / 255 - 0.421) / 0.165, 29 frames at 25 per second
Output    (N, 500): scores of the words of LRW in the order of their names

Names and shapes after that repository's ``lipreading/model.py``, ``models/resnet.py`` and ``models/tcn.py``, with the
Swish of ``configs/lrw_resnet18_mstcn.json`` (b98500cf5495). Its convolutions along time pad both sides, then cut off
half of that at either end: which is padding by half.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from thgeval_models.inputs import Least, check_shape
from thgeval_models.loading import under

SIDE_PX, FRAMES, WORDS = 88, 29, 500
MEAN, SPREAD = 0.421, 0.165
STAGES = (64, 128, 256, 512)
KERNELS = (3, 5, 7)
BRANCH = 256
LEVELS = 4


def build() -> "WordReader":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return WordReader().eval()


def from_checkpoint(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The network's tensors in a published training checkpoint, which also holds the optimiser's."""
    return under(tensors, "model_state_dict.")


class WordReader(nn.Module):
    """Frames through a ResNet-18, then through convolutions of three widths along time."""

    def __init__(self) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, STAGES[0], (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(STAGES[0]),
            nn.SiLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = nn.Module()
        inputs = STAGES[0]
        for stage, width in enumerate(STAGES, start=1):
            first = _Block(inputs, width, stride=1 if stage == 1 else 2)
            self.trunk.add_module(f"layer{stage}", nn.Sequential(first, _Block(width, width, stride=1)))
            inputs = width
        self.tcn = nn.Module()
        self.tcn.mb_ms_tcn = nn.Module()
        outputs = BRANCH * len(KERNELS)
        levels = (_Level(STAGES[-1] if level == 0 else outputs, outputs, 2**level) for level in range(LEVELS))
        self.tcn.mb_ms_tcn.network = nn.Sequential(*levels)
        self.tcn.tcn_output = nn.Linear(outputs, WORDS)

    def embeddings(self, mouths: Tensor) -> Tensor:
        """What the network sees in each frame, before time is looked at: (N, T, 512)."""
        check_shape(mouths, 1, Least(1), SIDE_PX, SIDE_PX, network="the LRW word reader")
        maps = self.frontend3D(mouths).transpose(1, 2)
        x = maps.flatten(0, 1)
        for stage in range(1, len(STAGES) + 1):
            x = self.trunk.get_submodule(f"layer{stage}")(x)
        seen: Tensor = x.mean(dim=(2, 3)).unflatten(0, maps.shape[:2])
        return seen

    def forward(self, mouths: Tensor) -> Tensor:
        """Scores of words."""
        along = self.tcn.get_submodule("mb_ms_tcn.network")(self.embeddings(mouths).transpose(1, 2))
        scores: Tensor = self.tcn.get_submodule("tcn_output")(along.mean(dim=2))
        return scores


class _Block(nn.Module):
    """Two 3x3 convolutions, added to the input."""

    def __init__(self, inputs: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if inputs != width:
            shortcut = nn.Conv2d(inputs, width, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.silu(self.bn1(self.conv1(x)))))
        return F.silu(y + self.downsample(x))


class _Level(nn.Module):
    """Convolutions along time, three widths side by side, twice; added to the input."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        for branch, kernel in enumerate(KERNELS):
            self.add_module(f"cbcr0_{branch}", _Branch(inputs, kernel, dilation))
            self.add_module(f"cbcr1_{branch}", _Branch(outputs, kernel, dilation))
        self.downsample = nn.Conv1d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for half in range(2):
            branches = [self.get_submodule(f"cbcr{half}_{branch}")(y) for branch in range(len(KERNELS))]
            y = torch.cat(branches, dim=1)
        return F.silu(y + self.downsample(x))


class _Branch(nn.Module):
    """One convolution along time that keeps the length."""

    def __init__(self, inputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, BRANCH, kernel, padding=(kernel - 1) * dilation // 2, dilation=dilation)
        self.batchnorm = nn.BatchNorm1d(BRANCH)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(self.batchnorm(self.conv(x)))
