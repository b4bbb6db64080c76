"""Random embeddings: the same bits everywhere, and a distance that grows with the damage."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from models import seeded
from support.tolerances import agree

from thgeval_models import manifest, random_features
from thgeval_models.errors import InputShapeError


@pytest.fixture(scope="module")
def image_network() -> random_features.RandomVGG:
    return random_features.build("image")


@pytest.fixture(scope="module")
def clip_network() -> random_features.RandomVGG:
    return random_features.build("clip")


def splitmix64(seed: int, count: int) -> list[int]:
    """The reference generator in plain integers."""
    mask, numbers = 2**64 - 1, []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        numbers.append(z ^ (z >> 31))
    return numbers


def test_the_hash_is_splitmix64() -> None:
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert splitmix64(1234567, 5) == published
    with np.errstate(over="ignore"):
        states = np.uint64(1234567) + np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert random_features.hashed(states).tolist() == published


def test_weights_are_sums_of_four_lanes() -> None:
    ours = random_features.weights((5, 7), seed=99, stream=0)
    lanes = [[(z >> shift) & 0xFFFF for shift in (0, 16, 32, 48)] for z in splitmix64(99, 35)]
    std = math.sqrt((2**32 - 1) / 3)
    expected = np.array([np.float32((sum(four) - 131070) * (math.sqrt(2 / 7) / std)) for four in lanes]).reshape(5, 7)
    assert np.array_equal(ours, expected)


def test_weights_have_the_stated_spread() -> None:
    numbers = random_features.weights((300, 300), seed=1, stream=3).astype(np.float64)
    assert numbers.mean() == pytest.approx(0, abs=1e-3)
    assert numbers.var() == pytest.approx(2 / 300, rel=0.02)
    other = random_features.weights((300, 300), seed=1, stream=4)
    assert abs(np.corrcoef(numbers.ravel(), other.ravel())[0, 1]) < 0.02


@pytest.mark.parametrize(("kind", "name"), [("image", "random-vgg16"), ("clip", "random-vgg16-3d")])
def test_bits_are_frozen(kind: random_features.Kind, name: str, request: pytest.FixtureRequest) -> None:
    network = request.getfixturevalue(f"{kind}_network")
    assert random_features.fingerprint(network) == manifest.weights(name).sha256


def test_another_seed_is_another_network(clip_network: random_features.RandomVGG) -> None:
    assert random_features.fingerprint(random_features.build("clip", seed=1)) != random_features.fingerprint(
        clip_network
    )


def frechet(a: torch.Tensor, b: torch.Tensor) -> float:
    """Fréchet distance of two sets of rows, by the nuclear norm."""
    a, b = a.double(), b.double()
    ma, mb = a.mean(0), b.mean(0)
    a, b = ((rows - rows.mean(0)) / math.sqrt(len(rows) - 1) for rows in (a, b))
    cross = torch.linalg.svdvals(a @ b.T).sum()
    return float(((ma - mb) ** 2).sum() + (a**2).sum() + (b**2).sum() - 2 * cross)


@torch.no_grad()
def test_more_damage_is_more_distance(image_network: random_features.RandomVGG) -> None:
    images = seeded.images(48, 3, 32, 32, seed=51)
    clean, other = image_network(images[::2]), images[1::2]
    noise = torch.randn(other.shape, generator=torch.Generator().manual_seed(52))
    distances = [frechet(clean, image_network((other + level * noise).clamp(0, 1))) for level in (0, 0.05, 0.15, 0.4)]
    assert distances == sorted(distances)
    assert distances[-1] > 10 * distances[0]


@torch.no_grad()
def test_clips_see_motion(clip_network: random_features.RandomVGG) -> None:
    clips = seeded.images(4, 3, 8, 32, 32, seed=53)
    embedded = clip_network(clips)
    assert embedded.shape == (4, random_features.DIMENSIONS)
    assert seeded.relative_error(clip_network(clips.flip(2)), embedded) > 1e-3
    frozen = clips[:, :, :1].expand_as(clips)
    assert seeded.relative_error(clip_network(frozen), embedded) > 1e-3


@torch.no_grad()
def test_batches_do_not_matter(image_network: random_features.RandomVGG) -> None:
    images = seeded.images(3, 3, 37, 45, seed=54)
    one_by_one = torch.cat([image_network(images[i : i + 1]) for i in range(3)])
    agree(image_network(images), one_by_one, "batches")


def test_refuses_what_is_too_small(clip_network: random_features.RandomVGG) -> None:
    with pytest.raises(InputShapeError, match=r"RandomVGG \(clip\).*>= 8, >= 32, >= 32"):
        clip_network(torch.zeros(1, 3, 4, 64, 64))
