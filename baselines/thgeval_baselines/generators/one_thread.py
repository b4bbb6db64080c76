"""Torch on one thread: the same numbers whatever number of threads a machine has, and nobody who waits busily.

The networks here are so small that threads mostly wait for each other, and where cores are shared that costs more than
it brings: a fit that takes 40 s of processor on one thread took 300 s on two threads of a busy machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Within it torch works on one thread, also in threads that are begun there."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
