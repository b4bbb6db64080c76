"""A parameter declares itself: its default, what it is, and which values it can take.

One declaration gives the check, the sentence that refuses, and the line that listings and documentation show. A
subclass that gives only another default, or fewer choices, keeps the rest of what was declared.

Parameters that belong together are one frozen value, a ``Held``. Who holds it has them as its own: by their own names,
at the place where it is held, and checked with the others.
"""

import math
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field, fields
from types import MappingProxyType
from typing import Any, TypeVar

from thgeval.errors import ProtocolError

LIMITS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = MappingProxyType(
    {
        "least": (operator.ge, "at least"),
        "most": (operator.le, "at most"),
        "above": (operator.gt, "above"),
        "below": (operator.lt, "below"),
    }
)

T = TypeVar("T")


class Held:
    """Parameters that belong together, and what rests on them alone; subclasses are frozen dataclasses."""

    def remarks(self, state: Any) -> Iterator[str]:
        """What a reader of a number must know that these parameters have a part in; nothing as a rule."""
        yield from ()


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
    later: bool = False,
) -> Any:
    """A field of a frozen dataclass: one of the values in ``of``, or a finite number within limits; ``odd`` if told.

    ``later`` says that its metrics were signed before they had it, so that signatures leave its default unsaid.
    """
    limits = {"least": least, "most": most, "above": above, "below": below}
    known: dict[str, Any] = {name: limit for name, limit in limits.items() if limit is not None}
    said = {"says": says, "of": tuple(of), "odd": odd, "later": later}
    return field(default=default, metadata=known | {name: value for name, value in said.items() if value})


def same_as(owner: type, name: str, says: str = "") -> Any:
    """The parameter of that name of another class, declared there, under words of one's own where they are given."""
    source = next(item for item in fields(owner) if item.name == name)
    own = {"says": says} if says else {}
    return field(default=source.default, metadata={**source.metadata, **own})


def holding(value: Held, **own: Any) -> Any:
    """The field of a held value, some of whose parameters the holder declares anew, as with fewer choices."""
    return field(default=value, metadata={"own": {name: again.metadata for name, again in own.items()}})


def declared(cls: type) -> dict[str, dict[str, Any]]:
    """What is declared of each parameter of a class, in order: a subclass's own words over those of its bases."""
    said: dict[str, dict[str, Any]] = {item.name: {} for item in fields(cls)}
    for base in reversed(cls.__mro__):
        own = vars(base).get("__dataclass_fields__", {})
        for name in said.keys() & own.keys() & vars(base).get("__annotations__", {}).keys():
            said[name] |= own[name].metadata
    found: dict[str, dict[str, Any]] = {}
    for item in fields(cls):
        if isinstance(item.default, Held):
            anew = said[item.name].get("own", {})
            inner = declared(type(item.default))
            found |= {name: {**words, **anew.get(name, {})} for name, words in inner.items()}
        else:
            found[item.name] = said[item.name]
    return found


def settings(owner: Any) -> dict[str, Any]:
    """Names and values of all parameters of ``owner``, in order; of a class, the defaults."""
    found: dict[str, Any] = {}
    for item in fields(owner):
        value = item.default if isinstance(owner, type) else getattr(owner, item.name)
        found |= settings(value) if isinstance(value, Held) else {item.name: value}
    return found


def made(cls: Callable[..., T], given: Mapping[str, Any]) -> T:
    """The instance of a class with these values of all its parameters."""
    own = {
        item.name: made(type(item.default), given) if isinstance(item.default, Held) else given[item.name]
        for item in fields(cls)  # type: ignore[arg-type]
    }
    return cls(**own)


def check(owned: Any, name: str) -> None:
    """Refuse the first parameter of ``owned`` that can't have its value: ProtocolError in the name of ``name``."""
    defaults, values = settings(type(owned)), settings(owned)
    for key, said in declared(type(owned)).items():
        if fault := _fault(values[key], defaults[key], said):
            raise ProtocolError(f"{name}: {key} must be {fault}, not {values[key]!r}")


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
