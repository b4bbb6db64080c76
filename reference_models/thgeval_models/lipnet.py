"""LipNet: a whole sentence off the lips, letter by letter; made for the sentences of GRID.

Paper     Assael, Shillingford, Whiteson, de Freitas, LipNet: End-to-End Sentence-level Lipreading, arXiv 1611.01599
Weights   ``pretrain/`` of VIPL-Audio-Visual-Speech-Understanding/LipNet-PyTorch (MIT)
Input     mouths of faces brought onto ``FACE``, (N, 3, T, 64, 128), **BGR** in [0, 1], 25 frames per second
Output    (N, T, 28): scores of no letter, of a space, and of A to Z, for every frame

Names and shapes after VIPL-Audio-Visual-Speech-Understanding/LipNet-PyTorch ``model.py``, the mean face after its
``demo.py`` (f3d09c59844d).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from thgeval_models.inputs import Least, check_shape

HEIGHT_PX, WIDTH_PX = 64, 128
LETTERS = " abcdefghijklmnopqrstuvwxyz"
UNITS = 256

# fmt: off
_X = (
    0.000213256, 0.0752622, 0.18113, 0.29077, 0.393397, 0.586856, 0.689483, 0.799124, 0.904991, 0.98004, 0.490127,
    0.490127, 0.490127, 0.490127, 0.36688, 0.426036, 0.490127, 0.554217, 0.613373, 0.121737, 0.187122, 0.265825,
    0.334606, 0.260918, 0.182743, 0.645647, 0.714428, 0.793132, 0.858516, 0.79751, 0.719335, 0.254149, 0.340985,
    0.428858, 0.490127, 0.551395, 0.639268, 0.726104, 0.642159, 0.556721, 0.490127, 0.423532, 0.338094, 0.290379,
    0.428096, 0.490127, 0.552157, 0.689874, 0.553364, 0.490127, 0.42689,
)
_Y = (
    0.106454, 0.038915, 0.0187482, 0.0344891, 0.0773906, 0.0773906, 0.0344891, 0.0187482, 0.038915, 0.106454, 0.203352,
    0.307009, 0.409805, 0.515625, 0.587326, 0.609345, 0.628106, 0.609345, 0.587326, 0.216423, 0.178758, 0.179852,
    0.231733, 0.245099, 0.244077, 0.231733, 0.179852, 0.178758, 0.216423, 0.244077, 0.245099, 0.780233, 0.745405,
    0.727388, 0.742578, 0.727388, 0.745405, 0.780233, 0.864805, 0.902192, 0.909281, 0.902192, 0.864805, 0.784792,
    0.778746, 0.785343, 0.778746, 0.784792, 0.824182, 0.831803, 0.824182,
)
# fmt: on
MARGIN = 0.25
FACE: NDArray[np.float64] = (np.stack([_X, _Y], axis=1) + MARGIN) / (1 + 2 * MARGIN)
"""The mean face, brows to lips (landmarks 17 to 67), in a square of side 1: (51, 2)."""


def build() -> "LipNet":
    """The network, which can't be used until ``loading.fit`` has given it weights."""
    with torch.device("meta"):
        return LipNet().eval()


class LipNet(nn.Module):
    """Three convolutions over space and time, two recurrences both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(3, 32, (3, 5, 5), (1, 2, 2), (1, 2, 2))
        self.conv2 = nn.Conv3d(32, 64, (3, 5, 5), padding=(1, 2, 2))
        self.conv3 = nn.Conv3d(64, 96, 3, padding=1)
        self.gru1 = nn.GRU(96 * 4 * 8, UNITS, bidirectional=True, batch_first=True)
        self.gru2 = nn.GRU(2 * UNITS, UNITS, bidirectional=True, batch_first=True)
        self.FC = nn.Linear(2 * UNITS, 1 + len(LETTERS))

    def forward(self, mouths: Tensor) -> Tensor:
        """Scores of letters for every frame."""
        check_shape(mouths, 3, Least(1), HEIGHT_PX, WIDTH_PX, network="LipNet")
        x = mouths
        for layer in (self.conv1, self.conv2, self.conv3):
            x = F.max_pool3d(F.relu(layer(x)), (1, 2, 2))
        x, _ = self.gru1(x.transpose(1, 2).flatten(2))
        x, _ = self.gru2(x)
        scores: Tensor = self.FC(x)
        return scores


def text(scores: NDArray[np.floating]) -> str:
    """The likeliest letters of (T, 28) scores, repetitions and gaps taken out, without any dictionary."""
    best = scores.argmax(axis=1)
    changes = best[np.flatnonzero(np.diff(best, prepend=-1))]
    return "".join(LETTERS[letter - 1] for letter in changes if letter)
