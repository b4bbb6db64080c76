"""Inception-v3: the original modules, the same weights, the same features."""

import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
import torch.nn.functional as F
from models import seeded
from models.twins.inception_nvidia import InceptionNvidia
from support.tolerances import agree
from torch import nn

from thgeval_models import inception_tf
from thgeval_models.errors import InputShapeError
from thgeval_models.loading import fit, load_tensors

PATCHED = {
    "Mixed_5b": ("FIDInceptionA", {"in_channels": 192, "pool_features": 32}),
    "Mixed_5c": ("FIDInceptionA", {"in_channels": 256, "pool_features": 64}),
    "Mixed_5d": ("FIDInceptionA", {"in_channels": 288, "pool_features": 64}),
    "Mixed_6b": ("FIDInceptionC", {"in_channels": 768, "channels_7x7": 128}),
    "Mixed_6c": ("FIDInceptionC", {"in_channels": 768, "channels_7x7": 160}),
    "Mixed_6d": ("FIDInceptionC", {"in_channels": 768, "channels_7x7": 160}),
    "Mixed_6e": ("FIDInceptionC", {"in_channels": 768, "channels_7x7": 192}),
    "Mixed_7b": ("FIDInceptionE_1", {"in_channels": 1280}),
    "Mixed_7c": ("FIDInceptionE_2", {"in_channels": 2048}),
}


def torchvision_inception(**options: object) -> nn.Module:
    models = pytest.importorskip("torchvision.models")
    return models.inception_v3(weights=None, init_weights=False, transform_input=False, **options)


def pytorch_fid_pool3(weights: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """Blocks of pytorch-fid in torchvision's frame, as its fid_inception_v3() assembles them after its download."""
    package = pytest.importorskip("pytorch_fid.inception")
    network = torchvision_inception(num_classes=1008, aux_logits=False)
    for name, (kind, options) in PATCHED.items():
        setattr(network, name, getattr(package, kind)(**options))
    network.load_state_dict(weights, strict=False)
    network.fc = nn.Identity()
    return network.eval()(images)


def weights(name: str, seed: int) -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys(name), seed)


@torch.no_grad()
def test_equals_pytorch_fid() -> None:
    tensors = weights("inception_fid", seed=11)
    images = seeded.images(2, 3, 107, 91, seed=12, low=-1)
    ours = fit(inception_tf.build(), tensors)(images)
    assert ours.shape == (2, 2048)
    agree(ours, pytorch_fid_pool3(tensors, images), "inception")


@torch.no_grad()
def test_equals_pytorch_fid_from_its_own_input(monkeypatch: pytest.MonkeyPatch) -> None:
    package = pytest.importorskip("pytorch_fid.inception")
    tensors = weights("inception_fid", seed=13)
    monkeypatch.setattr(package, "load_state_dict_from_url", lambda *_, **__: tensors)
    load = nn.Module.load_state_dict
    monkeypatch.setattr(nn.Module, "load_state_dict", lambda self, state: load(self, state, strict=False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = package.InceptionV3().eval()
    monkeypatch.undo()
    images = seeded.images(1, 3, 64, 48, seed=14)
    ours = fit(inception_tf.build(), tensors)(inception_tf.legacy_input(images))
    agree(ours, theirs(images)[0].flatten(1), "inception")


@torch.no_grad()
def test_equals_torchvision_in_its_variant() -> None:
    tensors = weights("inception_torchvision", seed=15)
    theirs = torchvision_inception(aux_logits=True)
    with_auxiliary = dict(theirs.state_dict()) | tensors
    theirs.load_state_dict(with_auxiliary)
    images = seeded.images(2, 3, 91, 107, seed=16, low=-1)
    ours = fit(inception_tf.build("torchvision"), inception_tf.from_torchvision(with_auxiliary))
    agree(ours.logits(ours(images)), theirs.eval()(images), "inception")


@torch.no_grad()
def test_the_variants_differ() -> None:
    tensors = {name: t for name, t in weights("inception_fid", seed=17).items() if not name.startswith("fc.")}
    images = seeded.images(1, 3, 91, 91, seed=18, low=-1)
    features = []
    for variant in ("tensorflow", "torchvision"):
        network = inception_tf.build(variant)
        features.append(fit(network, tensors | {"fc.weight": network.fc.weight, "fc.bias": network.fc.bias})(images))
    assert seeded.relative_error(features[0], features[1]) > 1e-3


@torch.no_grad()
def test_reads_nvidias_torchscript_layout(tmp_path: Path) -> None:
    twin = InceptionNvidia().eval()
    shapes = seeded.keys_of(twin)
    tensors = seeded.weights_for(shapes, seed=19)
    for name in tensors:
        if name.endswith(".var"):
            tensors[name] = tensors[name].abs() + 0.5
        elif name.endswith((".beta", ".mean")):
            tensors[name] -= 1
    twin.load_state_dict(tensors)
    path = tmp_path / "inception-2015-12-05.pt"
    images = seeded.images(1, 3, 91, 99, seed=20, low=0, high=255)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer PyTorch calls TorchScript deprecated
        torch.jit.save(torch.jit.trace(twin, torch.zeros(1, 3, 91, 99)), str(path))
    ours = fit(inception_tf.build(), inception_tf.from_nvidia(load_tensors(path)))
    agree(ours(inception_tf.clean_input(images)), twin((images - 128) / 128), "inception")
    assert torch.equal(ours.fc.weight, tensors["output.weight"])


def test_legacy_input_is_plain_bilinear() -> None:
    images = seeded.images(1, 3, 640, 600, seed=21)
    expected = 2 * F.interpolate(images, (299, 299), mode="bilinear", align_corners=False, antialias=False) - 1
    agree(inception_tf.legacy_input(images), expected, "resized")


@pytest.mark.parametrize("wrong", [torch.zeros(1, 1, 299, 299), torch.zeros(1, 3, 64, 64), torch.zeros(3, 299, 299)])
def test_refuses_what_it_cannot_read(wrong: torch.Tensor) -> None:
    with pytest.raises(
        InputShapeError, match=r"Inception takes floating point batches of shape \(N, 3, >= 75, >= 75\)"
    ):
        inception_tf.build()(wrong)


def test_refuses_bytes() -> None:
    with pytest.raises(InputShapeError, match=r"torch.uint8"):
        inception_tf.build()(torch.zeros(1, 3, 99, 99, dtype=torch.uint8))
