"""Some frames of a clip, as evaluation_eat shows five of them to torchvision's network."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")
import cv2
from support import random_weights
from support.clips import moving
from support.tolerances import agree

from thgeval.errors import ProtocolError
from thgeval.features.frames.inception import inception_input, sampled_inception
from thgeval.media.frames import FrameBatch
from thgeval.networks import memory
from thgeval.registry import metric


@pytest.fixture(scope="module")
def weights():
    with random_weights.installed(["inception-torchvision"]), memory.apart():
        yield random_weights.tensors("inception-torchvision")


def as_the_script(frames, weights, *, some):
    """Mixed_7c averaged over places of some frames, RGB turned over, bilinear to 299 px, then 2x - 1."""
    network = models.inception_v3(weights=None, init_weights=False, transform_input=True)
    network.load_state_dict(weights, strict=False)
    seen = []
    network.Mixed_7c.register_forward_hook(lambda *outcome: seen.append(outcome[-1].mean((2, 3))))
    chosen = frames[np.linspace(0, len(frames), min(len(frames), some), False).astype(np.int32)]
    shown = np.stack([cv2.resize(one[:, :, ::-1].astype(np.float32) / 255, (299, 299)) for one in chosen])
    with torch.no_grad():
        network.eval()(2 * torch.from_numpy(shown.transpose(0, 3, 1, 2)) - 1)
    return seen[0]


def test_the_frames_are_what_torchvision_sees(weights):
    frames = moving(7, 72, seed=5)
    shown = inception_input.compute(FrameBatch(frames, 255.0, 0), resize="bilinear-bgr")
    ours = sampled_inception.compute(shown, port="torchvision", resize="bilinear-bgr", frames=2)
    assert ours.shape == (2, 2048)
    agree(torch.from_numpy(ours), as_the_script(frames, weights, some=2), "inception")


def test_regions_are_not_sampled():
    with pytest.raises(
        ProtocolError, match="fid: some frames of a clip are chosen for Inception, of whole frames alone"
    ):
        metric("fid:region=face,frames=5")
