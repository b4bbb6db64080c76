"""What a 3D ResNet-50 sees in a clip: 2,048 numbers, the features behind DisCo's FID-VID.

Frames are brought to 112 x 112 by Pillow's bicubic and lose their mean colour; the clip is cut into pieces of 16
frames, of which the last is filled up with its last frame; the pieces' features are averaged.

Source: Hara, Kataoka, Satoh, CVPR 2018 (the network); Wang et al., DisCo, CVPR 2024 (the protocol), whose program is
Wangt-CN/DisCo, tool/metrics at c4fa48a.
"""

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.windows import squares
from thgeval.requirements import Weights

SIDE_PX, PIECE = 112, 16
MEAN = np.array([114.7748, 107.7354, 99.4750], np.float32)
RESNET3D = "resnet3d-kinetics"


@feature(
    squares(side_px=SIDE_PX, square="bicubic-pil"),
    version=1,
    grain=Grain.CLIP,
    requires=(networks.TORCH, Weights(RESNET3D)),
)
def resnet3d(held: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean features of a clip's pieces: (1, 2048)."""
    import torch

    if not len(held):
        raise InputError("a clip without frames has no pieces", reason="too short")
    rows = networks.rows(networks.published(RESNET3D), torch.from_numpy(pieces(held)))
    return np.asarray(rows.mean(axis=0, keepdims=True))


def pieces(held: NDArray[np.float32]) -> NDArray[np.float32]:
    """(pieces, 3, 16, 112, 112) of a clip's squares, (frames, 3, 112, 112), the last filled up with its last frame."""
    missing = -len(held) % PIECE
    whole = np.concatenate([held, np.repeat(held[-1:], missing, axis=0)]) * np.float32(255.0) - MEAN[:, None, None]
    return np.ascontiguousarray(whole.reshape(-1, PIECE, *whole.shape[1:]).transpose(0, 2, 1, 3, 4))
