"""What is loaded at its first use and stays for the whole process: models, networks, bases."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")

_loading = Lock()
_held: dict[Hashable, Any] = {}


def once(key: Hashable, load: Callable[[], T]) -> T:
    """What ``load`` returned when it was first called under this key; it must not ask for another key itself."""
    with _loading:
        if key not in _held:
            _held[key] = load()
        found: T = _held[key]
        return found
