"""Whether a class is a whole metric: every fact is there and of its kind, or the one sentence that says what to add.

It is asked when a metric is loaded, so that what is missing is named then, and not by whatever stumbles over it.
"""

from collections.abc import Iterator
from typing import Any

from thgeval.metric import Better, Metric

KINDS = (bool, int, float, str)


def incomplete(cls: type[Metric[Any]], name: str) -> str | None:
    """What a class lacks to be the metric of that name, with what to do; None if it is whole."""
    return next(_lacks(cls, name), None)


def _lacks(cls: type[Metric[Any]], name: str) -> Iterator[str]:
    params = vars(cls).get("__dataclass_params__")
    if params is None or not params.frozen:
        yield "is no frozen dataclass: put @dataclass(frozen=True) above it"
    if missing := sorted(cls.__abstractmethods__):
        yield f"has no {' and no '.join(missing)}: define {'it' if len(missing) == 1 else 'them'}"
    if (own := getattr(cls, "name", None)) != name:
        yield f"is named {own!r} by itself: say name = {name!r} in it, as the table does"
    version = getattr(cls, "version", None)
    if type(version) is not int or version < 1:
        yield f"has {_said(version, 'a version')}: say version = 1 in it, and more whenever its numbers change"
    if not isinstance(better := getattr(cls, "better", None), Better):
        yield f"has {_said(better, 'a direction')}: say better = Better.LOWER in it, or which way else a score improves"
    cites = getattr(cls, "cites", None)
    if not isinstance(cites, tuple) or not all(isinstance(key, str) for key in cites):
        yield f"has {_said(cites, 'papers')}: say cites = ('key',) in it, keys of references.bib, or () for none"
    ends: Any = cls.range  # of the class: a property where parameters change it
    if not isinstance(ends, property) and not _ordered(ends):
        yield f"has {ends!r} for a range: say range = (0.0, math.inf) in it, the smallest and the largest value"
    yield from _of_fields(cls)


def _of_fields(cls: type[Metric[Any]]) -> Iterator[str]:
    defaults = cls.parameters()
    for field, default in defaults.items():
        if type(default) not in KINDS:
            yield f"has {field}, whose default is no text, number or truth value: give it one that signatures hold"
    for preset, said in cls.presets.items():
        if unknown := sorted(said.fields.keys() - defaults.keys()):
            yield f"has a preset {preset!r} of {unknown[0]!r}, which is no field: declare that, or leave it out"


def _ordered(ends: Any) -> bool:
    try:
        low, high = ends
        return bool(low < high)
    except (TypeError, ValueError):
        return False


def _said(value: Any, what: str) -> str:
    return f"no {what.removeprefix('a ')}" if value is None else f"{value!r} for {what}"
