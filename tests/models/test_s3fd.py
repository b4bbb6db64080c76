"""S3FD: a twin for each published layout, and its own way of dropping overlapping boxes."""

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from models.twins import s3fd as twin
from support.tolerances import agree

from thgeval_models import s3fd
from thgeval_models.errors import InputShapeError
from thgeval_models.loading import fit

LAYOUTS = {"syncnet": "s3fd_syncnet", "face-alignment": "s3fd_face_alignment"}


def fitted(variant: s3fd.Variant, tensors: dict[str, torch.Tensor]) -> s3fd.S3FD:
    return fit(s3fd.build(variant), tensors if variant == "syncnet" else s3fd.from_face_alignment(tensors))


@torch.no_grad()
@pytest.mark.parametrize("variant", LAYOUTS)
def test_equals_the_twin(variant: s3fd.Variant) -> None:
    tensors = seeded.weights_for(seeded.published_keys(LAYOUTS[variant]), seed=131)
    for name in tensors:
        if name.startswith(("loc", "conf.")) or "mbox" in name:
            tensors[name] *= 0.05  # boxes near their places, and no two probabilities alike
        elif tensors[name].ndim == 1 and "orm" in name:
            tensors[name] *= 8  # as long as the published networks make their unit vectors
    image = seeded.images(1, 3, 76, 100, seed=132, high=255)  # 19 rows after two pools: the third may round up
    boxes, scores = fitted(variant, tensors)(image)
    found = twin.detect(tensors, image, syncnet=variant == "syncnet")
    agree(boxes[0], torch.tensor([box for box, _ in found]), "s3fd")
    agree(scores[0], torch.tensor([score for _, score in found]), "s3fd")
    kept, kept_scores = s3fd.distinct(boxes[0], scores[0], threshold=0.5, overlap=0.3)
    expected = twin.greedy(list(zip(boxes[0].tolist(), scores[0].tolist(), strict=True)), 0.5, 0.3)
    assert len(expected) > 5
    assert torch.equal(kept, boxes[0][expected])
    assert torch.equal(kept_scores, scores[0][expected])


def test_face_alignments_names_are_ours() -> None:
    published = seeded.published_keys("s3fd_face_alignment")
    renamed = s3fd.from_face_alignment({name: torch.empty(shape, device="meta") for name, shape in published.items()})
    assert {name: tuple(tensor.shape) for name, tensor in renamed.items()} == seeded.keys_of(
        s3fd.build("face-alignment")
    )


def test_no_likely_box_is_no_box() -> None:
    boxes, scores = s3fd.distinct(torch.zeros(3, 4), torch.tensor([0.1, 0.2, 0.3]), threshold=0.5, overlap=0.3)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0,)


def test_refuses_tiny_images() -> None:
    with pytest.raises(InputShapeError, match=">= 32"):
        s3fd.build()(torch.zeros(1, 3, 16, 64))
