"""SyncNet v2: lips and speech in one space, where distance tells how well they go together.

Paper     Chung and Zisserman, Out of Time: Automated Lip Sync in the Wild, ACCV workshops 2016
Weights   ``syncnet_v2.model`` of joonson/syncnet_python (code MIT, none stated for the weights)
Input     lips: face crops, (N, 3, T, 224, 224), T >= 5, **BGR** in 0..255, no mean removed, 25 frames per second
          speech: (N, 1, 13, 20), 13 MFCC rows and 20 columns of 10 ms, of 16 kHz int16 samples as they are
Output    lips: (N, T - 4, 1024), one embedding per five consecutive frames; speech: (N, 1024); of any length

Only the first layer of the lip stream looks across time, five frames wide. So a whole clip goes through at once, and
gives what its windows of five frames would give one by one.

Names and shapes after joonson/syncnet_python ``SyncNetModel.py`` (5befaa32e49a), which made the network 512 wide; files
from before that are 2048 wide and don't fit.
"""

import copy
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from thgeval_models.errors import ArchitectureError
from thgeval_models.inputs import Least, check_shape

SIZE_PX = 224
WINDOW_FRAMES = 5
MFCC_ROWS, MFCC_COLUMNS = 13, 20
WIDTH, DIMENSIONS = 512, 1024


def build() -> "SyncNet":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return SyncNet().eval()


def of_version_2(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The weights as they are; ArchitectureError for a file from before February 2019, which other figures rest on."""
    top = tensors.get("netfcaud.0.weight")
    if top is not None and max(top.shape) > 2 * WIDTH:
        raise ArchitectureError(
            f"These are weights of SyncNet's first version, {max(top.shape)} wide; "
            f"syncnet_v2.model is {WIDTH} wide and gives other figures."
        )
    return tensors


class SyncNet(nn.Module):
    """Two streams that end in the same space."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_flat(1, 64, 3, padding=1),
            nn.MaxPool2d(1),  # does nothing, but the published names count it
            *_flat(64, 192, 3, padding=1),
            nn.MaxPool2d(3, stride=(1, 2)),
            *_flat(192, 384, 3, padding=1),
            *_flat(384, 256, 3, padding=1),
            *_flat(256, 256, 3, padding=1),
            nn.MaxPool2d(3, stride=2),
            *_flat(256, WIDTH, (5, 4)),
        )
        self.netcnnlip = nn.Sequential(
            *_timed(3, 96, (WINDOW_FRAMES, 7, 7), stride=2),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)),
            *_timed(96, 256, (1, 5, 5), stride=2, padding=1),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
            *_timed(256, 256, (1, 3, 3), padding=1),
            *_timed(256, 256, (1, 3, 3), padding=1),
            *_timed(256, 256, (1, 3, 3), padding=1),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2)),
            *_timed(256, WIDTH, (1, 6, 6)),
        )
        self.netfcaud = _head()
        self.netfclip = _head()

    def lips(self, faces: Tensor) -> Tensor:
        """Embeddings of every five consecutive frames, (N, T - 4, 1024), of BGR face crops in 0..255."""
        check_shape(faces, 3, Least(WINDOW_FRAMES), SIZE_PX, SIZE_PX, network="SyncNet (lips)")
        seen = self.netcnnlip(faces).flatten(2).transpose(1, 2)
        embeddings: Tensor = self.netfclip(seen.flatten(0, 1)).unflatten(0, seen.shape[:2])
        return embeddings

    def speech(self, mfcc: Tensor) -> Tensor:
        """Embeddings, (N, 1024), of 0.2 s of speech each."""
        check_shape(mfcc, 1, MFCC_ROWS, MFCC_COLUMNS, network="SyncNet (speech)")
        embeddings: Tensor = self.netfcaud(self.netcnnaud(mfcc).flatten(1))
        return embeddings


def streams(network: SyncNet) -> tuple[nn.Sequential, nn.Sequential]:
    """Both streams of a fitted network for single windows: lips (N, 15, 224, 224) and speech (N, 1, 13, 20).

    The first layer of the lip stream is as long as the window, and no other looks across time, so all are convolutions
    of images: the 15 channels are blue in five frames, then green, then red. Batch normalisation is folded in.
    """
    lips = [_of_images(layer) for layer in network.netcnnlip]
    return (
        _folded([*lips, nn.Flatten(), *network.netfclip]),
        _folded([*network.netcnnaud, nn.Flatten(), *network.netfcaud]),
    )


def _of_images(layer: nn.Module) -> nn.Module:
    """A layer of the lip stream without the axis of time."""
    if isinstance(layer, nn.MaxPool3d):
        extents = (layer.kernel_size, layer.stride, layer.padding)
        size, stride, padding = (extent[1:] if isinstance(extent, tuple) else extent for extent in extents)
        return nn.MaxPool2d(size, stride, padding)
    if isinstance(layer, nn.Conv3d):
        weight, held = layer.weight.flatten(1, 2), cast("Any", layer)
        flat = nn.Conv2d(weight.shape[1], len(weight), held.kernel_size[1:], held.stride[1:], held.padding[1:])
        flat.weight, flat.bias = nn.Parameter(weight), layer.bias
        return flat
    return layer


@torch.no_grad()
def _folded(layers: list[nn.Module]) -> nn.Sequential:
    """Copies of the layers, each batch normalisation folded into the one before it."""
    kept: list[Any] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            norm: Any = layer
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            weight, bias = kept[-1].weight, kept[-1].bias
            weight.copy_(weight * scale.view(-1, *[1] * (weight.ndim - 1)))
            bias.copy_((bias - norm.running_mean) * scale + norm.bias)
        else:
            kept.append(copy.deepcopy(layer))
    return nn.Sequential(*kept).eval()


def _flat(inputs: int, outputs: int, kernel: int | tuple[int, int], *, padding: int = 0) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU()]


def _timed(
    inputs: int, outputs: int, kernel: tuple[int, int, int], *, stride: int = 1, padding: int = 0
) -> list[nn.Module]:
    """Convolution whose stride and padding concern rows and columns only."""
    across, around = (1, stride, stride), (0, padding, padding)
    return [nn.Conv3d(inputs, outputs, kernel, across, around), nn.BatchNorm3d(outputs), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU(), nn.Linear(WIDTH, DIMENSIONS))
