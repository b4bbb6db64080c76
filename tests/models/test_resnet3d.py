"""3D ResNet-50: DisCo's own module on the same random weights, and the pieces that it is shown."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from models import seeded

from thgeval.features.frames.resnet3d import MEAN, pieces
from thgeval_models import resnet3d
from thgeval_models.errors import InputShapeError
from thgeval_models.loading import fit

FIRST = [3.3530197143554688, 0.8135259747505188, 9.052521705627441, 47.45795440673828]
SUM, LARGEST = 54261.60546875, 214.11541748046875
"""Of the 2,048 features of Wangt-CN/DisCo@c4fa48a, tool/metrics/resnet3d.py, resnet50 without fc, torch 2.14.1."""


@torch.no_grad()
def test_features_are_those_of_discos_module() -> None:
    weights = seeded.weights_for(seeded.published_keys("resnet3d"), seed=71, gain=1.0)
    checkpoint = {f"state_dict.module.{name}": tensor for name, tensor in weights.items()}
    network = fit(resnet3d.build(), resnet3d.from_checkpoint(checkpoint | {"epoch": torch.tensor(200)}))
    found = network(seeded.images(1, 3, 16, 112, 112, seed=72, low=-110, high=140))[0]
    assert found[:4].tolist() == pytest.approx(FIRST, rel=1e-5)
    assert (found.sum().item(), found.max().item()) == (pytest.approx(SUM, rel=1e-5), pytest.approx(LARGEST, rel=1e-5))
    assert network.logits(found).shape == (400,)


def test_pieces_are_of_16_frames_the_last_filled_up_with_its_last():
    held = np.random.default_rng(3).random((18, 3, 4, 5)).astype(np.float32)
    cut = pieces(held)
    assert cut.shape == (2, 3, 16, 4, 5)
    np.testing.assert_allclose(cut[1, :, 0], held[16] * 255 - MEAN[:, None, None], rtol=1e-5)
    for later in range(2, 16):
        np.testing.assert_array_equal(cut[1, :, later], cut[1, :, 1])
    assert pieces(held[:16]).shape[0] == 1


def test_refuses_other_pieces() -> None:
    with pytest.raises(InputShapeError, match="3D ResNet-50 takes"):
        resnet3d.build()(torch.zeros(1, 3, 8, 112, 112))
