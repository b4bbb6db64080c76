"""3DDFA V2: pose, shape and expression of a face from a crop of 120 pixels.

Paper     Guo et al., Towards Fast, Accurate and Stable 3D Dense Face Alignment, ECCV 2020
Weights   ``mb05_120x120.pth`` of cleardusk/3DDFA_V2 (MIT); for the points, three text files of cleardusk/3DDFA with a
          68-point face and its 40 shape and 10 expression directions (MIT; derived from the Basel Face Model and
          FaceWarehouse, which have their own terms)
Input     **BGR** faces, (N, 3, 120, 120), in 0..255; normalised inside the network. ``crop_px`` tells what to cut out
Output    62 parameters, (N, 62): a 3x4 pose matrix, 40 shape and 10 expression coefficients; ``landmarks`` places 68
          points

A MobileNet of half width. It gives parameters with mean 0 and spread 1; ``decoded`` undoes that with the numbers of V2,
which are *not* those of 3DDFA V1 (``param_mean.txt``, ``param_std.txt``): with the latter the pose is no rotation.

Names and shapes after cleardusk/3DDFA_V2 ``models/mobilenet_v1.py`` (f3ec64669560), decoding after its
``utils/tddfa_util.py`` (1cc125eb5084), MEAN and SPREAD from its ``configs/param_mean_std_62d_120x120.pkl``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.errors import UnreadableFileError
from thgeval_models.inputs import check_shape
from thgeval_models.loading import under

SIZE_PX = 120
PARAMETERS = 62
POINTS = 68
SHAPES, EXPRESSIONS = 40, 10
BLOCKS = {
    "dw2_1": (32, 1),
    "dw2_2": (64, 2),
    "dw3_1": (64, 1),
    "dw3_2": (128, 2),
    "dw4_1": (128, 1),
    "dw4_2": (256, 2),
    "dw5_1": (256, 1),
    "dw5_2": (256, 1),
    "dw5_3": (256, 1),
    "dw5_4": (256, 1),
    "dw5_5": (256, 1),
    "dw5_6": (512, 2),
    "dw6": (512, 1),
}
"""Channels and stride of each block at half width."""

# fmt: off
MEAN = (
    3.4926363e-04, 2.5279013e-07, -6.8751979e-07, 6.0167957e+01, -6.2955132e-07, 5.7572004e-04, -5.0853912e-05,
    7.4278198e+01, 5.4009172e-07, 6.5741384e-05, 3.4420125e-04, -6.6671577e+01, -3.4660369e+05, -6.7468234e+04,
    4.6822266e+04, -1.5262047e+04, 4.3505889e+03, -5.4261453e+04, -1.8328033e+04, -1.5843289e+03, -8.4566344e+04,
    3.8359607e+03, -2.0811361e+04, 3.8094930e+04, -1.9967855e+04, -9.2413701e+03, -1.9600715e+04, 1.3168090e+04,
    -5.2591440e+03, 1.8486478e+03, -1.3030662e+04, -2.4355562e+03, -2.2542065e+03, -1.4396562e+04, -6.1763291e+03,
    -2.5621920e+04, 2.2639447e+02, -6.3261235e+03, -1.0867251e+04, 8.6846509e+02, -5.8311479e+03, 2.7051238e+03,
    -3.6294177e+03, 2.0439901e+03, -2.4466162e+03, 3.6586970e+03, -7.6459897e+03, -6.6744526e+03, 1.1638839e+02,
    7.1855972e+03, -1.4294868e+03, 2.6173665e+03, -1.2070955e+00, 6.6907924e-01, -1.7760828e-01, 5.6725528e-02,
    3.9678156e-02, -1.3586316e-01, -9.2239931e-02, -1.7260718e-01, -1.5804484e-02, -1.4168486e-01,
)
SPREAD = (
    1.76321526e-04, 6.73794348e-05, 4.47084894e-04, 2.65502319e+01, 1.23137695e-04, 4.49302170e-05, 7.92367064e-05,
    6.98256302e+00, 4.35044407e-04, 1.23148900e-04, 1.74000015e-04, 2.08030396e+01, 5.75421125e+05, 2.77649062e+05,
    2.58336844e+05, 2.55163125e+05, 1.50994375e+05, 1.60086109e+05, 1.11277305e+05, 9.73117812e+04, 1.17198453e+05,
    8.93173672e+04, 8.84935547e+04, 7.22299297e+04, 7.10802109e+04, 5.00139531e+04, 5.59685820e+04, 4.75255039e+04,
    4.95150664e+04, 3.81614805e+04, 4.48720586e+04, 4.62732383e+04, 3.81167695e+04, 2.81911621e+04, 3.21914375e+04,
    3.60061719e+04, 3.25598926e+04, 2.55511172e+04, 2.42675098e+04, 2.75213984e+04, 2.31665312e+04, 2.11015762e+04,
    1.94123242e+04, 1.94522031e+04, 1.74549844e+04, 2.25376230e+04, 1.61742812e+04, 1.46716406e+04, 1.51156885e+04,
    1.38700732e+04, 1.37463125e+04, 1.26631338e+04, 1.58708346e+00, 1.50770092e+00, 5.88135779e-01, 5.88974476e-01,
    2.13278517e-01, 2.63020128e-01, 2.79642940e-01, 3.80302161e-01, 1.61628410e-01, 2.55969286e-01,
)
# fmt: on


@dataclass(frozen=True)
class Face:
    """The parameters of a batch of faces. ``pose`` is scaled rotation and translation, (N, 3, 4), y upwards."""

    pose: Tensor
    shape: Tensor
    expression: Tensor


@dataclass(frozen=True)
class Basis:
    """A 68-point face: mean (204,), shape and expression directions (204, 40), (204, 10); x, y, z point by point."""

    mean: Tensor
    shape: Tensor
    expression: Tensor


def build() -> "TDDFA":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return TDDFA().eval()


def from_checkpoint(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The regressor's weights out of the authors' checkpoint, without the landmark head of its training."""
    named = {name.replace("fc_param.", "fc."): tensor for name, tensor in under(tensors, "state_dict.module.").items()}
    return {name: tensor for name, tensor in named.items() if not name.startswith("fc_lm.")}


