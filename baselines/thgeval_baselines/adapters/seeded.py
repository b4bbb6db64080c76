"""Seed a script that has no option for it: ``python seeded.py SEED SCRIPT ARGUMENTS`` or ``SEED -m MODULE ARGUMENTS``.

Runs under the script's own interpreter, from Python 3.6 on, and imports nothing of this package.
"""

import os
import random
import runpy
import sys


def main() -> None:
    """Seed whatever is there, then run the script as if it had been called."""
    seed, rest = int(sys.argv[1]), sys.argv[2:]
    random.seed(seed)
    try:
        import numpy
    except ImportError:
        pass
    else:
        numpy.random.seed(seed)  # noqa: NPY002 - the scripts use this one
    try:
        import torch
    except ImportError:
        pass
    else:
        torch.manual_seed(seed)
    if rest[0] == "-m":
        sys.argv = rest[1:]
        sys.path[0] = os.getcwd()  # noqa: PTH109 - as python -m does
        runpy.run_module(rest[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = rest
        sys.path[0] = os.path.dirname(os.path.abspath(rest[0]))  # noqa: PTH100, PTH120 - as python does
        runpy.run_path(rest[0], run_name="__main__")


if __name__ == "__main__":
    main()
