"""Random but reproducible weights and images, and the keys that published files have."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

KEYS = Path(__file__).parent / "keys"
COUNTER = "num_batches_tracked"


def published_keys(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a published state dict, batch norm's counters left out."""
    content = json.loads((KEYS / f"{name}.json").read_text())
    return {key: tuple(shape) for key, shape in content["keys"].items()}


def keys_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(t.shape) for name, t in network.state_dict().items() if not name.endswith(COUNTER)}


def weights_for(shapes: Mapping[str, tuple[int, ...]], seed: int, gain: float = 2.0) -> dict[str, Tensor]:
    """Weights that keep activations near one, so that differences show.

    ``gain`` is the variance a convolution gives its output: 2 suits chains of ReLUs, less suits sums of many branches.
    """
    generator = torch.Generator().manual_seed(seed)

    def one(name: str, shape: tuple[int, ...]) -> Tensor:
        noise = torch.randn(shape, generator=generator)
        if name.endswith("running_var"):
            return 0.5 + torch.rand(shape, generator=generator)
        if len(shape) > 1:
            return noise * math.sqrt(gain / math.prod(shape[1:]))
        return 0.1 * noise if name.endswith(("bias", "running_mean")) else 1 + 0.1 * noise

    return {name: one(name, shape) for name, shape in shapes.items()}


def images(*shape: int, seed: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Smooth random images or clips, as pure noise would hide padding mistakes."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(*shape[:2], *(max(2, size // 8) for size in shape[2:]), generator=generator)
    mode = "bilinear" if len(shape) == 4 else "trilinear"
    smooth = nn.functional.interpolate(coarse, size=shape[2:], mode=mode, align_corners=True)
    return low + (high - low) * (0.8 * smooth + 0.2 * torch.rand(*shape, generator=generator))


def relative_error(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference over the largest value of the original."""
    assert ours.shape == theirs.shape
    scale = theirs.abs().max().item()
    assert scale > 0
    assert math.isfinite(scale)
    return (ours - theirs).abs().max().item() / scale