def read_numbers(path: Path) -> Tensor:
    """One of the authors' text files: (204,) for the mean, (204, n) for the directions."""
    try:
        return torch.from_numpy(np.loadtxt(path, dtype=np.float32))
    except (OSError, ValueError) as error:
        raise UnreadableFileError(f"{path} is not a text file of numbers ({error}); fetch the file again.") from error


def crop_px(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    """The square to cut out around a detector's box: lower by 0.14 and larger by 1.58 of the box's mean side."""
    side = (right - left + bottom - top) / 2
    x, y, half = (left + right) / 2, (top + bottom) / 2 + 0.14 * side, int(1.58 * side) / 2
    return x - half, y - half, x + half, y + half


def decoded(outputs: Tensor) -> Face:
    """The network's outputs, (N, 62), in the model's units."""
    parameters = outputs * outputs.new_tensor(SPREAD) + outputs.new_tensor(MEAN)
    pose, shape, expression = parameters.tensor_split((12, 12 + SHAPES), dim=1)
    return Face(pose=pose.reshape(-1, 3, 4), shape=shape, expression=expression)


def landmarks(face: Face, basis: Basis) -> Tensor:
    """68 points, (N, 68, 3), in pixels of the 120-pixel crop: x to the right, y downwards, z towards the viewer."""
    flat = basis.mean + face.shape @ basis.shape.T + face.expression @ basis.expression.T
    points = flat.reshape(-1, POINTS, 3) @ face.pose[:, :, :3].transpose(1, 2) + face.pose[:, None, :, 3]
    x, y, z = points.unbind(dim=2)
    return torch.stack([x - 1, SIZE_PX - y, z - 1], dim=2)


class TDDFA(nn.Module):
    """The mb05 regressor."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        inputs = 16
        for name, (outputs, stride) in BLOCKS.items():
            self.add_module(name, _Separable(inputs, outputs, stride))
            inputs = outputs
        self.fc = nn.Linear(inputs, PARAMETERS)

    def forward(self, faces: Tensor) -> Tensor:
        """Whitened parameters, (N, 62), of BGR crops in 0..255; ``decoded`` gives them meaning."""
        check_shape(faces, 3, SIZE_PX, SIZE_PX, network="3DDFA")
        x: Tensor = F.relu(self.bn1(self.conv1((faces - 127.5) / 128)))
        for name in BLOCKS:
            x = self.get_submodule(name)(x)
        parameters: Tensor = self.fc(x.mean(dim=(2, 3)))
        return parameters


class _Separable(nn.Module):
    """3x3 within each channel, then 1x1 across channels."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False)
        self.bn_dw = nn.BatchNorm2d(inputs)
        self.conv_sep = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn_sep = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn_sep(self.conv_sep(F.relu(self.bn_dw(self.conv_dw(x))))))
