"""LPIPS: the package's own module on random weights, and torchmetrics' documented values on real ones."""

import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from models import seeded
from support.tolerances import agree

from thgeval_models import lpips, manifest
from thgeval_models.errors import InputShapeError, MissingPackageError
from thgeval_models.hashing import verify
from thgeval_models.loading import fit, load_tensors

ASSETS = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets" / "weights"
SQUEEZENET = ASSETS / "squeezenet1_1_frozen_features_fp32_a.pt"
TRUNKS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
HEADS = {("alex", "0.1"): "lpips-alex", ("vgg", "0.1"): "lpips-vgg", ("squeeze", "0.1"): "lpips-squeeze"}
HEADS |= {("alex", "0.0"): "lpips-alex-v00", ("vgg", "0.0"): "lpips-vgg-v00", ("squeeze", "0.0"): "lpips-squeeze-v00"}


def trunk(name: lpips.Trunk, seed: int) -> dict[str, torch.Tensor]:
    return seeded.weights_for(seeded.published_keys(f"lpips_trunk_{TRUNKS[name]}"), seed)


def heads(name: lpips.Trunk, version: lpips.Version = "0.1") -> dict[str, torch.Tensor]:
    pytest.importorskip("lpips")
    return load_tensors(lpips.packaged_heads(name, version))


def original(name: str, version: str, tensors: dict[str, torch.Tensor], *, spatial: bool = False) -> torch.nn.Module:
    package = pytest.importorskip("lpips")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its calls into torchvision are deprecated
        network = package.LPIPS(net=name, version=version, pnet_rand=True, verbose=False, spatial=spatial)
    slices = {key.split(".", 1)[1]: key for key in network.net.state_dict()}
    state = {slices[key.removeprefix("features.")]: tensor for key, tensor in tensors.items()}
    network.net.load_state_dict(state)
    return network.eval()


@torch.no_grad()
@pytest.mark.parametrize("version", ["0.1", "0.0"])
@pytest.mark.parametrize("name", TRUNKS)
def test_equals_the_package(name: lpips.Trunk, version: lpips.Version) -> None:
    tensors = trunk(name, seed=31)
    a, b = (seeded.images(2, 3, 67, 53, seed=seed, low=-1) for seed in (32, 33))
    ours = fit(lpips.build(name, version), tensors | heads(name, version))
    theirs = original(name, version, tensors)
    agree(ours(generated=a, reference=b), theirs(a, b).flatten(), "lpips")


@torch.no_grad()
def test_distance_map_equals_the_packages_spatial_mode() -> None:
    tensors = trunk("squeeze", seed=34)
    a, b = (seeded.images(1, 3, 61, 47, seed=seed, low=-1) for seed in (35, 36))
    ours = fit(lpips.build("squeeze"), tensors | heads("squeeze"))
    theirs = original("squeeze", "0.1", tensors, spatial=True)
    agree(ours.distance_map(generated=a, reference=b), theirs(a, b), "lpips")


@pytest.mark.skipif(not SQUEEZENET.exists(), reason="needs ../shared/assets/weights")
@torch.no_grad()
def test_reproduces_torchmetrics_documented_values() -> None:
    """The two doctests of torchmetrics 1.9 ``functional/image/lpips.py``: [0.1024, 0.0938] and their like, 0.1005."""
    tensors = lpips.trunk_tensors(load_tensors(SQUEEZENET))
    network = fit(lpips.build("squeeze"), tensors | heads("squeeze"))
    generator = torch.Generator().manual_seed(42)
    pair = [torch.rand(2, 3, 100, 100, generator=generator) * 2 - 1 for _ in range(2)]
    values = network(generated=pair[0], reference=pair[1])
    agree(values, [0.1024, 0.0938], "lpips documented")
    with torch.random.fork_rng():
        torch.manual_seed(42)
        pair = [torch.rand(10, 3, 100, 100) * 2 - 1 for _ in range(2)]
    agree(network(generated=pair[0], reference=pair[1]).mean(), 0.1005, "lpips documented")


@torch.no_grad()
def test_rows_are_as_far_apart_as_images() -> None:
    network = fit(lpips.build("squeeze"), trunk("squeeze", seed=8) | heads("squeeze"))
    first, second = (seeded.images(1, 3, 48, 40, seed=seed, low=-1) for seed in (9, 10))
    rows = [network.described(images).double() for images in (first, second)]
    expected = network(generated=first, reference=second)
    torch.testing.assert_close((rows[0] - rows[1]).square().sum(1).float(), expected, rtol=1e-4, atol=0)


@torch.no_grad()
def test_equal_images_have_no_distance_and_order_does_not_matter() -> None:
    network = fit(lpips.build("alex"), trunk("alex", seed=37) | heads("alex"))
    a, b = (seeded.images(1, 3, 40, 64, seed=seed, low=-1) for seed in (38, 39))
    assert network(generated=a, reference=a).item() == 0
    assert network(generated=a, reference=b).item() == network(generated=b, reference=a).item() > 0


@pytest.mark.parametrize(("name", "version"), HEADS)
def test_packaged_heads_are_those_of_the_manifest(name: lpips.Trunk, version: lpips.Version) -> None:
    pytest.importorskip("lpips")
    path, entry = lpips.packaged_heads(name, version), manifest.weights(HEADS[name, version])
    assert verify(path, entry).state == "verified"
    assert entry.packaged
    assert path.as_posix().endswith(entry.packaged.path)
    assert all((tensor >= 0).all() for tensor in load_tensors(path).values())


def test_says_which_package_has_the_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lpips, "packaged_path", lambda entry: None)
    with pytest.raises(MissingPackageError, match="pip install lpips"):
        lpips.packaged_heads("alex")


def test_refuses_images_that_are_too_small() -> None:
    small = torch.zeros(1, 3, 30, 64)
    with pytest.raises(InputShapeError, match=">= 31"):
        lpips.build("alex")(generated=small, reference=small)
