"""Looking at a model between two steps of its training, so that training goes on as if nobody had looked."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from thgeval.errors import ProtocolError

Averaged: TypeAlias = nn.Module | Mapping[str, Tensor] | Callable[[], AbstractContextManager[Any]] | None
"""Weights to look at in place of a model's own: by name, those of another module, or a context that puts them in."""

SWITCHES: tuple[tuple[Any, str], ...] = (
    (torch.backends.cudnn, "enabled"),
    (torch.backends.cudnn, "benchmark"),
    (torch.backends.cudnn, "deterministic"),
    *(
        ((torch.backends.cuda.matmul, "fp32_precision"), (torch.backends.cudnn, "fp32_precision"))
        if hasattr(torch.backends.cuda.matmul, "fp32_precision")  # torch 2.9 and later
        else ((torch.backends.cuda.matmul, "allow_tf32"), (torch.backends.cudnn, "allow_tf32"))
    ),
)
"""Attributes that decide by which algorithms numbers are made; three more are functions of torch."""


@contextmanager
def undisturbed(modules: Sequence[nn.Module], wrappers: Sequence[nn.Module] = ()) -> Iterator[None]:
    """Modules in evaluation mode and no gradients, until the context ends and everything is as it was.

    That is: the random state of Python, numpy, torch and all graphics cards, whether gradients are recorded, each
    submodule's own mode, its buffers and their contents, and the switches of torch's backends. What is left in the
    cache of a graphics card goes back to it. ``wrappers`` (``DistributedDataParallel``) wait for no other process.
    """
    modes = [(module, module.training) for top in modules for module in top.modules()]
    with _random_state(), _switches(), _buffers(modules), _alone(wrappers), torch.no_grad():
        try:
            for top in modules:
                top.eval()
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            torch.cuda.empty_cache()


@contextmanager
def _buffers(modules: Sequence[nn.Module]) -> Iterator[None]:
    """The same tensors under the same names, with what they hold, whether forward changes or replaces them."""
    tables = [(module._buffers, dict(module._buffers)) for top in modules for module in top.modules()]
    contents = [(buffer, buffer.clone()) for top in modules for buffer in top.buffers()]
    try:
        yield
    finally:
        for table, held in tables:
            table.update(held)
        with torch.no_grad():
            for buffer, content in contents:
                if not torch.equal(buffer, content):
                    buffer.copy_(content)


@contextmanager
def _alone(wrappers: Sequence[nn.Module]) -> Iterator[None]:
    """Wrappers that would wait for other processes before a forward pass, which may be called unevenly often, don't.

    What they would have been sent, the first process's buffers, they are sent once.
    """
    distributed = [one for one in wrappers if isinstance(one, nn.parallel.DistributedDataParallel)]
    held = [wrapper.require_forward_param_sync for wrapper in distributed]
    try:
        for wrapper in distributed:
            if wrapper.broadcast_buffers:
                for buffer in wrapper.module.buffers():
                    dist.broadcast(buffer, 0)
            wrapper.require_forward_param_sync = False
        yield
    finally:
        for wrapper, waits in zip(distributed, held, strict=True):
            wrapper.require_forward_param_sync = waits


@contextmanager
def _random_state() -> Iterator[None]:
    python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the state that others draw from
    cards = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    try:
        with torch.random.fork_rng(devices=cards):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(of_numpy)  # noqa: NPY002


def seed_all(seed: int) -> None:
    """The random state of Python, numpy, torch and all graphics cards, from one number."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


@contextmanager
def _switches() -> Iterator[None]:
    held = [(owner, name, getattr(owner, name)) for owner, name in SWITCHES]
    dtype, caches = torch.get_default_dtype(), torch.is_autocast_cache_enabled()
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_autocast_cache_enabled(False)  # it holds weights as they were before others took their place
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(caches)
        for owner, name, value in held:
            if getattr(owner, name) != value:
                setattr(owner, name, value)
        torch.use_deterministic_algorithms(strict, warn_only=warns)
        torch.set_default_dtype(dtype)


def averaged(model: nn.Module, weights: Averaged) -> AbstractContextManager[Any]:
    """A context in which the model has other weights, such as their moving average.

    ``weights`` are tensors by the names of the model's parameters and buffers, a module that has them (torch's
    ``AveragedModel`` among them), or a function that returns such a context itself. Nothing is copied. Names that are
    missing keep the model's own; names that ``torch.compile`` or ``DistributedDataParallel`` lengthened are meant too.
    Raises ProtocolError for names that the model hasn't, and for other shapes.
    """
    if weights is None:
        return nullcontext()
    if isinstance(weights, nn.Module):
        inner: Any = weights.module if isinstance(weights, AveragedModel) else weights
        return _swapped(model, _tensors(inner))
    return _swapped(model, weights) if isinstance(weights, Mapping) else weights()


@contextmanager
def _swapped(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    own = _tensors(model)
    bare = {_bare(name): name for name in own}
    weights = {name if name in own else bare.get(_bare(name), name): weight for name, weight in weights.items()}
    if unknown := sorted(weights.keys() - own.keys()):
        raise ProtocolError(f"the averaged weights hold {unknown[0]!r}, which the model doesn't have")
    for name, weight in weights.items():
        if weight.shape != own[name].shape:
            raise ProtocolError(
                f"the averaged {name!r} has the shape {tuple(weight.shape)}, and the model's {tuple(own[name].shape)}"
            )
    before = {name: own[name].data for name in weights}
    try:
        for name, weight in weights.items():
            own[name].data = weight.detach().to(own[name].device, own[name].dtype)
        yield
    finally:
        for name, data in before.items():
            own[name].data = data


def _bare(name: str) -> str:
    """A tensor's name without what wrappers put before and into it."""
    return name.removeprefix("module.").replace("_orig_mod.", "")


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def no_room(error: BaseException) -> bool:
    """Whether an error says that a device, or the machine, had no room."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)
    )


OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""How torch's allocators without an error of their own say it."""
