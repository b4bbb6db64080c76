"""SyncNet: a twin that takes one window at a time."""

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import syncnet as twin
from support.tolerances import agree

from thgeval_models import syncnet
from thgeval_models.errors import ArchitectureError, InputShapeError
from thgeval_models.loading import fit


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys("syncnet"), seed=121)


@torch.no_grad()
def test_lips_of_a_clip_equal_the_twins_windows(tensors: dict[str, torch.Tensor]) -> None:
    frames = 7
    faces = seeded.images(1, 3, frames, 224, 224, seed=122, high=255)
    ours = fit(syncnet.build(), tensors).lips(faces)
    assert ours.shape == (1, frames - 4, 1024)
    windows = torch.cat([faces[:, :, i : i + 5] for i in range(frames - 4)])
    agree(ours[0], twin.lips(tensors, windows), "syncnet")


@torch.no_grad()
def test_speech_equals_the_twin(tensors: dict[str, torch.Tensor]) -> None:
    mfcc = seeded.images(3, 1, 13, 20, seed=123, low=-30, high=20)
    ours = fit(syncnet.build(), tensors).speech(mfcc)
    assert ours.shape == (3, 1024)
    agree(ours, twin.speech(tensors, mfcc), "syncnet")


def test_has_the_stated_number_of_parameters() -> None:
    assert sum(parameter.numel() for parameter in syncnet.build().parameters()) == 13_631_616


def test_the_first_versions_weights_are_refused(tensors: dict[str, torch.Tensor]) -> None:
    wide = tensors | {"netfcaud.0.weight": torch.zeros(2048, 512), "netfcaud.0.bias": torch.zeros(2048)}
    with pytest.raises(ArchitectureError, match=r"netfcaud.0.weight is 2048x512 instead of 512x512"):
        fit(syncnet.build(), wide)


def test_refuses_short_clips_and_other_mfccs() -> None:
    network = syncnet.build()
    with pytest.raises(InputShapeError, match=r"SyncNet \(lips\).*>= 5, 224, 224"):
        network.lips(torch.zeros(1, 3, 4, 224, 224))
    with pytest.raises(InputShapeError, match=r"SyncNet \(speech\).*1, 13, 20"):
        network.speech(torch.zeros(1, 1, 12, 20))
