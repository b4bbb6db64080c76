"""Deep3DFaceRecon: torchvision's ResNet-50 and the heads in the order of the coefficients."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from support.tolerances import agree

from thgeval_models import deep3d
from thgeval_models.errors import InputShapeError
from thgeval_models.loading import fit, load_tensors, under


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys("deep3d"), seed=111, gain=0.5)


@torch.no_grad()
def test_equals_torchvisions_trunk_and_the_heads(tensors: dict[str, torch.Tensor]) -> None:
    models = pytest.importorskip("torchvision.models")
    trunk = models.resnet50(weights=None)
    trunk.fc = torch.nn.Identity()
    trunk.load_state_dict(under(tensors, "backbone."), strict=False)
    faces = seeded.images(1, 3, 224, 224, seed=112)
    seen = trunk.eval()(faces)
    layers = [under(tensors, f"final_layers.{i}.") for i in range(7)]
    heads = [seen @ layer["weight"].flatten(1).T + layer["bias"] for layer in layers]
    ours = fit(deep3d.build(), tensors)(faces)
    assert ours.shape == (1, 257)
    agree(ours, torch.cat(heads, dim=1), "deep3d")


def test_parts_are_where_the_literature_says() -> None:
    face = deep3d.split(torch.arange(257.0)[None])
    assert face.expression[0].tolist() == list(range(80, 144))
    assert face.angles_rad[0].tolist() == [224, 225, 226]
    assert face.translation[0].tolist() == [254, 255, 256]
    assert (face.identity.shape[1], face.texture.shape[1], face.lighting.shape[1]) == (80, 80, 27)


def test_reads_the_authors_checkpoint(tensors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    optimiser = {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    path = tmp_path / "epoch_20.pth"
    torch.save({"net_recon": tensors, "optimizer_00": optimiser, "sched_00": {"last_epoch": 20}}, path)
    network = fit(deep3d.build(), deep3d.from_checkpoint(load_tensors(path)))
    assert torch.equal(network.final_layers[1].bias, tensors["final_layers.1.bias"])


def test_refuses_other_sizes() -> None:
    with pytest.raises(InputShapeError, match=r"Deep3D takes"):
        deep3d.build()(torch.zeros(1, 3, 256, 256))
