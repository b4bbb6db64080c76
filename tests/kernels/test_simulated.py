"""Kernels of graphics cards, in the simulator that numba brings; and that nobody else meets CUDA."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import thgeval
from thgeval.kernels.places import COMPILERS

HERE = Path(__file__).parent
KERNELS = Path(thgeval.__file__).parent / "kernels"
NO_COMPILER = 77
UNUSED = """
import sys
import numpy as np
import thgeval
frames = np.zeros((2, 16, 16, 3), np.uint8)
thgeval.score(frames, frames, metrics=["l1", "ssim"])
loaded = sorted(name for name in sys.modules if name.startswith(("numba.cuda", "numba_cuda", "thgeval.kernels.cuda")))
assert not loaded, loaded
"""


@pytest.mark.slow
def test_every_kernel_in_the_simulator():
    """In a process of its own: numba decides when it is imported."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "simulated")]
    found = subprocess.run(
        command, env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    assert " passed" in found.stdout


@pytest.mark.slow
@pytest.mark.parametrize("package", COMPILERS)
def test_every_kernel_passes_the_compiler(package):
    """Whatever a launch would compile on a card, for one; the names are those that the sources hold."""
    command = [sys.executable, str(HERE / "compiled.py"), package]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode == NO_COMPILER:
        pytest.skip(f"no compiler for cards: {found.stdout.strip()}")
    assert found.returncode == 0, found.stderr[-4000:]
    *compiled, spilled = found.stdout.splitlines()
    assert set(compiled) == set(written())
    assert spilled == "spilled: nothing"


def written():
    """Every kernel of the sources, ``module name``."""
    for path in sorted(KERNELS.rglob("*.py")):
        module = ".".join(path.relative_to(KERNELS).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            decorators = [ast.unparse(item) for item in getattr(node, "decorator_list", [])]
            if decorators == ["cuda.jit"]:
                yield f"{module} {node.name}"


def test_the_processor_never_imports_cuda():
    subprocess.run([sys.executable, "-c", UNUSED], check=True, capture_output=True, text=True)
