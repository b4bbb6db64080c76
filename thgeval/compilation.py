"""Who is told while loops are compiled, which happens once after an install and takes some seconds.

``thgeval.jit`` tells; whoever listens need not import it, nor the compiler with it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

_listening: list[Callable[[bool], None]] = []
_under_way = 0
_lock = Lock()


@contextmanager
def heard_by(listener: Callable[[bool], None]) -> Iterator[None]:
    """Call ``listener`` with True whenever compiling begins, and with False when it has ended."""
    _listening.append(listener)
    try:
        yield
    finally:
        _listening.remove(listener)


def compiling(*, begins: bool) -> None:
    """Tell that one loop begins to be compiled, or has been; loops that others call are compiled within theirs."""
    global _under_way
    with _lock:
        _under_way += 1 if begins else -1
        changed = _under_way == (1 if begins else 0)
    for listener in list(_listening) if changed else ():
        listener(begins)
