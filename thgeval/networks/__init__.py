"""Reference networks at work: loaded once, and run so that nothing but the sample itself can change what comes out.

On the CPU every sample goes through its network alone, on the one thread that asked for it, so that neither chunks, nor
workers, nor what would have shared its batch, can change a bit; cores are kept busy by the clips and chunks they share.
In exchange batch normalisation is folded into the convolutions before it and channels are stored last, which changes
about one part in a million and makes the convolutional networks a quarter faster than in batches as they are
(``benchmarks/networks.py``). On other devices samples are gathered into batches (``thgeval.networks.devices``), which
is why features call their networks through ``rows`` alone.

A network is loaded at its first use, from a file that the weights' policy allows, and stays for the whole process.
torch is imported by then, and not before.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from thgeval.networks import devices
from thgeval.networks.memory import once, read_once
from thgeval.requirements import Package

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

TORCH = Package("torch", extra="models")

_counting = Lock()
_inside, _before = 0, 1


def loaded(key: Hashable, load: Callable[[], T]) -> T:
    """What ``load``, which builds something of torch's, returned when it was first called under this key."""

    def quietly() -> T:
        with alone():
            return load()

    return once(key, quietly)


def published(name: str) -> Any:
    """The network of the manifest's weights ``name[/plan]``, folded and ready; WeightsError if they may not be used."""

    def read(file: Path) -> Any:
        from thgeval_models import networks

        with alone():
            return folded(networks.network(name, file))

    return read_once(weights_of(name), read, plan=name)


def weights_of(name: str) -> str:
    """The manifest's weights that a network reads."""
    return name.partition("/")[0]


def rows(network: Callable[..., "Tensor"], *samples: "Tensor", **named: "Tensor") -> NDArray[np.float32]:
    """What the network gives for every sample, (samples, ...) float32; there is at least one.

    ``network`` is a torch module or a method of one. Several tensors, of equal length, are its arguments.
    """
    import torch

    every = (*samples, *named.values())
    if (batches := devices.batches()) is not None:
        return np.stack(batches.results(devices.kind(network, tuple(named), every), list(zip(*every, strict=True))))
    found = []
    with alone():
        for i in range(len(every[0])):
            one = [tensor[i : i + 1] for tensor in every]
            found.append(network(*one[: len(samples)], **dict(zip(named, one[len(samples) :], strict=True))))
        joined: NDArray[np.float32] = torch.cat(found).numpy()
        return joined


@contextmanager
def alone() -> Iterator[None]:
    """Torch without gradients and on the calling thread only; the caller's number of threads comes back afterwards."""
    import torch

    global _inside, _before
    with _counting:
        if not _inside:
            _before = torch.get_num_threads()
        _inside += 1
    mine = torch.get_num_threads()
    torch.set_num_threads(1)  # of this thread; torch also takes it for threads that haven't asked yet
    try:
        with torch.inference_mode():
            yield
    finally:
        with _counting:
            _inside -= 1
            torch.set_num_threads(mine if _inside else _before)


def folded(network: Any) -> Any:
    """The network with each ``bn`` folded into the ``conv`` or ``conv3d`` beside it, channels last."""
    import torch
    from torch.nn.utils import fuse_conv_bn_eval

    for unit in network.modules():
        for name in ("conv", "conv3d"):
            if hasattr(unit, name) and hasattr(unit, "bn"):
                setattr(unit, name, fuse_conv_bn_eval(getattr(unit, name), unit.bn))
                unit.bn = torch.nn.Identity()
    return channels_last(network)


def channels_last(network: Any) -> Any:
    """The network with the weights of its convolutions stored channels last, which CPUs read faster."""
    import torch

    for parameter in network.parameters():
        if parameter.ndim in (4, 5):
            order = torch.channels_last if parameter.ndim == 4 else torch.channels_last_3d
            parameter.data = parameter.data.contiguous(memory_format=order)
    return network


def as_bytes(frames: NDArray[Any], peak: float) -> NDArray[np.uint8]:
    """Pixels in [0, peak] as uint8 in 0..255, rounded to the nearest and cut to that range; bytes as they are."""
    if frames.dtype == np.uint8:
        return frames
    return np.asarray(np.clip(np.rint(frames * (255.0 / peak)), 0, 255), np.uint8)


def as_images(frames: NDArray[Any], peak: float, *, white: float = 1.0) -> "Tensor":
    """(frames, height, width, 3) pixels as a float32 (frames, 3, height, width) with white at ``white``."""
    import torch

    images = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float()
    return images / (peak / white)
