"""The one door to CUDA: which compiler takes the kernels, and how they are launched.

Kernels are written in what three compilers have in common, and reach it as ``cuda`` of this module:

``numba-cuda-mlir``   where it is installed and a card is there
``numba-cuda``        brought by the extra ``cuda``
numba's simulator     with ``NUMBA_ENABLE_CUDASIM=1``: every kernel as plain Python, on the CPU, for tests

The common part is ``cuda.jit`` on functions of a module, ``blockIdx``, ``threadIdx``, ``blockDim`` and ``gridDim``,
shared memory of a fixed or a given size, ``syncthreads``, and tuples of equal numbers as arguments. Functions that
kernels call stand in the kernel's own module, as the simulator lends ``cuda`` to one module at a time, and each shared
array stands on a line of its own, by which the simulator knows it.

Launches go to torch's current stream where a tensor of torch is given, else to the default stream, and return at once.
A block sums in a tree; no sum is left to the order in which blocks happen to end.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import MissingExtra, ProtocolError
from thgeval.kernels.places import COMPILERS, SIMULATED, DeviceArray, in_memory

__all__ = ["BLOCK", "SIMULATED", "compiler", "cuda", "device", "launch", "named", "product", "single", "spread"]

SUCCESSOR, MAINTAINED = COMPILERS


def _chosen() -> tuple[str, Any, Any]:
    """The compiler in use, by the name of its package, its ``cuda``, and its type of single numbers."""
    if SIMULATED:
        return "simulator", import_module("numba.cuda"), import_module("numba").float32
    if find_spec(SUCCESSOR) is not None:
        successor = import_module(f"{SUCCESSOR}.cuda")
        if successor.is_available():
            return SUCCESSOR, successor, import_module(f"{SUCCESSOR}.types").float32
    if find_spec(MAINTAINED) is not None:
        return MAINTAINED, import_module("numba.cuda"), import_module("numba").float32
    raise MissingExtra("computing on a graphics card", extra="cuda")


compiler, cuda, single = _chosen()
if not SIMULATED:  # small clips are no mistake that a user should be warned of
    _paths = {SUCCESSOR: f"{SUCCESSOR}.numba_cuda.core.config", MAINTAINED: "numba.cuda.core.config"}
    _settings: Any = import_module(_paths[compiler])
    _settings.CUDA_LOW_OCCUPANCY_WARNINGS = 0


def device(function: Any) -> Any:
    """A function that kernels call, of the same text as a compiled one of the CPU's that calls no other."""
    return cuda.jit(device=True)(getattr(function, "py_func", function))


def _rounded(left: float, right: float) -> float:
    return left * right


product = _rounded if SIMULATED else import_module(f"{cuda.__name__}.libdevice").dmul_rn
"""A product of float64 that is rounded before anything is added to it: compilers for cards fuse the two otherwise."""

BLOCK = 8 if SIMULATED else 256
"""Threads of a block, a power of two; few where every thread is one of Python's."""


_MOST_BLOCKS = 2 if SIMULATED else 1 << 30


def spread(items: int) -> int:
    """Blocks for so many items: a thread for each, or, in the simulator, few that take one after another."""
    return min(-(-items // BLOCK), _MOST_BLOCKS)


def named() -> str:
    """The card in use, once a kernel ran on it; ProtocolError, in one sentence, where none can be used."""
    from thgeval.kernels.reductions import row_sums

    try:
        found = in_memory(row_sums(DeviceArray(uploaded(np.ones((1, 2)), "cuda"))))
        name = "simulator" if SIMULATED else cuda.get_current_device().name
    except Exception as error:  # each library of the driver has errors of its own, which share no class
        said = " ".join(str(error).split())
        raise ProtocolError(f"no kernel runs on the graphics card ({said}); choose --device cpu") from None
    if found[0] != 2:
        raise ProtocolError(f"the graphics card finds {found[0]} where 1 + 1 was asked; choose --device cpu")
    return name.decode() if isinstance(name, bytes) else str(name)


def uploaded(values: NDArray[Any], device: str) -> Any:
    """A copy of values in memory on a card, by torch's allocator where torch is there to share it with."""
    ordered = np.ascontiguousarray(values)
    if SIMULATED or find_spec("torch") is None:
        return cuda.to_device(ordered)
    import torch

    return torch.from_numpy(ordered).to(device)


def viewed(owner: Any) -> Any:
    """An array of any library as kernels take it, without waiting for anything."""
    if hasattr(owner, "__cuda_ndarray__"):
        return owner
    return _pretended(owner) if SIMULATED else cuda.as_cuda_array(owner, sync=False)


def _pretended(owner: Any) -> Any:
    """The simulator's view of what says that it is on a card, and lies in memory."""
    lent = SimpleNamespace(__array_interface__=owner.__cuda_array_interface__, owner=owner)
    return type(cuda.device_array(1))(np.asarray(lent))


def interface(owner: Any) -> dict[str, Any]:
    """What ``__cuda_array_interface__`` says of an array; the simulator's arrays are of memory and say nothing."""
    found = owner.__array_interface__ if SIMULATED else owner.__cuda_array_interface__
    return {**found, "version": 3}


def room(owner: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """An array, not filled, of the owner's library and on its card."""
    if hasattr(owner, "new_empty"):
        import torch

        return owner.new_empty(shape, dtype=getattr(torch, dtype.name))
    return cuda.device_array(shape, dtype)


def copied(owner: Any, values: NDArray[Any]) -> Any:
    """Values in memory as an array of the owner's library and on its card."""
    if hasattr(owner, "new_tensor"):
        import torch

        return torch.from_numpy(np.ascontiguousarray(values)).to(owner.device, non_blocking=True)
    return cuda.to_device(np.ascontiguousarray(values))


def launch(
    kernel: Callable[..., None], blocks: tuple[int, ...], *arguments: Any, threads: int = BLOCK, shared: int = 0
) -> None:
    """Run a kernel once on ``blocks`` of ``threads``, with ``shared`` bytes of memory a block; nothing for no blocks.

    It runs on the card and in the stream of the first array among the arguments.
    """
    if 0 in blocks:
        return
    owner = next(item.owner for item in arguments if isinstance(item, DeviceArray))
    values = [item.values if isinstance(item, DeviceArray) else item for item in arguments]
    with _alone, _around(owner):
        kernel[blocks, threads, _stream(owner), shared](*values)  # type: ignore[index]


_alone: AbstractContextManager[Any] = Lock() if SIMULATED else nullcontext()
"""The simulator runs one kernel at a time."""


def _around(owner: Any) -> AbstractContextManager[Any]:
    """The card of a tensor as the current one."""
    if SIMULATED or not hasattr(owner, "new_empty"):
        return nullcontext()
    import torch

    return cast("AbstractContextManager[Any]", torch.cuda.device(owner.device))


def _stream(owner: Any) -> Any:
    """Torch's current stream for its tensors, else the default one."""
    if SIMULATED or not hasattr(owner, "new_empty"):
        return 0
    import torch

    handle = torch.cuda.current_stream(owner.device).cuda_stream
    return cuda.external_stream(handle) if handle else 0
