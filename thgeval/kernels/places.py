"""Where arrays lie, in memory or on a graphics card, and the loops that run there. Nothing here imports CUDA.

A kernel takes numpy's arrays, or objects with ``__cuda_array_interface__`` (tensors of torch, arrays of CuPy or numba),
and computes where they lie. What comes out of the second kind is a `DeviceArray`: it stays on the card, in an order of
launches that nothing waits for. ``numpy.asarray`` brings it to memory, ``torch.as_tensor`` takes it as it is.
"""

import os
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from thgeval.errors import MissingExtra, ProtocolError

__all__ = [
    "COMPILERS",
    "SIMULATED",
    "DeviceArray",
    "empty_beside",
    "in_memory",
    "in_order",
    "lack",
    "loops",
    "on_card",
    "out_of_memory",
    "put",
    "readable",
]

SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM", "") not in ("", "0")
"""Whether numba's simulator stands for a card, which numba decides when it is imported."""

COMPILERS = ("numba_cuda_mlir", "numba_cuda")
"""Packages that compile the kernels for cards, the preferred one first."""


def lack() -> MissingExtra | None:
    """What this installation lacks to run kernels on a card that torch sees, as the error that says what helps.

    ProtocolError where nothing is lacking and the card can't be used all the same.
    """
    if not SIMULATED and not any(find_spec(package) for package in COMPILERS):
        return MissingExtra("computing metrics of pixels on a graphics card", extra="cuda")
    from thgeval.kernels import cuda_target

    cuda_target.named()
    return None


def put(values: NDArray[Any], device: str) -> "DeviceArray":
    """A copy of values in memory on a card, ``cuda`` or ``cuda:N``."""
    from thgeval.kernels import cuda_target

    return DeviceArray(cuda_target.uploaded(values, device))


def out_of_memory(error: Exception) -> bool:
    """Whether an error, of whatever library, says that a card has no room left."""
    said = str(error).lower()
    return "cuda" in said and ("out of memory" in said or "out_of_memory" in said)


def on_card(*arrays: Any) -> bool:
    """Whether arrays lie on a graphics card; ProtocolError where some do and some don't."""
    found = {not isinstance(array, np.ndarray) and _is_on_card(array) for array in arrays}
    if len(found) > 1:
        raise ProtocolError("one of the two sides is on a graphics card and the other in memory; bring both to one")
    return found == {True}


def _is_on_card(array: Any) -> bool:
    return isinstance(array, DeviceArray) or hasattr(array, "__cuda_ndarray__") or _interface(array) is not None


def _interface(array: Any) -> Any:
    try:
        return getattr(array, "__cuda_array_interface__", None)
    except RuntimeError as error:  # torch's, of tensors that have a gradient
        raise ProtocolError(f"this tensor can't be read where it lies ({error}); detach it first") from None


def loops(cpu: ModuleType, *arrays: Any) -> Any:
    """The module of a kernel's loops where arrays lie: ``cpu`` itself, or ``cuda`` beside it."""
    return import_module(f"{cpu.__package__}.cuda") if on_card(*arrays) else cpu


def readable(array: Any) -> Any:
    """An array whose shape and type are read as numpy's, wherever it lies."""
    return DeviceArray(array) if not isinstance(array, DeviceArray) and on_card(array) else array


def in_order(array: Any) -> Any:
    """An array with its memory in C order, copied only where it isn't."""
    return array.in_order() if isinstance(array, DeviceArray) else np.ascontiguousarray(array)


def empty_beside(array: Any, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
    """Room for a result where an array lies, not filled."""
    return array.empty(shape, dtype) if isinstance(array, DeviceArray) else np.empty(shape, dtype)


def in_memory(array: Any) -> NDArray[Any]:
    """A small result as numpy's array, once all launches before it are through."""
    return np.asarray(array)


class DeviceArray:
    """An array on a graphics card, in C order, by numpy's names for its shape and type.

    ``owner`` is what holds the memory: what is made beside it is made by the same library, so that torch's allocator
    serves what computes with torch's tensors.
    """

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    @cached_property
    def values(self) -> Any:
        """The array as kernels take it: no copy, and no waiting for what was launched before."""
        from thgeval.kernels import cuda_target

        return cuda_target.viewed(self.owner)

    @property
    def _able(self) -> Any:
        """The owner, or its view, whichever can be sliced and reshaped."""
        return self.owner if hasattr(self.owner, "reshape") else self.values

    @property
    def shape(self) -> tuple[int, ...]:
        """As numpy's."""
        return tuple(self.values.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """As numpy's."""
        dtype: np.dtype[Any] = np.dtype(self.values.dtype)
        return dtype

    @property
    def ndim(self) -> int:
        """As numpy's."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """As numpy's."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> "DeviceArray":
        return DeviceArray(self._able[key])

    def reshape(self, *shape: int) -> "DeviceArray":
        """The same values under another shape."""
        return DeviceArray(self._able.reshape(shape))

    def bits(self) -> "DeviceArray":
        """Single numbers as the integers of their bits, in place: their order is the same where none is negative."""
        if hasattr(self.owner, "new_empty"):
            import torch

            return DeviceArray(self.owner.view(torch.int32))
        return DeviceArray(self.values.view(np.int32))

    def in_order(self) -> "DeviceArray":
        """Itself, or a copy in C order; ProtocolError where its library can't make one."""
        if self.values.is_c_contiguous():
            return self
        if not hasattr(self.owner, "contiguous"):
            raise ProtocolError("the memory of an array on a graphics card must be in C order; copy it first")
        return DeviceArray(self.owner.contiguous())

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> "DeviceArray":
        """Room on the same card, not filled."""
        from thgeval.kernels import cuda_target

        return DeviceArray(cuda_target.room(self.owner, shape, np.dtype(dtype)))

    def beside(self, values: NDArray[Any]) -> "DeviceArray":
        """A copy of values in memory on the same card."""
        from thgeval.kernels import cuda_target

        return DeviceArray(cuda_target.copied(self.owner, values))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        owner = self.owner
        values = owner.detach().cpu().numpy() if hasattr(owner, "detach") else self.values.copy_to_host()
        return np.asarray(values, dtype=dtype)

    @property
    def __cuda_array_interface__(self) -> Any:
        from thgeval.kernels import cuda_target

        return cuda_target.interface(self.owner)
