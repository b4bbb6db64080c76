"""S3FD: a face detector that looks for faces of six sizes on six maps.

Paper     Zhang et al., S3FD: Single Shot Scale-invariant Face Detector, ICCV 2017
Weights   ``sfd_face.pth`` of joonson/syncnet_python (code MIT, none stated for the weights); ``s3fd-619a316812.pth`` of
          1adrianb/face-alignment (BSD-3-Clause with the code), by way of ``from_face_alignment``
Input     RGB images, (N, 3, H, W), in 0..255; each variant subtracts its means and orders the channels itself
Output    for every place of every map a box, (N, places, 4), left, top, right, bottom in pixels, and the probability,
          (N, places), that it holds a face; ``distinct`` keeps the best of overlapping boxes

The two published networks are not one: SyncNet's dilates the first dense layer by six and rounds the third pool up,
face-alignment's does neither; the first reads RGB, the second BGR.

Names and shapes after syncnet_python ``detectors/s3fd/nets.py`` and ``box_utils.py`` (cdd20ba1c328, 907c0b579c2e), and
face-alignment ``face_alignment/detection/sfd/net_s3fd.py`` (03257a82fe99).
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.inputs import Least, check_shape

Variant = Literal["syncnet", "face-alignment"]

RGB_MEANS = (123.0, 117.0, 104.0)
STEPS_PX = (4, 8, 16, 32, 64, 128)
FACE_STEPS = 4  # the prior's side, in steps of its map
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
MAPS = (256, 512, 512, 1024, 512, 256)
EPSILON = 1e-10
SMALLEST_PX = 32

VGG_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
NORMS = {16: "L2Norm3_3", 23: "L2Norm4_3", 30: "L2Norm5_3"}
"""Which norm reads the trunk before which of its layers."""


def build(variant: Variant = "syncnet") -> "S3FD":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return S3FD(variant).eval()


class S3FD(nn.Module):
    """VGG-16 with its dense layers as convolutions, two more stages, and a pair of heads on each of six maps."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.variant: Variant = variant
        self.vgg = nn.ModuleList(_trunk(dilated=variant == "syncnet", rounds_up=variant == "syncnet"))
        for name, channels in zip(NORMS.values(), MAPS, strict=False):
            self.add_module(name, _ScaledLength(channels))
        sizes = ((1024, 256, 1, 1), (256, 512, 3, 2), (512, 128, 1, 1), (128, 256, 3, 2))
        self.extras = nn.ModuleList(nn.Conv2d(a, b, kernel, stride, kernel // 2) for a, b, kernel, stride in sizes)
        self.loc = nn.ModuleList(nn.Conv2d(channels, 4, 3, padding=1) for channels in MAPS)
        self.conf = nn.ModuleList(nn.Conv2d(channels, 2 if i else 4, 3, padding=1) for i, channels in enumerate(MAPS))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes in pixels, (N, places, 4), and their probabilities, (N, places), of RGB images in 0..255."""
        check_shape(images, 3, Least(SMALLEST_PX), Least(SMALLEST_PX), network="S3FD")
        centred = images - images.new_tensor(RGB_MEANS).view(1, 3, 1, 1)
        maps = self._maps(centred if self.variant == "syncnet" else centred.flip(1))
        boxes, scores = [], []
        for seen, locate, classify, step_px in zip(maps, self.loc, self.conf, STEPS_PX, strict=True):
            classes = classify(seen)
            background = classes[:, :-1].amax(dim=1)  # the finest map chooses among three backgrounds
            scores.append(torch.stack([background, classes[:, -1]], dim=1).softmax(dim=1)[:, 1].flatten(1))
            boxes.append(_boxes(locate(seen), step_px))
        return torch.cat(boxes, dim=1), torch.cat(scores, dim=1)

    def _maps(self, x: Tensor) -> list[Tensor]:
        maps = []
        for i, layer in enumerate(self.vgg):
            if i in NORMS:
                maps.append(self.get_submodule(NORMS[i])(x))
            x = layer(x)
        maps.append(x)
        for i, layer in enumerate(self.extras):
            x = F.relu(layer(x))
            if i % 2:
                maps.append(x)
        return maps


def distinct(
    boxes: Tensor, scores: Tensor, *, threshold: float, overlap: float, edge_px: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Of one image's boxes, those above ``threshold`` that no better box covers by more than ``overlap``, best first.

    ``overlap`` is intersection over union; boxes are (places, 4), scores (places,). ``edge_px`` is added to every side
    before areas are taken, 1 in programs that count pixels from first to last.
    """
    likely = scores > threshold
    order = scores[likely].argsort(descending=True, stable=True)
    boxes, scores = boxes[likely][order], scores[likely][order]
    kept: list[int] = []
    open_ = torch.ones(len(boxes), dtype=torch.bool, device=boxes.device)
    for i in range(len(boxes)):
        if open_[i]:
            kept.append(i)
            open_ &= _intersection_over_union(boxes[i], boxes, edge_px) <= overlap
    return boxes[kept], scores[kept]


def from_face_alignment(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of face-alignment under this module's names."""
    return {_renamed(name): tensor for name, tensor in tensors.items()}


def _renamed(name: str) -> str:
    layer, part = name.rsplit(".", 1)
    return f"{_FACE_ALIGNMENT.get(layer, layer)}.{part}"


def _trunk(*, dilated: bool, rounds_up: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 3
    for stage, (outputs, count) in enumerate(VGG_STAGES):
        for _ in range(count):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2, ceil_mode=rounds_up and stage == 2))
    wide = nn.Conv2d(512, 1024, 3, padding=6, dilation=6) if dilated else nn.Conv2d(512, 1024, 3, padding=3)
    return [*layers, wide, nn.ReLU(), nn.Conv2d(1024, 1024, 1), nn.ReLU()]


class _ScaledLength(nn.Module):
    """Gives every place's vector unit length, then weighs the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        length = x.square().sum(dim=1, keepdim=True).sqrt() + EPSILON
        return self.weight.view(1, -1, 1, 1) * (x / length)


def _boxes(offsets: Tensor, step_px: int) -> Tensor:
    """Corners from the network's offsets to a square of four steps around the middle of each place."""
    height, width = offsets.shape[2:]
    middles = [(torch.arange(n, device=offsets.device) + 0.5) * step_px for n in (height, width)]
    y, x = torch.meshgrid(middles, indexing="ij")
    side = FACE_STEPS * step_px
    centre = torch.stack([x, y]) + CENTRE_VARIANCE * side * offsets[:, :2]
    half = side * (SIZE_VARIANCE * offsets[:, 2:]).exp() / 2
    return torch.cat([centre - half, centre + half], dim=1).flatten(2).transpose(1, 2)


def _intersection_over_union(box: Tensor, boxes: Tensor, edge_px: float) -> Tensor:
    shared = torch.minimum(box[2:], boxes[:, 2:]) - torch.maximum(box[:2], boxes[:, :2]) + edge_px
    intersection = shared.clamp(min=0).prod(dim=1)
    areas = (boxes[:, 2:] - boxes[:, :2] + edge_px).prod(dim=1)
    return intersection / (areas + (box[2:] - box[:2] + edge_px).prod() - intersection)


def _face_alignment_names() -> dict[str, str]:
    names = {}
    position = 0
    for stage, (_, count) in enumerate(VGG_STAGES, start=1):
        for i in range(1, count + 1):
            names[f"conv{stage}_{i}"] = f"vgg.{position}"
            position += 2
        position += 1
    names |= {"fc6": "vgg.31", "fc7": "vgg.33"}
    names |= {f"conv{6 + i // 2}_{1 + i % 2}": f"extras.{i}" for i in range(4)}
    names |= {f"conv{i}_3_norm": f"L2Norm{i}_3" for i in (3, 4, 5)}
    for i, seen in enumerate(("conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2")):
        names |= {f"{seen}_mbox_loc": f"loc.{i}", f"{seen}_mbox_conf": f"conf.{i}"}
    return names


_FACE_ALIGNMENT = _face_alignment_names()
