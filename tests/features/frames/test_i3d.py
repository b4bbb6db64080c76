"""What I3D is shown: the range of values, and VideoGPT's squares against bilinear sampling by hand."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from thgeval import networks
from thgeval.media.frames import FrameBatch
from thgeval.registry import metric

SIDE = 224


def shown(monkeypatch, frames, request):
    """The windows that the network behind a request sees, (windows, 3, length, 224, 224)."""
    seen = []
    monkeypatch.setattr(networks, "published", lambda name: None)
    monkeypatch.setattr(networks, "rows", lambda network, images: seen.append(images) or np.zeros((len(images), 400)))
    asked = metric(request).metric.rows
    (held,) = asked.inputs
    asked.compute(held.compute(FrameBatch(frames, 255.0, 0), **dict(held.parameters)), **dict(asked.parameters))
    return seen[0].numpy()


@pytest.mark.parametrize(
    ("request_", "ends"),
    [
        ("fvd", (-1.0, 1.0)),
        ("fvd/videogpt", (-1.0, 1.0)),  # wilson1yan/VideoGPT, videogpt/fvd/fvd.py, ce18ae8 to 733d2b1
        ("fvd:black=minus-half", (-0.5, 0.5)),  # the same at 3eee7ec
        ("fvd:black=zero", (0.0, 1.0)),
    ],
)
def test_black_and_white(monkeypatch, request_, ends):
    frames = np.zeros((16, 32, 48, 3), np.uint8)
    frames[8:] = 255
    images = shown(monkeypatch, frames, request_)
    np.testing.assert_allclose(images[:, :, :8], ends[0], atol=1e-6)
    np.testing.assert_allclose(images[:, :, 8:], ends[1], atol=1e-6)


def bilinear(plane, height, width):
    """Samples at pixel centres, without smoothing: (h, w) -> (height, width)."""

    def places(new, old):
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, None)
        low = np.minimum(at.astype(int), old - 1)
        return low, np.minimum(low + 1, old - 1), at - low

    top, bottom, down = places(height, plane.shape[0])
    left, right, across = places(width, plane.shape[1])
    rows = plane[top] * (1 - down)[:, None] + plane[bottom] * down[:, None]
    return rows[:, left] * (1 - across) + rows[:, right] * across


@pytest.mark.parametrize("size", [(100, 141), (300, 180), (224, 224)])
def test_videogpts_squares(monkeypatch, size):
    """The shorter side to 224, the longer one rounded up; the centre, cut from the lower half of an odd rest."""
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (16, *size, 3), np.uint8)
    scale = SIDE / min(size)
    height, width = (SIDE if side == min(size) else int(np.ceil(side * scale)) for side in size)
    top, left = (height - SIDE) // 2, (width - SIDE) // 2
    resized = bilinear(frames[3, :, :, 1] / 255.0, height, width)[top : top + SIDE, left : left + SIDE]
    images = shown(monkeypatch, frames, "fvd/videogpt")
    assert images.shape == (1, 3, 16, SIDE, SIDE)
    np.testing.assert_allclose(images[0, 1, 3], 2 * (resized - 0.5), atol=1e-4)
