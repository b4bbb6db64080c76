"""Shared quantities: what metrics read instead of pixels they would each compute again.

A feature is a typed key that knows how to compute itself from other features. Two metrics that name the same feature
with the same parameters cause one computation. Everything that could change its value (name, version, parameters, and
the same of everything it is computed from) is part of its identity, and thereby of every signature that rests on it.

Three grains:

``FRAMES``  computed chunk by chunk while the clip streams by; the first axis is frames
``CLIP``    computed once, when the clip has been seen; a ``FRAMES`` input arrives joined over the whole clip
``PAIR``    like ``FRAMES``, from the generated and the reference side of the same chunk together
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from functools import cached_property, lru_cache, wraps
from typing import Any, Generic, TypeAlias, TypeVar, cast

import numpy as np

from thgeval.errors import ProtocolError, ThgevalError
from thgeval.requirements import Pins, Requirement

T = TypeVar("T")
Parameter: TypeAlias = str | int | float | bool
Requirements: TypeAlias = tuple[Requirement, ...]


class Grain(Enum):
    """How much of a clip one computation of a feature sees."""

    FRAMES = "frames"
    CLIP = "clip"
    PAIR = "pair"


@dataclass(frozen=True)
class Feature(Generic[T]):
    """One shared quantity with its parameters: the key under which its value is found.

    ``halo`` is how many frames before the chunk it must see; ``compute`` is None for what only the decoder or the clip
    itself can supply (``offered``: frames, container facts). ``requires`` is what an installation may lack.
    ``of_reference`` says that the value is that of the only input on the reference's side: see ``in_reference``.
    ``on_card`` says that it can be computed where its inputs lie, be it on a graphics card.
    """

    name: str
    version: int
    parameters: tuple[tuple[str, Parameter], ...] = ()
    inputs: tuple["Feature[Any]", ...] = ()
    grain: Grain = Grain.FRAMES
    halo: int = 0
    compute: Callable[..., T] | None = field(default=None, compare=False, repr=False)
    offered: str | None = None
    requires: Requirements = ()
    of_reference: bool = False
    on_card: bool = field(default=False, compare=False)

    def __hash__(self) -> int:
        """As of any frozen dataclass; computed once, as it goes through all that the feature is computed from."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(getattr(self, each.name) for each in fields(self) if each.compare))

    def identity(self, pins: Pins) -> str:
        """Name, version, parameter values and what it requires, as signatures print it: ``luma@1:bt601-rounded``."""
        values = [str(value) for _, value in self.parameters]
        values += filter(None, (pins[requirement] for requirement in self.requires))
        return f"{self.name}@{self.version}" + (f":{','.join(values)}" if values else "")

    def __str__(self) -> str:
        """Name, version and parameter values, without what it requires."""
        return replace(self, requires=()).identity({})

    def lacks(self) -> ThgevalError | None:
        """What this installation lacks to compute the feature itself, as the error that says what helps, or None."""
        problems = (requirement.problem(self.name) for requirement in self.requires)
        return next((problem for problem in problems if problem is not None), None)

    def closure(self) -> Iterator["Feature[Any]"]:
        """This feature and everything it is computed from, inputs first, each once."""
        return iter(self._closure)

    @cached_property
    def _closure(self) -> tuple["Feature[Any]", ...]:
        below = dict.fromkeys(feature for source in self.inputs for feature in source.closure())
        return (*below, self)


def in_reference(source: Feature[T]) -> Feature[T]:
    """What the reference clip has of a feature, for features of either side that rest on it."""
    return Feature(f"reference-{source.name}", source.version, inputs=(source,), grain=source.grain, of_reference=True)


def resting_on(feature: Feature[T], *, old: Feature[Any], new: Feature[Any]) -> Feature[T]:
    """The same quantity computed from ``new`` wherever it is computed from ``old``."""
    if feature == old:
        return cast("Feature[T]", new)
    moved = tuple(resting_on(source, old=old, new=new) for source in feature.inputs)
    return feature if moved == feature.inputs else replace(feature, inputs=moved)


_made_once = lru_cache(maxsize=None, typed=True)
"""By parameters, of which 1, 1.0 and True are three: metrics ask for their features again for every chunk of a clip."""


