"""Every kernel through the real compiler, without a card: run by ``test_simulated.py`` in a process of its own.

What ``benchmarks/gpu_check.py`` compares is called as there, but launches compile for the types of their arguments and
run nothing, so that results hold zeros. The argument is the compiler's package; the exit code is 77, with the reason,
where there is no compiler.
"""

import importlib.util
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np

CAPABILITY = (8, 0)
NO_COMPILER = 77
GPU_CHECK = Path(__file__).parents[2] / "benchmarks" / "gpu_check.py"


class Pretended(np.ndarray):
    """Memory under the name of a card's."""

    __cuda_ndarray__ = True

    def copy_to_host(self):
        return np.array(self)

    def is_c_contiguous(self):
        return self.flags.c_contiguous


def pretended(values):
    return np.ascontiguousarray(values).view(Pretended)


def maintained():
    """numba-cuda as if a card of that capability were there, and what tells it the types of arguments."""
    dispatcher = import_module("numba.cuda.dispatcher")
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITY)
    return import_module("numba").typeof


def successor():
    """The same of numba-cuda-mlir."""
    tools = import_module("numba_cuda_mlir.tools")
    tools.get_gpu_compute_capability = lambda kind=str, *_: CAPABILITY if kind is tuple else f"sm_{CAPABILITY[0]}0"
    cuda = import_module("numba_cuda_mlir.cuda")
    cuda.is_available = lambda: True
    below = import_module("numba_cuda_mlir.numba_cuda")
    below.get_current_device = lambda: SimpleNamespace(compute_capability=CAPABILITY)
    return import_module("numba_cuda_mlir.numba_cuda.typing.typeof").typeof


def main(package):
    try:
        typeof = {"numba_cuda": maintained, "numba_cuda_mlir": successor}[package]()
        from thgeval.kernels import cuda_target

        cuda_target.cuda.compile_ptx(lambda: None, (), cc=CAPABILITY)
    except Exception as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0]}")
        return NO_COMPILER
    assert cuda_target.compiler == package

    compiled = {}

    def compile_only(kernel, blocks, *arguments, threads=cuda_target.BLOCK, shared=0):
        kinds = tuple(
            typeof(np.asarray(item.values)) if isinstance(item, cuda_target.DeviceArray) else typeof(item)
            for item in arguments
        )
        key = (kernel.py_func.__module__, kernel.py_func.__name__, kinds)
        if key not in compiled:
            compiled[key], _ = cuda_target.cuda.compile_ptx(kernel.py_func, kinds, cc=CAPABILITY)

    cuda_target.launch = compile_only
    cuda_target.room = lambda owner, shape, dtype: pretended(np.zeros(shape, dtype))
    cuda_target.copied = lambda owner, values: pretended(values)
    cuda_target.uploaded = lambda values, device: pretended(values)
    spec = importlib.util.spec_from_file_location("gpu_check", GPU_CHECK)
    gpu_check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gpu_check)
    list(gpu_check.parity([*gpu_check.CASES], gpu_check.TINY))
    for module, name in sorted({key[:2] for key in compiled}):
        print(f"{module.removeprefix('thgeval.kernels.')} {name}")
    local = sorted(key[1] for key, code in compiled.items() if "ld.local" in code)
    print(f"spilled: {', '.join(local) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
