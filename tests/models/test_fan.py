"""FAN: the package's network on equal weights."""

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from support.tolerances import agree

from thgeval_models import fan
from thgeval_models.errors import ArchitectureError, InputShapeError
from thgeval_models.loading import fit


@torch.no_grad()
def test_equals_face_alignment() -> None:
    models = pytest.importorskip("face_alignment.models")
    tensors = seeded.weights_for(seeded.published_keys("fan"), seed=171, gain=0.5)
    theirs = models.FAN(4).eval()
    theirs.load_state_dict(tensors, strict=False)
    faces = seeded.images(1, 3, 256, 256, seed=172)
    ours = fit(fan.build(), tensors)(faces)
    assert ours.shape == (1, 68, 64, 64)
    agree(ours, theirs(faces)[-1], "fan")


def test_refuses_other_sizes_and_weights() -> None:
    with pytest.raises(InputShapeError, match=r"FAN takes .*3, 256, 256"):
        fan.build()(torch.zeros(1, 3, 224, 224))
    with pytest.raises(ArchitectureError, match="FAN can't take these weights"):
        fit(fan.build(), seeded.weights_for(seeded.published_keys("openface"), seed=1))
