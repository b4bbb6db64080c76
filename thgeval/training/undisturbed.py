"""Looking at a model between two steps of its training, so that training goes on as if nobody had looked."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeAlias

import numpy as np
import torch
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
def undisturbed(modules: Sequence[nn.Module]) -> Iterator[None]:
    """Modules in evaluation mode and no gradients, until the context ends and everything is as it was.

    That is: the random state of Python, numpy, torch and all graphics cards, whether gradients are recorded, each
    submodule's own mode, the contents of buffers, and the switches of torch's backends. What is left in the cache of
    a graphics card goes back to it.
    """
    modes = [(module, module.training) for top in modules for module in top.modules()]
    buffers = [(buffer, buffer.clone()) for top in modules for buffer in top.buffers()]
    with _random_state(), _switches(), torch.no_grad():
        try:
            for top in modules:
                top.eval()
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for buffer, held in buffers:
                if not torch.equal(buffer, held):
                    buffer.copy_(held)
            torch.cuda.empty_cache()


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
    dtype = torch.get_default_dtype()
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    try:
        yield
    finally:
        for owner, name, value in held:
            if getattr(owner, name) != value:
                setattr(owner, name, value)
        torch.use_deterministic_algorithms(strict, warn_only=warns)
        torch.set_default_dtype(dtype)


def averaged(model: nn.Module, weights: Averaged) -> AbstractContextManager[Any]:
    """A context in which the model has other weights, such as their moving average.

    ``weights`` are tensors by the names of the model's parameters and buffers, a module that has them (torch's
    ``AveragedModel`` among them), or a function that returns such a context itself. Nothing is copied. Names that are
    missing keep the model's own. Raises ProtocolError for names that the model hasn't, and for other shapes.
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


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def no_room(error: BaseException) -> bool:
    """Whether an error says that a device, or the machine, had no room."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in OUT_OF_MEMORY)
    )


OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""How torch's allocators without an error of their own say it."""
