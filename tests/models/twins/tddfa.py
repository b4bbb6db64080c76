"""3DDFA's regressor and its 68 points as functions of the published numbers.

Written from cleardusk/3DDFA_V2 ``models/mobilenet_v1.py`` (f3ec64669560) and ``utils/tddfa_util.py`` (1cc125eb5084).
"""

import numpy as np
import numpy.typing as npt
from models.twins.by_name import Weights, conv, dense, norm
from torch import Tensor

STRIDE_TWO = ("dw2_2", "dw3_2", "dw4_2", "dw5_6")
NAMES = ["dw2_1", "dw2_2", "dw3_1", "dw3_2", "dw4_1", "dw4_2", *(f"dw5_{i}" for i in range(1, 7)), "dw6"]


def parameters(w: Weights, faces: Tensor) -> Tensor:
    """Whitened parameters by the names in the checkpoint."""
    w = {name.removeprefix("state_dict.module."): tensor for name, tensor in w.items()}
    x = norm(w, "bn1", conv(w, "conv1", (faces - 127.5) / 128, 2, 1)).clamp(min=0)
    for name in NAMES:
        stride, groups = 2 if name in STRIDE_TWO else 1, x.shape[1]
        x = norm(w, f"{name}.bn_dw", conv(w, f"{name}.conv_dw", x, stride, 1, groups=groups)).clamp(min=0)
        x = norm(w, f"{name}.bn_sep", conv(w, f"{name}.conv_sep", x)).clamp(min=0)
    return dense(w, "fc_param", x.reshape(*x.shape[:2], -1).mean(2))


def points(
    parameters_: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    shape: npt.NDArray[np.float64],
    expression: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """(68, 3) in the crop, of 62 parameters in the model's units."""
    matrix = parameters_[:12].reshape(3, 4)
    flat = mean.reshape(-1, 1) + shape @ parameters_[12:52, None] + expression @ parameters_[52:, None]
    cloud = matrix[:, :3] @ flat.reshape(3, -1, order="F") + matrix[:, 3:]
    return np.stack([cloud[0] - 1, 120 - cloud[1], cloud[2] - 1], axis=1)
