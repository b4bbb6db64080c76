"""From what a user types to a metric, and back to the one key under which it is stored.

    ssim                      the metric at its defaults
    psnr/uint8-wrap           a preset
    ssim:window=7,sigma=1.0   fields changed by name
    lse-c, LSE-C, lse_c       an alias; the key it stands for is what is stored

Metrics are imported when asked for. Packages add their own through the entry-point group ``thgeval.metrics``
(``name = "module:Class"``). One that can't be imported is named, and stands in nobody's way.
"""

import logging
from collections.abc import Collection, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple, cast

from thgeval.completeness import incomplete
from thgeval.errors import ProtocolError
from thgeval.metric import Metric
from thgeval.metrics import DEFAULT, ENTRY_POINTS, FAMILY_NAMES, METRICS, TIERS, meant, unknown
from thgeval.requirements import Program, weights
from thgeval.signature import files, required, text_of, value_of


class Named(NamedTuple):
    """A metric with its parameters, and the key it is stored under."""

    key: str
    metric: Metric[Any]


@cache
def table() -> dict[str, str]:
    """Metric name -> ``module:Class``, built in and plugged in."""
    plugged = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    if clash := plugged.keys() & METRICS.keys():
        raise ProtocolError(f"an installed plugin redefines the built-in metric {sorted(clash)[0]!r}")
    return {name: f"thgeval.metrics.{where}" for name, where in METRICS.items()} | plugged


def metric_class(name: str) -> type[Metric[Any]]:
    """The class behind a metric's name or alias."""
    return _class(_spelled_out(name)[0])


def metric(text: str) -> Named:
    """The metric that ``name[/preset][:field=value,...]`` asks for; names and presets in letters of any case."""
    head, _, assignments = text.strip().partition(":")
    name, _, preset = head.partition("/")
    name, implied = _spelled_out(name)
    if preset and implied:
        raise ProtocolError(f"{head!r} names two presets of {name}; ask for {name}/{implied} or for {name}/{preset}")
    cls = _class(name)
    settings = cls.parameters()
    if preset := (preset or implied).lower():
        if preset not in cls.presets:
            have = ", ".join(cls.presets) or "none"
            raise ProtocolError(f"{cls.name} has no preset {preset!r}; it has {have}")
        settings |= cls.presets[preset].fields
    for assignment in filter(None, assignments.split(",")):
        field, _, value = assignment.partition("=")
        if field not in settings:
            have = ", ".join(settings) or "none"
            raise ProtocolError(f"{cls.name} has no parameter {field!r}; it has {have}")
        try:
            settings[field] = value_of(value, cls.parameters()[field])
        except ProtocolError as error:
            raise ProtocolError(f"{cls.name}: {field} {error}") from None
    made = cls.configured(settings)
    return Named(key(made), made)


def unloadable() -> dict[str, str]:
    """Metrics of installed plugins that can't be imported, and what is said of each."""
    found = {}
    for name in sorted(table().keys() - METRICS.keys()):
        try:
            _class(name)
        except ProtocolError as problem:
            found[name] = str(problem)
    return found


def _class(name: str) -> type[Metric[Any]]:
    where = table()[name]
    module, _, attribute = where.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except Exception as error:  # of a plugin, whatever its code raises
        if name in METRICS:
            raise
        raise ProtocolError(
            f"{name} is the metric {where} of an installed plugin, which can't be imported "
            f"({type(error).__name__}: {error}); mend or uninstall its package"
        ) from error
    if fault := _fault(found, name):
        if name in METRICS:
            raise ProtocolError(f"{name} is {where}, which {fault}")
        raise ProtocolError(f"{name} is {where} of an installed plugin, which {fault}; mend or uninstall its package")
    return cast("type[Metric[Any]]", found)


def _fault(found: Any, name: str) -> str | None:
    """Why what a name leads to is not the metric of that name, or None."""
    if not (isinstance(found, type) and issubclass(found, Metric)):
        return "is no subclass of thgeval.metric.Metric"
    return incomplete(found, name)


def _there() -> list[str]:
    """Names of all metrics that can be imported; the others are named on the log."""
    broken = unloadable()
    for said in broken.values():
        logging.getLogger(__name__).warning("left out: %s", said)
    return [name for name in table() if name not in broken]


def _spelled_out(name: str) -> tuple[str, str]:
    """A metric's own name, and the preset if an alias means one; ProtocolError if nothing is called so."""
    if key := meant(name, table()):
        own, _, preset = key.partition("/")
        return own, preset
    raise ProtocolError(unknown(name, table()))


def key(metric: Metric[Any]) -> str:
    """The shortest text that stands for exactly this metric; equal metrics have equal keys."""
    settings, defaults = metric.settings(), metric.parameters()
    changed = {name: value for name, value in settings.items() if value != defaults[name]}
    if not changed:
        return metric.name
    for preset, meaning in metric.presets.items():
        if defaults | dict(meaning.fields) == settings:
            return f"{metric.name}/{preset}"
    return f"{metric.name}:" + ",".join(f"{name}={text_of(value)}" for name, value in changed.items())


def metrics(texts: list[str]) -> list[Named]:
    """Several metrics; asked for twice is scored once. What stands for several is one of ``metrics.GROUPS``."""
    requests = [request for text in texts for request in _group(text.lower()) or (text,)]
    return list({named.key: named for named in map(metric, requests)}.values())


def _group(name: str) -> Sequence[str]:
    """The requests that a group stands for; none where the name is no group's.

    ``default`` is what is scored where nothing is asked for. ``embedded`` is every metric in a form that needs nothing
    to be fetched, if it has one; ``light`` and ``canonical`` add those whose weights are of these tiers. ``all`` is
    every one at its defaults, and in its embedded form too where the defaults are another; so is a family's name for
    its metrics.
    """
    if name == "default":
        return DEFAULT
    if name in TIERS:
        return [request for each in _there() for request in _within(each, TIERS[1 : TIERS.index(name) + 1])]
    if name in ("all", *FAMILY_NAMES):
        chosen = [each for each in _there() if name in ("all", METRICS.get(each, "").partition(".")[0])]
        return [request for each in chosen for request in dict.fromkeys((each, embedded(each) or each))]
    return ()


def _within(name: str, tiers: Collection[str]) -> list[str]:
    """A metric in its embedded form, if it has one, and at its defaults if all their weights are of these tiers too."""
    own = [name] if tiers and _rests_on(_class(name)(), {TIERS[0], *tiers}) else []
    form = embedded(name)
    return list(dict.fromkeys([*own, *([form] if form else [])]))


def embedded(name: str) -> str | None:
    """The request for a metric in a form that needs nothing to be fetched: itself, a preset of it, or None.

    What rests on a program of the user's own has none by itself.
    """
    cls = metric_class(name)
    if cls.embedded:
        return f"{cls.name}/{cls.embedded}"
    return cls.name if _rests_on(cls(), {TIERS[0]}) else None


def runs_programs(metric: Metric[Any]) -> bool:
    """Whether it rests on a program of the user's own."""
    return any(isinstance(item, Program) for item in required(metric))


def _rests_on(metric: Metric[Any], tiers: Collection[str]) -> bool:
    """Whether it rests on no program, and on no weights but those of these tiers."""
    return not runs_programs(metric) and all(weights.entry(item).tier in tiers for item in files(metric))
