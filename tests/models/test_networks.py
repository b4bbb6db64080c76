"""From a file to a network by name."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
from models import seeded

from thgeval_models import manifest, mobilefacenet, networks
from thgeval_models.errors import ArchitectureError, UnknownWeightsError

PUBLISHED = {
    "3ddfa-mb05": "tddfa_checkpoint",
    "arcface-irse50": "arcface_irse50",
    "arcface-r100": "arcface_r100",
    "arcface-r50": "arcface_r50",
    "clip-vit-b32": "clip",
    "deep3d": "deep3d",
    "facenet-casia": "inception_resnet_v1",
    "facenet-vggface2": "inception_resnet_v1",
    "fan-2d": "fan",
    "hyperiqa": "hyperiqa",
    "i3d-imagenet": "i3d",
    "i3d-kinetics400": "i3d",
    "i3d-torchscript": "i3d_hassony",
    "inception-fid": "inception_fid",
    "mobilefacenet": "mobilefacenet",
    "openface-nn4": "openface",
    "raft-small": "raft_small",
    "raft-things": "raft_large",
    "s3fd": "s3fd_face_alignment",
    "resnet3d-kinetics": "resnet3d",
    "sfd-face": "s3fd_syncnet",
    "syncnet-v2": "syncnet",
}
TRUNKS_AND_SEEDS = {"alexnet", "vgg16", "squeezenet", "random-vgg16", "random-vgg16-3d"}
IN_NUMPY = {"grid-landmark-reader", "silero-vad"}


def test_every_file_that_a_network_reads_is_in_the_table() -> None:
    with_network = {name for name, entry in manifest.manifest().items() if entry.network}
    heads = {name for name in with_network if name.startswith("lpips-")}
    assert with_network - heads - TRUNKS_AND_SEEDS - IN_NUMPY == {name for name in networks.NETWORKS if "/" not in name}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_keys_fit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = seeded.published_keys(PUBLISHED[name])
    prefix = "net_recon." if name == "deep3d" else ""
    tensors = {prefix + key: torch.empty(shape, device="meta") for key, shape in shapes.items()}
    monkeypatch.setattr(networks, "load_tensors", lambda _: tensors)
    network = networks.network(name, Path("file"))
    assert type(network).__module__.rsplit(".", 1)[-1] == manifest.weights(name).network
    assert not network.training


@torch.no_grad()
def test_a_saved_file_becomes_a_network(tmp_path: Path) -> None:
    tensors = seeded.weights_for(seeded.published_keys("mobilefacenet"), seed=151, gain=0.5)
    path = tmp_path / "mobilefacenet.pt"
    torch.save(tensors, path)
    network = networks.network("mobilefacenet", path)
    assert isinstance(network, mobilefacenet.MobileFaceNet)
    assert network(seeded.images(1, 3, 112, 112, seed=152)).shape == (1, 128)


@torch.no_grad()
def test_lpips_is_put_together_from_two_files(tmp_path: Path) -> None:
    lpips = pytest.importorskip("thgeval_models.lpips")
    pytest.importorskip("lpips")
    trunk = seeded.weights_for(seeded.published_keys("lpips_trunk_alexnet"), seed=153)
    torch.save(trunk | {"classifier.1.weight": torch.zeros(2, 2)}, tmp_path / "alexnet.pth")
    network = networks.perceptual_distance("alex", tmp_path / "alexnet.pth", lpips.packaged_heads("alex"))
    a, b = (seeded.images(1, 3, 40, 40, seed=seed, low=-1) for seed in (154, 155))
    assert network(generated=a, reference=b).item() > 0


def test_the_wrong_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(ArchitectureError, match=r"MobileFaceNet can't take these weights: 256 missing .* 1 unexpected"):
        networks.network("mobilefacenet", path)


def test_an_unknown_name_gets_suggestions(tmp_path: Path) -> None:
    with pytest.raises(UnknownWeightsError, match=r"called 'syncnet-v1'; there are syncnet-v2"):
        networks.network("syncnet-v1", tmp_path)
