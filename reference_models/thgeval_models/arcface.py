"""ArcFace's residual networks: r50 and r100 of InsightFace, and the IR-SE50 of a well-known port.

Paper     Deng et al., ArcFace: Additive Angular Margin Loss for Deep Face Recognition, CVPR 2019
Weights   ``backbone.pth`` of deepinsight/insightface's arcface_torch (non-commercial research);
          ``w600k_r50.onnx`` of its model zoo, by way of ``from_onnx`` (the same terms);
          ``model_ir_se50.pth`` of TreB1eN/InsightFace_Pytorch (no licence for the weights)
Input     RGB faces, (N, 3, 112, 112), in [-1, 1], aligned to the five-point template unless a metric says otherwise
Output    embeddings, (N, 512); of unit length from IR-SE50, of any length from r50 and r100, as in the originals

Both stack the same residual unit: batch norm, 3x3, (batch norm,) PReLU, 3x3 with the stride, batch norm. They name the
parts differently, IR-SE50 weighs the channels of each unit at its end and has no batch norm before the PReLU.

Names and shapes after ``recognition/arcface_torch/backbones/iresnet.py`` (04a433f154de) and TreB1eN's ``model.py``
(016916f3357a).
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import check_shape

Depth = Literal["r50", "r100", "irse50"]

UNITS: dict[Depth, tuple[int, int, int, int]] = {"r50": (3, 4, 14, 3), "r100": (3, 13, 30, 3), "irse50": (3, 4, 14, 3)}
WIDTHS = (64, 128, 256, 512)
SIZE_PX = 112
DIMENSIONS = 512
SQUEEZE = 16
EPSILON = 1e-5
NORM = ("weight", "bias", "running_mean", "running_var")
LAST_MAP = 512 * 7 * 7


def build(depth: Depth = "r100") -> "IResNet | IRSE":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    if depth not in get_args(Depth):
        raise ValueError(f"There is no ArcFace network {depth}; choose one of {', '.join(get_args(Depth))}.")
    network = IRSE if depth == "irse50" else IResNet
    with torch.device("meta"):
        return network(UNITS[depth]).eval()


def from_onnx(tensors: Mapping[str, Tensor], depth: Depth = "r50") -> dict[str, Tensor]:
    """The weights of an ``IResNet`` out of an ONNX file of InsightFace's, as ``onnx.read_onnx`` names them.

    They are told apart by their order. Batch norms behind convolutions are folded into these by the exporter, and
    become norms that only add. Where the file turns out to be of another network, what follows is missing.
    """
    operations = _operations(tensors)
    named: dict[str, Tensor] = {}
    for expected, layer, norm in _in_order(depth):
        kind, values = next(operations, ("", []))
        if kind != expected:
            break
        if kind == "Conv":
            named[f"{layer}.weight"] = values[0]
            layer, values = norm, _adding(values[1]) if len(values) > 1 else next(operations, ("", []))[1]
        named |= {f"{layer}.{part}": value.flatten() for part, value in zip(NORM, values, strict=False)}
    if "fc.weight" in named:
        named["fc.weight"] = named["fc.weight"].reshape(DIMENSIONS, -1)
    return named


def _operations(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, list[Tensor]]]:
    """Kinds and tensors of the operations that the network has, in order."""
    for (_, kind), names in groupby(sorted(tensors), key=lambda name: tuple(name.split(".")[:2])):
        if kind in ("Conv", "BatchNormalization", "PRelu", "Gemm"):
            yield kind, [tensors[name] for name in names]


def _in_order(depth: Depth) -> Iterator[tuple[str, str, str]]:
    """Kind and name of every layer with weights in order of execution, and the norm that is folded into it."""
    yield from (("Conv", "conv1", "bn1"), ("PRelu", "prelu", ""))
    for stage, count in enumerate(UNITS[depth], start=1):
        for i in range(count):
            unit = f"layer{stage}.{i}"
            yield from (("BatchNormalization", f"{unit}.bn1", ""), ("Conv", f"{unit}.conv1", f"{unit}.bn2"))
            yield from (("PRelu", f"{unit}.prelu", ""), ("Conv", f"{unit}.conv2", f"{unit}.bn3"))
            if i == 0:
                yield "Conv", f"{unit}.downsample.0", f"{unit}.downsample.1"
    yield from (("BatchNormalization", "bn2", ""), ("Gemm", "fc", ""), ("BatchNormalization", "features", ""))


def _adding(bias: Tensor) -> list[Tensor]:
    """The four tensors of a norm that adds ``bias``."""
    ones = torch.ones_like(bias)
    return [ones, bias, torch.zeros_like(bias), ones - EPSILON]


class IResNet(nn.Module):
    """InsightFace's network: r50 or r100, by the number of units per stage."""

    def __init__(self, units: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        inputs = 64
        for stage, (count, width) in enumerate(zip(units, WIDTHS, strict=True), start=1):
            others = (_Unit(width, width, stride=1) for _ in range(count - 1))
            self.add_module(f"layer{stage}", nn.Sequential(_Unit(inputs, width, stride=2), *others))
            inputs = width
        self.bn2 = nn.BatchNorm2d(inputs)
        self.fc = nn.Linear(LAST_MAP, DIMENSIONS)
        self.features = nn.BatchNorm1d(DIMENSIONS)

    def forward(self, faces: Tensor) -> Tensor:
        """Embeddings, (N, 512), of RGB faces in [-1, 1]."""
        check_shape(faces, 3, SIZE_PX, SIZE_PX, network="ArcFace")
        x = self.prelu(self.bn1(self.conv1(faces)))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        embeddings: Tensor = self.features(self.fc(self.bn2(x).flatten(1)))
        return embeddings


class IRSE(nn.Module):
    """The IR-SE network of TreB1eN/InsightFace_Pytorch."""

    def __init__(self, units: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        # Positions 1 and 2 of the output layer were dropout and flattening; the published names count them.
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.Identity(),
            nn.Flatten(),
            nn.Linear(LAST_MAP, DIMENSIONS),
            nn.BatchNorm1d(DIMENSIONS),
        )
        self.body = nn.Sequential()
        inputs = 64
        for count, width in zip(units, WIDTHS, strict=True):
            for i in range(count):
                self.body.append(_SEUnit(inputs, width, stride=1 if i else 2))
                inputs = width

    def forward(self, faces: Tensor) -> Tensor:
        """Embeddings of unit length, (N, 512), of RGB faces in [-1, 1]."""
        check_shape(faces, 3, SIZE_PX, SIZE_PX, network="IR-SE50")
        return F.normalize(self.output_layer(self.body(self.input_layer(faces))), dim=1)


class _Unit(nn.Module):
    """Residual unit; the shortcut is a 1x1 convolution wherever the grid is halved."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.prelu = nn.PReLU(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        out: Tensor = self.bn3(self.conv2(inner)) + self.downsample(x)
        return out


class _SEUnit(nn.Module):
    """Residual unit with channel weights; the shortcut is a convolution only where the number of channels changes."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)
            self.shortcut_layer = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            _ChannelWeights(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.res_layer(x) + self.shortcut_layer(x)
        return out


class _ChannelWeights(nn.Module):
    """Squeeze and excitation: each channel times a number in (0, 1) that depends on all channels' means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // SQUEEZE, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // SQUEEZE, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x * self.fc2(F.relu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()
        return out
