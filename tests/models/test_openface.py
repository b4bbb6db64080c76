"""OpenFace nn4.small2: a twin with the channel norm and the centring written out."""

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import openface as twin
from support.tolerances import agree

from thgeval_models import openface
from thgeval_models.errors import InputShapeError
from thgeval_models.loading import fit


@torch.no_grad()
def test_equals_the_twin() -> None:
    tensors = seeded.weights_for(seeded.published_keys("openface"), seed=141)
    images = seeded.images(2, 3, 96, 96, seed=142)
    ours = fit(openface.build(), tensors)(images)
    assert ours.shape == (2, 128)
    agree(ours, twin.embedding(tensors, images), "openface")
    agree(ours.norm(dim=1), torch.ones(2), "openface")


def test_refuses_other_sizes() -> None:
    with pytest.raises(InputShapeError, match=r"OpenFace takes .*3, 96, 96"):
        openface.build()(torch.zeros(1, 3, 112, 112))
