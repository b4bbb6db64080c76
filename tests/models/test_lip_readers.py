"""LipNet and the LRW word reader: twins on random weights, and what letters become."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import lipnet as lipnet_twin
from models.twins import mstcn as mstcn_twin
from support.tolerances import agree

from thgeval_models import lipnet, mstcn
from thgeval_models.errors import ArchitectureError, InputShapeError
from thgeval_models.loading import fit


@torch.no_grad()
def test_lipnet_equals_its_twin() -> None:
    tensors = seeded.weights_for(seeded.published_keys("lipnet"), seed=171)
    mouths = seeded.images(2, 3, 9, 64, 128, seed=172)
    ours = fit(lipnet.build(), tensors)(mouths)
    assert ours.shape == (2, 9, 28)
    agree(ours, lipnet_twin.scores(tensors, mouths), "lipnet")


@torch.no_grad()
def test_the_word_reader_equals_its_twin() -> None:
    tensors = seeded.weights_for(seeded.published_keys("lrw_mstcn"), seed=173, gain=1.0)
    mouths = seeded.images(1, 1, 29, 88, 88, seed=174, low=-2, high=3)
    ours = fit(mstcn.build(), tensors)(mouths)
    assert ours.shape == (1, 500)
    agree(ours, mstcn_twin.scores(tensors, mouths), "mstcn")


def test_a_training_checkpoint_is_read_without_its_optimiser() -> None:
    tensors = {"model_state_dict.a.weight": torch.zeros(1), "optimizer_state_dict.state.0.exp_avg": torch.ones(1)}
    assert list(mstcn.from_checkpoint(tensors)) == ["a.weight"]


def test_repeated_letters_need_a_gap_between() -> None:
    letters = [0, 3, 3, 0, 10, 15, 15, 1, 1, 3, 13, 0, 13, 0]  # b, i, n, space, b, l, l
    assert lipnet.text(np.eye(28)[letters]) == "bin bll"
    assert lipnet.text(np.eye(28)[[0, 0]]) == ""


def test_the_older_input_of_lipnet_is_refused() -> None:
    tensors = seeded.weights_for(seeded.published_keys("lipnet"), seed=171)
    old = tensors | {"gru1.weight_ih_l0": torch.zeros(768, 96 * 3 * 6)}
    with pytest.raises(ArchitectureError, match=r"gru1.weight_ih_l0 is 768x1728 instead of 768x3072"):
        fit(lipnet.build(), old)
    with pytest.raises(InputShapeError, match=r"LipNet.*64, 128"):
        lipnet.build()(torch.zeros(1, 3, 75, 50, 100))
    with pytest.raises(InputShapeError, match=r"LRW word reader.*88, 88"):
        mstcn.build()(torch.zeros(1, 1, 29, 96, 96))
