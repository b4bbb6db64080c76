"""hyperIQA: a twin that writes the target network out."""

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import hyperiqa as twin
from support.tolerances import agree

from thgeval_models import hyperiqa
from thgeval_models.errors import InputShapeError
from thgeval_models.inputs import IMAGENET_MEAN, IMAGENET_STD
from thgeval_models.loading import fit


@torch.no_grad()
def test_equals_the_twin() -> None:
    tensors = seeded.weights_for(seeded.published_keys("hyperiqa"), seed=101, gain=0.5)
    crops = seeded.images(2, 3, 224, 224, seed=102)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    ours = fit(hyperiqa.build(), tensors)(crops)
    theirs = twin.quality(tensors, (crops - mean) / std)
    agree(ours, theirs, "hyperiqa")
    assert (ours[0] - ours[1]).abs() > 1e-3 * ours[0].abs()


def test_refuses_whole_images() -> None:
    with pytest.raises(InputShapeError, match=r"hyperIQA takes floating point batches of shape \(N, 3, 224, 224\)"):
        hyperiqa.build()(torch.zeros(1, 3, 512, 384))
