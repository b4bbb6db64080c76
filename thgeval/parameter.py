"""A parameter declares itself: its default, what it is, and which values it can take.

One declaration gives the check, the sentence that refuses, and the line that listings and documentation show. A
subclass that gives only another default, or fewer choices, keeps the rest of what was declared.
"""

import math
import operator
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, fields
from types import MappingProxyType
from typing import Any

from thgeval.errors import ProtocolError

LIMITS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = MappingProxyType(
    {
        "least": (operator.ge, "at least"),
        "most": (operator.le, "at most"),
        "above": (operator.gt, "above"),
        "below": (operator.lt, "below"),
    }
)


def parameter(
    default: Any,
    says: str = "",
    *,
    of: Collection[Any] = (),
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    odd: bool = False,
) -> Any:
    """A field of a frozen dataclass: one of the values in ``of``, or a finite number within limits; ``odd`` if told."""
    limits = {"least": least, "most": most, "above": above, "below": below}
    known: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    said = {"says": says, "of": tuple(of), "odd": odd}
    return field(default=default, metadata=known | {name: value for name, value in said.items() if value})


def same_as(owner: type, name: str, says: str = "") -> Any:
    """The parameter of that name of another class, declared there, under words of one's own where they are given."""
    source = next(item for item in fields(owner) if item.name == name)
    own = {"says": says} if says else {}
    return field(default=source.default, metadata={**source.metadata, **own})


def declared(cls: type) -> dict[str, dict[str, Any]]:
    """What is declared of each parameter of a class, in order: a subclass's own words over those of its bases."""
    found: dict[str, dict[str, Any]] = {item.name: {} for item in fields(cls)}
    for base in reversed(cls.__mro__):
        own = vars(base).get("__dataclass_fields__", {})
        for name in found.keys() & own.keys() & vars(base).get("__annotations__", {}).keys():
            found[name] |= own[name].metadata
    return found


def check(owned: Any, name: str) -> None:
    """Refuse the first parameter of ``owned`` that can't have its value: ProtocolError in the name of ``name``."""
    defaults = {item.name: item.default for item in fields(owned)}
    for key, said in declared(type(owned)).items():
        if fault := _fault(getattr(owned, key), defaults[key], said):
            raise ProtocolError(f"{name}: {key} must be {fault}, not {getattr(owned, key)!r}")


def _fault(value: Any, default: Any, said: Mapping[str, Any]) -> str:
    """What a value must be and isn't; empty if it fits."""
    if said.get("of"):
        known = value in said["of"] and type(value) is type(said["of"][0])
        return "" if known else f"one of {', '.join(map(str, said['of']))}"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    wanted = _wanted(said)
    if not wanted:
        return ""
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not math.isfinite(value):
        return f"a {'whole ' if whole else ''}number {wanted}"
    fits = all(LIMITS[name][0](value, said[name]) for name in LIMITS if name in said)
    return "" if fits and not (said.get("odd") and value % 2 == 0) else wanted


def _wanted(said: Mapping[str, Any]) -> str:
    limits = " and ".join(f"{words} {said[name]:g}" for name, (_, words) in LIMITS.items() if name in said)
    return f"odd and {limits}" if said.get("odd") else limits
