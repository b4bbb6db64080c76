"""What is loaded at its first use and stays for the whole process: models, networks, bases.

A key holds all that the value depends on, such as the token of its weights, so that what stays is right in any run.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock, local
from typing import Any, TypeVar

from thgeval.requirements import weights

T = TypeVar("T")

_guard = Lock()
_loading: dict[Hashable, Lock] = {}
_own = local()
_lasting: dict[Hashable, Any] = {}
_held: ContextVar[dict[Hashable, Any]] = ContextVar("held", default=_lasting)


def once(key: Hashable, load: Callable[[], T]) -> T:
    """What ``load`` returned when it was first called under this key; it must not ask for its own key.

    Others that ask for the key wait meanwhile; what has another key loads beside it.
    """
    held = _held.get()
    with _guard:
        loading = _loading.setdefault(key, Lock())
    with loading:
        if key not in held:
            held[key] = load()
        found: T = held[key]
        return found


def own(key: Hashable, load: Callable[[], T]) -> T:
    """As ``once``, for what threads mustn't share: each has one of its own."""
    held: dict[Any, Any] = vars(_own)
    if key not in held:
        held[key] = load()
    found: T = held[key]
    return found


def read_once(name: str, read: Callable[[Path], T], *, shared: bool = True, plan: str = "") -> T:
    """What ``read`` made of the file of these weights when it was first called; WeightsError if it may not be used.

    ``plan`` tells apart what is made of one file.
    """

    def load() -> T:
        with weights.opened(name) as file:
            return read(file)

    return (once if shared else own)((name, plan, weights.token(name)), load)


@contextmanager
def apart() -> Iterator[None]:
    """Nothing is known that was loaded before, and what is loaded until the context ends is let go of then."""
    before = _held.set({})
    try:
        yield
    finally:
        _held.reset(before)
