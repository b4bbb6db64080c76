"""RAFT: optical flow by repeated look-ups in the correlations of all pairs of pixels.

Paper     Teed and Deng, RAFT: Recurrent All-Pairs Field Transforms for Optical Flow, ECCV 2020
Weights   ``raft-small.pth``, ``raft-things.pth`` of princeton-vl/RAFT (BSD-3-Clause), or torchvision's ports of them,
          ``raft_small_C_T_V1``, ``raft_large_C_T_V1``
Input     two batches of RGB images, (N, 3, H, W), in 0..255, at least 128 px a side
Output    flow, (N, 2, H, W), in pixels: where each pixel of the first image has gone, x then y

The network is torchvision's ``raft_small`` or ``raft_large``; ``from_princeton`` gives it the authors' weights. Sides
that are no multiple of eight are extended by their border pixels, as the authors' ``InputPadder`` does.

Names after princeton-vl/RAFT ``core/raft.py``, ``core/update.py``, ``core/modules/extractor.py`` (13198c355d11,
e7f94cbf18c9, 36d7ad338ea9).
"""

import re
from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from thgeval_models.errors import InputShapeError, MissingPackageError
from thgeval_models.inputs import Least, check_shape

Size = Literal["small", "large"]

GRID_PX = 8
SMALLEST_PX = 128
UPDATES = 12


def build(size: Size = "small") -> nn.Module:
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    try:
        from torchvision.models import optical_flow
    except ImportError as error:
        raise MissingPackageError("RAFT needs an optional package: pip install torchvision") from error
    constructor = optical_flow.raft_small if size == "small" else optical_flow.raft_large
    with torch.device("meta"):
        network: nn.Module = constructor(weights=None)
    return network.eval()


def flow(network: nn.Module, first: Tensor, second: Tensor, *, updates: int = UPDATES) -> Tensor:
    """Displacement in pixels from ``first`` to ``second``, (N, 2, H, W), after so many updates."""
    for images in (first, second):
        check_shape(images, 3, Least(SMALLEST_PX), Least(SMALLEST_PX), network="RAFT")
    if first.shape != second.shape:
        raise InputShapeError(f"RAFT takes images of one size, not {tuple(first.shape)} and {tuple(second.shape)}.")
    height, width = first.shape[2:]
    margins = (*_margins(width), *_margins(height))
    left, top = margins[0], margins[2]
    inputs = [F.pad(2 * images / 255 - 1, margins, mode="replicate") for images in (first, second)]
    finest: Tensor = network(*inputs, num_flow_updates=updates)[-1]
    return finest[:, :, top : top + height, left : left + width]


def from_princeton(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' weights under torchvision's names."""
    renamed = {}
    for name, tensor in tensors.items():
        target = _torchvision_name(name.removeprefix("module."))
        if target:
            renamed[target] = tensor
    return renamed


def _margins(size_px: int) -> tuple[int, int]:
    missing = -size_px % GRID_PX
    return missing // 2, missing - missing // 2


def _torchvision_name(name: str) -> str:
    """Torchvision's name; empty for the shortcuts' norms, which the authors' files hold twice."""
    if re.match(r"cnet\.layer\d\.\d\.norm3\.", name):
        return ""
    for pattern, replacement in _RULES:
        name, count = re.subn(pattern, replacement, name)
        if count:
            return name
    return name


_RULES = [
    rule
    for theirs, ours in (("fnet", "feature_encoder"), ("cnet", "context_encoder"))
    for rule in (
        (rf"^{theirs}\.(layer\d\.\d)\.conv(\d)\.", rf"{ours}.\1.convnormrelu\2.0."),
        (rf"^{theirs}\.(layer\d\.\d)\.norm(\d)\.", rf"{ours}.\1.convnormrelu\2.1."),
        (rf"^{theirs}\.(layer\d\.\d)\.downsample\.", rf"{ours}.\1.downsample."),
        (rf"^{theirs}\.conv1\.", rf"{ours}.convnormrelu.0."),
        (rf"^{theirs}\.norm1\.", rf"{ours}.convnormrelu.1."),
        (rf"^{theirs}\.conv2\.", rf"{ours}.conv."),
    )
] + [
    (r"^update_block\.encoder\.convc(\d)\.", r"update_block.motion_encoder.convcorr\1.0."),
    (r"^update_block\.encoder\.convf(\d)\.", r"update_block.motion_encoder.convflow\1.0."),
    (r"^update_block\.encoder\.conv\.", r"update_block.motion_encoder.conv.0."),
    (r"^update_block\.gru\.conv([zrq])(\d)\.", r"update_block.recurrent_block.convgru\2.conv\1."),
    (r"^update_block\.gru\.conv([zrq])\.", r"update_block.recurrent_block.convgru1.conv\1."),
    (r"^update_block\.mask\.0\.", r"mask_predictor.convrelu.0."),
    (r"^update_block\.mask\.2\.", r"mask_predictor.conv."),
]
