"""Every kernel through the real compiler, without a card.

Nothing runs: launches compile instead, for the types of what would have been launched, and results hold rubbish.
"""

from importlib import import_module
from types import SimpleNamespace

import numpy as np

from thgeval.kernels import cuda_target

CAPABILITY = (9, 0)
dispatcher = import_module(f"{cuda_target.cuda.__name__}.dispatcher")
dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITY)


class Pretended(np.ndarray):
    """Memory under the name of a card's."""

    __cuda_ndarray__ = True

    def copy_to_host(self):
        return np.array(self)

    def is_c_contiguous(self):
        return self.flags.c_contiguous


def pretended(values):
    return np.ascontiguousarray(values).view(Pretended)


compiled = {}


def compile_only(kernel, blocks, *arguments, threads=cuda_target.BLOCK, shared=0):
    from numba import typeof

    kinds = tuple(
        typeof(np.asarray(item.values)) if isinstance(item, cuda_target.DeviceArray) else typeof(item)
        for item in arguments
    )
    name = f"{kernel.py_func.__module__.removeprefix('thgeval.kernels.')}.{kernel.py_func.__name__}"
    if (name, kinds) not in compiled:
        code, _ = cuda_target.cuda.compile_ptx(kernel.py_func, kinds, cc=CAPABILITY)
        compiled[name, kinds] = code
        print(f"{name}({', '.join(map(str, kinds))}): {len(code)} bytes of PTX", flush=True)


cuda_target.launch = compile_only
cuda_target.room = lambda owner, shape, dtype: np.zeros(shape, dtype).view(Pretended)
cuda_target.copied = lambda owner, values: pretended(values)
cuda_target.put = lambda values: cuda_target.DeviceArray(pretended(values))
