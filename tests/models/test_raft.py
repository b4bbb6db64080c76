"""RAFT: a twin of the authors' code on the authors' weights, and flow that is known beforehand."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
import torch.nn.functional as F
from models import seeded
from models.twins import raft as twin
from support.tolerances import agree

from thgeval_models import manifest, raft
from thgeval_models.errors import InputShapeError
from thgeval_models.hashing import verify
from thgeval_models.loading import fit, load_tensors

ASSETS = Path(__file__).resolve().parents[2] / ".." / "shared" / "assets"
SMALL = ASSETS / "weights" / "raft-small.pth"
CLIP = ASSETS / "clips" / "May_5s.mp4"
needs_small = pytest.mark.skipif(not SMALL.exists(), reason="needs ../shared/assets/weights")


def textured(height: int, width: int, *, seed: int) -> torch.Tensor:
    """Smooth blobs of many sizes in 0..255, which can be followed everywhere."""
    generator = torch.Generator().manual_seed(seed)
    octaves = [torch.rand(1, 3, height // s, width // s, generator=generator) for s in (4, 8, 16)]
    return 255 * sum(F.interpolate(octave, (height, width), mode="bicubic") for octave in octaves).div(3).clamp(0, 1)


@torch.no_grad()
@pytest.mark.parametrize("size", ["small", "large"])
def test_equals_the_authors_network(size: raft.Size) -> None:
    tensors = seeded.weights_for(seeded.published_keys(f"raft_{size}"), seed=81, gain=0.5)
    for name in list(tensors):  # the same norm under two names
        if ".norm3." in name and size == "large":
            tensors[name] = tensors[name.replace("norm3", "downsample.1")]
    first, second = textured(128, 136, seed=82), textured(128, 136, seed=83)
    ours = raft.flow(fit(raft.build(size), raft.from_princeton(tensors)), first, second, updates=2)
    agree(ours, twin.flow(tensors, first, second, updates=2), "raft")


@needs_small
@torch.no_grad()
def test_the_published_file_equals_the_authors_network() -> None:
    assert verify(SMALL, manifest.weights("raft-small")).state == "verified"
    tensors = load_tensors(SMALL)
    first, second = textured(128, 128, seed=84), textured(128, 128, seed=85)
    ours = raft.flow(fit(raft.build("small"), raft.from_princeton(tensors)), first, second, updates=3)
    agree(ours, twin.flow(tensors, first, second, updates=3), "raft")


@needs_small
@torch.no_grad()
@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (5, -3), (-8, 6)])
def test_finds_a_known_shift(dx: int, dy: int) -> None:
    network = fit(raft.build("small"), raft.from_princeton(load_tensors(SMALL)))
    canvas = textured(192, 200, seed=86)
    first = canvas[:, :, 20:170, 20:175]
    second = canvas[:, :, 20 - dy : 170 - dy, 20 - dx : 175 - dx]
    found = raft.flow(network, first, second)
    assert found.shape == (1, 2, 150, 155)
    inner = found[0, :, 16:-16, 16:-16]
    assert inner[0].median().item() == pytest.approx(dx, abs=0.25)
    assert inner[1].median().item() == pytest.approx(dy, abs=0.25)
    assert (inner - torch.tensor([dx, dy]).view(2, 1, 1)).abs().mean() < 0.35


@needs_small
@pytest.mark.skipif(not CLIP.exists(), reason="needs ../shared/assets/clips")
@torch.no_grad()
def test_explains_the_motion_of_a_real_clip() -> None:
    """Warped back along the flow, a later frame resembles the earlier one more than it did before."""
    av = pytest.importorskip("av")
    with av.open(str(CLIP)) as container:
        frames = [frame.to_ndarray(format="rgb24") for i, frame in enumerate(container.decode(video=0)) if i in (0, 5)]
    first, second = (
        F.interpolate(torch.from_numpy(frame).permute(2, 0, 1)[None].float(), (192, 192), mode="area")
        for frame in frames
    )
    found = raft.flow(fit(raft.build("small"), raft.from_princeton(load_tensors(SMALL))), first, second)
    y, x = torch.meshgrid(torch.arange(192.0), torch.arange(192.0), indexing="ij")
    places = torch.stack([x + found[0, 0], y + found[0, 1]], -1)[None] * 2 / 191 - 1
    warped = F.grid_sample(second, places, align_corners=True, padding_mode="border")
    assert (warped - first).square().mean() < 0.5 * (second - first).square().mean()


def test_the_authors_names_are_torchvisions() -> None:
    for size in ("small", "large"):
        tensors = {
            name: torch.empty(shape, device="meta") for name, shape in seeded.published_keys(f"raft_{size}").items()
        }
        renamed = {name: tuple(tensor.shape) for name, tensor in raft.from_princeton(tensors).items()}
        assert renamed == seeded.keys_of(raft.build(size))


def test_refuses_small_and_unequal_images() -> None:
    network = raft.build("small")
    with pytest.raises(InputShapeError, match=">= 128"):
        raft.flow(network, torch.zeros(1, 3, 120, 200), torch.zeros(1, 3, 120, 200))
    with pytest.raises(InputShapeError, match="one size"):
        raft.flow(network, torch.zeros(1, 3, 128, 128), torch.zeros(1, 3, 128, 136))
