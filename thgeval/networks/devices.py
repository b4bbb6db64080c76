"""Where networks run, for as long as a run takes: on the CPU, or gathered into batches on another device.

On another device all batches of samples of one shape have one size, the last ones filled up, and the arithmetic is
float32 throughout (no TF32) by algorithms that are repeatable; so that on one machine nothing but the sample itself
should change what comes out. Copies of the networks live there until the run ends. Where the device has no room for a
batch, batches become half as large for the rest of the run, which is said.
"""

import copy
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from thgeval.errors import MissingExtra, ProtocolError
from thgeval.kernels.places import SIMULATED, out_of_memory
from thgeval.networks.batches import Batches

if TYPE_CHECKING:
    from torch import Tensor

BATCH_NUMBERS = 64 * 3 * 299 * 299  # in the samples of a batch: 69 MB, the maps inside a network take many times that
LARGEST_BATCH = 64

_batches: ContextVar[Batches | None] = ContextVar("batches", default=None)


class Kind(NamedTuple):
    """What samples of one batch have in common: the network, the names of its last arguments, and their shapes."""

    network: Callable[..., "Tensor"]
    named: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]

    @property
    def batch(self) -> int:
        """How many samples a batch has."""
        numbers = sum(math.prod(shape) for shape in self.shapes)
        return max(1, min(LARGEST_BATCH, BATCH_NUMBERS // max(1, numbers)))


def check(device: str) -> None:
    """Raise ProtocolError unless it is the name of a device, which need not be there."""
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise ProtocolError(f"the device must be cpu, cuda or cuda:N, not {device!r}")


def token(device: str) -> str:
    """What stands for a device in signatures; MissingExtra or ProtocolError if it isn't there."""
    check(device)
    if device == "cpu":
        return "cpu"
    if SIMULATED:
        return "cuda-simulator"
    try:
        import torch
    except ImportError:
        raise MissingExtra(f"the device {device}", extra="models") from None
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(device.partition(":")[2] or 0)
    if number >= count:
        seen = f"sees {count} of them" if count else "sees none"
        raise ProtocolError(
            f"the device {device} can't be used: torch {torch.__version__} {seen}; "
            "choose --device cpu, or install a torch that is built for your GPU"
        )
    return "cuda-" + re.sub(r"[^A-Za-z0-9.]+", "-", torch.cuda.get_device_name(number)).strip("-")


@contextmanager
def at(device: str, warns: Callable[[str], None] = lambda sentence: None) -> Iterator[None]:
    """Networks run there until the context ends, for this thread and those that are given its ``contextvars``.

    ``warns`` is told where the device had no room for a batch.
    """
    with nullcontext() if device == "cpu" else in_batches(device, warns) as batches:
        before = _batches.set(batches)
        try:
            yield
        finally:
            _batches.reset(before)


def in_batches(device: str, warns: Callable[[str], None] = lambda sentence: None) -> Batches:
    """What gathers samples for a device."""
    gathered = _Gathered("cpu" if SIMULATED else device, warns)
    return Batches(gathered.results, lambda kind: kind.batch)  # type: ignore[attr-defined]


def batches() -> Batches | None:
    """What gathers samples now, or None where each goes through its network alone."""
    return _batches.get()


def kind(network: Callable[..., "Tensor"], named: tuple[str, ...], tensors: Sequence["Tensor"]) -> Kind:
    """The kind of the samples that these tensors are made of."""
    return Kind(network, named, tuple(tuple(tensor.shape[1:]) for tensor in tensors))


@dataclass
class _Gathered:
    """Networks on a device, by their original, and by how much batches had to shrink there; used by one thread."""

    device: str
    warns: Callable[[str], None]
    placed: dict[Any, Any] = field(default_factory=dict)
    shrunk: int = 1

    def results(self, kind: Any, samples: list[tuple["Tensor", ...]]) -> Sequence[Any]:
        """The result of each sample, in batches half as large from the first for which there is no room."""
        size = max(1, kind.batch // self.shrunk)
        try:
            parts = (samples[first : first + size] for first in range(0, len(samples), size))
            return [result for part in parts for result in self._through(kind, part, size)]
        except Exception as error:
            if not out_of_memory(error) or size == 1:
                raise
        self.shrunk *= 2
        self.warns(f"{self.device} has no room for {size} samples at a time; networks take half as many from now on")
        return self.results(kind, samples)

    def _through(self, kind: Any, samples: list[tuple["Tensor", ...]], size: int) -> Sequence[Any]:
        """The results of one batch, filled up with copies of its last sample."""
        import torch

        filled = samples + samples[-1:] * (size - len(samples))
        with torch.inference_mode(), _repeatable():
            tensors = [torch.stack(column).to(self.device) for column in zip(*filled, strict=True)]
            split = len(tensors) - len(kind.named)
            named = dict(zip(kind.named, tensors[split:], strict=True))
            found = self._network(kind.network)(*tensors[:split], **named)
            return list(found[: len(samples)].cpu().numpy())

    def _network(self, network: Any) -> Any:
        """The same method of a copy of the network on the device."""
        owner = getattr(network, "__self__", network)
        if owner not in self.placed:
            self.placed[owner] = copy.deepcopy(owner).to(self.device)
        return self.placed[owner] if owner is network else getattr(self.placed[owner], network.__name__)


@contextmanager
def _repeatable() -> Iterator[None]:
    import torch

    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        matmul.allow_tf32 = before