@dataclass(frozen=True, eq=False)
class Definition(Generic[T]):
    """A feature whose parameters are still open; calling it with them gives the key."""

    name: str
    version: int
    compute: Callable[..., T]
    inputs: Callable[..., tuple[Feature[Any], ...]]
    grain: Grain
    halo: Callable[..., int]
    defaults: tuple[tuple[str, Any], ...]
    requires: Callable[..., Requirements]
    on_card: bool

    def __call__(self, **parameters: Parameter) -> Feature[T]:
        """The feature with these parameters, every other at its default."""
        return self._with(**parameters)

    @_made_once
    def _with(self, **parameters: Parameter) -> Feature[T]:
        values = dict(self.defaults)
        if unknown := parameters.keys() - values.keys():
            raise ProtocolError(f"{self.name} takes {sorted(values)}, not {sorted(unknown)}")
        values.update(parameters)
        if missing := [name for name, value in values.items() if value is inspect.Parameter.empty]:
            raise ProtocolError(f"{self.name} needs {missing}")
        return Feature(
            name=self.name,
            version=self.version,
            parameters=tuple(values.items()),
            inputs=self.inputs(**values),
            grain=self.grain,
            halo=self.halo(**values),
            compute=self.compute,
            requires=self.requires(**values),
            on_card=self.on_card,
        )


def feature(
    *inputs: Feature[Any] | Callable[..., Feature[Any]],
    version: int,
    grain: Grain = Grain.FRAMES,
    halo: int | Callable[..., int] = 0,
    requires: Requirements | Callable[..., Requirements] = (),
    on_card: bool = False,
) -> Callable[[Callable[..., T]], Definition[T]]:
    """Declare the function below as a feature, computed from ``inputs`` in that order.

    An input is a feature, or a function from the parameters to one; ``halo`` and ``requires`` may be
    such functions too. ``on_card`` says that it takes frames wherever they lie. The function's keyword-only arguments
    are the feature's parameters. A ``PAIR`` feature receives each input twice: generated, then reference.
    """

    def bound(**parameters: Parameter) -> tuple[Feature[Any], ...]:
        return tuple(source if isinstance(source, Feature) else source(**parameters) for source in inputs)

    def declare(compute: Callable[..., T]) -> Definition[T]:
        keyword_only = [
            (name, parameter.default)
            for name, parameter in inspect.signature(compute).parameters.items()
            if parameter.kind is inspect.Parameter.KEYWORD_ONLY
        ]
        name = compute.__name__.replace("_", "-")
        return Definition(name, version, compute, bound, grain, _by(halo), tuple(keyword_only), _by(requires), on_card)

    return declare


def derived_from(
    source: Callable[..., Feature[Any]], *, version: int
) -> Callable[[Callable[..., T]], Callable[..., Feature[T]]]:
    """Declare the function below as a feature of whole clips, computed from ``source``, whose parameters it takes."""

    def declare(compute: Callable[..., T]) -> Callable[..., Feature[T]]:
        @wraps(compute)
        @_made_once
        def of(**parameters: Parameter) -> Feature[T]:
            return feature(source(**parameters), version=version, grain=Grain.CLIP)(compute)()

        return of

    return declare


def chosen_from(table: Mapping[str, T], **choice: str) -> T:
    """The row of a table that is chosen by its name, as in ``source="npz"``; ProtocolError names all of them."""
    ((field, name),) = choice.items()
    if name not in table:
        raise ProtocolError(f"{field} must be one of {', '.join(table)}, not {name!r}")
    return table[name]


def _by(value: T | Callable[..., T]) -> Callable[..., T]:
    """A function of a feature's parameters; a plain value is the same for all of them."""
    return value if callable(value) else lambda **_: value


def joined(parts: list[Any]) -> Any:
    """The values of one ``FRAMES`` feature over consecutive chunks as one value of the whole clip.

    Arrays are joined along their first axis, named tuples field by field; anything else can't be collected.
    """
    first = parts[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        columns = zip(*parts, strict=True)
        return cast("Any", type(first))(*(joined(list(column)) for column in columns))
    raise TypeError(f"{type(first).__name__} can't be joined over frames")
