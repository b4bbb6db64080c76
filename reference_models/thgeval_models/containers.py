"""Tensors inside containers inside containers, by the way that leads to them.

Files of weights nest a few levels deep. What nests deeper, or shares its parts so that the ways multiply, was not made
to be loaded, and is refused before it costs a stack or an afternoon.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch import Tensor

DEEPEST = 100
MOST_PARTS = 200_000

Parts = Callable[[Any], Iterable[tuple[Any, Any]]]


def tensors_in(root: Any, parts: Parts) -> Iterator[tuple[str, Tensor]]:
    """Every tensor that ``parts`` (key and value of what a container holds) leads to, depth first, and its dotted name.

    A container inside itself is not entered again. Raises ValueError beyond ``DEEPEST`` levels or ``MOST_PARTS`` parts.
    """
    seen = 0
    waiting: list[tuple[str, Any, tuple[int, ...]]] = [("", root, ())]
    while waiting:
        name, value, inside = waiting.pop()
        if isinstance(value, Tensor):
            yield name, value
            continue
        if id(value) in inside:
            continue
        if len(inside) > DEEPEST:
            raise ValueError(f"it nests deeper than {DEEPEST} levels")
        around = (*inside, id(value))
        held = [(f"{name}.{key}" if name else str(key), part, around) for key, part in parts(value)]
        seen += len(held)
        if seen > MOST_PARTS:
            raise ValueError(f"it leads to more than {MOST_PARTS} parts")
        waiting.extend(reversed(held))
