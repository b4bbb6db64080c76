"""Kernels of graphics cards, in the simulator that numba brings; and that nobody else meets CUDA."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
UNUSED = """
import sys
import numpy as np
import thgeval
frames = np.zeros((2, 16, 16, 3), np.uint8)
thgeval.score(frames, frames, metrics=["l1", "ssim"])
loaded = sorted(name for name in sys.modules if name.startswith(("numba.cuda", "numba_cuda", "thgeval.kernels.cuda")))
assert not loaded, loaded
"""


def test_every_kernel_in_the_simulator():
    """In a process of its own: numba decides when it is imported."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "simulated")]
    found = subprocess.run(
        command, env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1"}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
    assert " passed" in found.stdout


def test_the_processor_never_imports_cuda():
    subprocess.run([sys.executable, "-c", UNUSED], check=True, capture_output=True, text=True)
