"""I3D: a twin that pads by the book, and the two naming schemes in circulation."""

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import i3d as twin
from support.tolerances import agree

from thgeval_models import i3d
from thgeval_models.errors import InputShapeError
from thgeval_models.loading import fit


def weights(seed: int) -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys("i3d"), seed)


@torch.no_grad()
def test_equals_the_twin_with_either_epsilon() -> None:
    tensors = weights(seed=41)
    for name in tensors:
        if name.endswith("running_var"):
            tensors[name] *= 1e-2  # so that the epsilon matters
        elif name.endswith("bn.weight"):
            tensors[name] *= 1e-1
    clip = seeded.images(1, 3, 9, 193, 200, seed=42, low=-1)
    networks = [fit(i3d.build(epsilon), tensors) for epsilon in (i3d.TENSORFLOW_EPSILON, i3d.VIDEOGPT_EPSILON)]
    logits = [network(clip) for network in networks]
    for epsilon, scores in zip((1e-3, 1e-5), logits, strict=True):
        assert scores.shape == (1, i3d.CLASSES)
        agree(scores, twin.logits(tensors, clip, eps=epsilon), "i3d")
    assert seeded.relative_error(*logits) > 1e-3
    features = networks[0].features(clip)
    assert features.shape == (1, 1024)
    classified = networks[0].logits(features[:, :, None, None, None]).flatten(1)
    agree(classified, logits[0], "i3d")


DISCO = [1.6273794174194336, 0.8542432188987732, -0.21036970615386963]
"""The first scores of Wangt-CN/DisCo@c4fa48a, tool/metrics/inception3d.py, torch 2.14.1."""


@torch.no_grad()
def test_discos_module_averages_every_step_of_time_alike() -> None:
    weights = seeded.weights_for(seeded.published_keys("i3d"), seed=73)
    clip = seeded.images(1, 3, 20, 200, 200, seed=74, low=-1)
    scores = fit(i3d.build(steps=1), weights)(clip)[0]
    assert scores[:3].tolist() == pytest.approx(DISCO, rel=1e-4)


@torch.no_grad()
def test_takes_hassonys_names() -> None:
    published = seeded.published_keys("i3d_hassony")
    tensors = seeded.weights_for(published, seed=47)
    renamed = i3d.from_hassony(tensors)
    assert {name: tuple(t.shape) for name, t in renamed.items()} == seeded.published_keys("i3d")
    fit(i3d.build(), renamed)
    assert torch.equal(renamed["Mixed_4e.b2a.bn.bias"], tensors["mixed_4e.branch_2.0.batch3d.bias"])
    assert torch.equal(renamed["Mixed_5b.b1b.conv3d.weight"], tensors["mixed_5b.branch_1.1.conv3d.weight"])


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (224, 7, 2, (2, 3)),
        (16, 7, 2, (2, 3)),
        (15, 7, 2, (3, 3)),
        (112, 3, 2, (0, 1)),
        (7, 3, 2, (1, 1)),
        (7, 2, 2, (0, 1)),
        (5, 1, 1, (0, 0)),
    ],
)
def test_same_padding_follows_tensorflow(size: int, kernel: int, stride: int, expected: tuple[int, int]) -> None:
    assert i3d.same_padding(size, kernel, stride) == expected


@pytest.mark.parametrize("shape", [(1, 3, 8, 224, 224), (1, 3, 16, 128, 224), (1, 16, 3, 224, 224)])
def test_refuses_clips_that_are_too_small(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputShapeError, match=r"\(N, 3, >= 9, >= 193, >= 193\)"):
        i3d.build()(torch.zeros(shape))
