"""Deep3DFaceRecon: the coefficients of a 3D morphable face model from one photograph.

Paper     Deng et al., Accurate 3D Face Reconstruction with Weakly-Supervised Learning, CVPRW 2019
Weights   ``epoch_20.pth`` of sicxu/Deep3DFaceRecon_pytorch (code MIT; meshes need the Basel Face Model 2009)
Input     RGB faces, (N, 3, 224, 224), in [0, 1], aligned by five points as the authors' ``align_img`` does
Output    257 coefficients; ``split`` names their parts

A ResNet-50 and seven 1x1 convolutions on its averaged map, one per part. Angles are in radians, pitch, yaw and roll;
the translation is in the model's units, of about 10 cm.

Names and shapes after sicxu/Deep3DFaceRecon_pytorch ``models/networks.py`` (3730e1348b65).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn

from thgeval_models import resnet
from thgeval_models.inputs import check_shape
from thgeval_models.loading import under

SIZE_PX = 224
HEADS = (80, 64, 80, 3, 27, 2, 1)  # identity, expression, texture, angles, lighting, translation x y, translation z
COEFFICIENTS = sum(HEADS)
PARTS = (80, 64, 80, 3, 27, 3)


@dataclass(frozen=True)
class Face:
    """The coefficients of a batch of faces, part by part, each (N, ...)."""

    identity: Tensor
    expression: Tensor
    texture: Tensor
    angles_rad: Tensor
    lighting: Tensor
    translation: Tensor


def build() -> "Deep3D":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return Deep3D().eval()


def split(coefficients: Tensor) -> Face:
    """Name the parts of (N, 257) coefficients."""
    ends = list(accumulate(PARTS))
    return Face(*coefficients.tensor_split(ends[:-1], dim=1))


def from_checkpoint(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network's weights out of the authors' training checkpoint, which also holds the optimiser."""
    return under(tensors, "net_recon.")


class Deep3D(nn.Module):
    """Trunk and heads."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = resnet.ResNet50()
        self.final_layers = nn.ModuleList(nn.Conv2d(resnet.CHANNELS[-1], outputs, 1) for outputs in HEADS)

    def forward(self, faces: Tensor) -> Tensor:
        """Coefficients, (N, 257)."""
        check_shape(faces, 3, SIZE_PX, SIZE_PX, network="Deep3D")
        seen = self.backbone.stages(faces)[-1].mean(dim=(2, 3), keepdim=True)
        return torch.cat([head(seen) for head in self.final_layers], dim=1).flatten(1)
