"""3D ResNet-50: DisCo's own module on the same random weights, and the pieces that it is shown."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from golden import given
from models import seeded

from thgeval.features.frames.resnet3d import MEAN, SIDE_PX, pieces
from thgeval.features.frames.windows import squares
from thgeval.media.frames import FrameBatch
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


SHOWN = [145568.60118271626, 4240265.004332895, 642503.7137123684]
PLACED = [
    [-3.6202285289764404, 31.212276458740234, -19.832904815673828],
    [84.71089172363281, 7.9856157302856445, -13.656786918640137],
    [-50.74388885498047, 22.065420150756836, 16.050199508666992],
]
"""Of clip a of ``given.frames`` in DatasetFVDVideoResize of Wangt-CN/DisCo@c4fa48a, tool/metrics/utils.py, mode
FVD-3DRN50, 112 px: the sum of each channel, and what stands at [channel, time, 5 x channel, 7 x time]."""


def test_the_network_is_shown_what_discos_data_set_gives(tmp_path):
    frames = FrameBatch(given.frames(tmp_path)[0].generated.source.frames, 255.0, 0)
    needed = squares(side_px=SIDE_PX, square="bicubic-pil")
    (shown,) = pieces(needed.compute(frames, **dict(needed.parameters)))
    means = np.array(SHOWN) / shown[0].size
    assert shown.mean(axis=(1, 2, 3), dtype=np.float64) == pytest.approx(means, abs=1e-6 * 255)
    placed = [[shown[channel, time, 5 * channel, 7 * time] for time in (0, 6, 15)] for channel in range(3)]
    assert np.array(placed) == pytest.approx(np.array(PLACED), abs=1e-6 * 255)


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
