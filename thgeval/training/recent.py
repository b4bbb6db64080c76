"""The batch that was looked at last, so that several metrics of one collection share what they read of it.

Two calls are of one batch if they hand over the same tensors, unchanged: the same objects with the same version, which
torch raises at every change in place. Tensors made under ``inference_mode`` have no version, and are shared too, as
they can't be changed outside of it. Nothing is kept once one of the tensors is gone.
"""

import weakref
from collections.abc import Callable, Hashable
from threading import local
from typing import Any, TypeVar

from torch import Tensor

T = TypeVar("T")

_last = local()


def shared(tensors: tuple[Tensor | None, ...], how: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` made of these tensors in this way when it was called last, or makes now."""
    key = (how, tuple(None if tensor is None else (id(tensor), _version(tensor)) for tensor in tensors))
    if getattr(_last, "key", None) == key:
        found: T = _last.value
        return found
    value = make()
    _last.key, _last.value = key, value
    _last.watched = [weakref.ref(tensor, _Forget(key)) for tensor in tensors if tensor is not None]
    return value


class _Forget:
    """Lets go of what was kept when a tensor that it was made of is gone."""

    def __init__(self, key: Hashable) -> None:
        self.key = key

    def __call__(self, gone: Any) -> None:
        if getattr(_last, "key", None) == self.key:
            _last.key = _last.value = None


def _version(tensor: Tensor) -> int:
    return -1 if tensor.is_inference() else tensor._version
