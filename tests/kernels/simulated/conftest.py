"""Kernels of graphics cards as plain Python: only where numba was told so before it was imported.

``tests/kernels/test_simulated.py`` runs this folder in a process of its own; by hand it is
``NUMBA_ENABLE_CUDASIM=1 python -m pytest tests/kernels/simulated``.

The simulator asks its threads in a loop whether all of them wait, and keeps Python's lock for the whole of a switch
interval each time: with the usual 5 ms that is four fifths of the CPU time of these tests.
"""

import os
import sys

import numpy as np
import pytest

if os.environ.get("NUMBA_ENABLE_CUDASIM") != "1":
    collect_ignore_glob = ["test_*.py"]
else:
    sys.setswitchinterval(2e-4)


class Lent:
    """An array as other libraries hand theirs over: an address, a shape and a type, and nothing else."""

    def __init__(self, values):
        self.held = np.array(values, order="C")

    @property
    def __cuda_array_interface__(self):
        return {**self.held.__array_interface__, "version": 3}


@pytest.fixture
def lent():
    return Lent
