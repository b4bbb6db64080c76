"""From what a user types to a metric, and back to the one key under which it is stored.

    ssim                      the metric at its defaults
    psnr/uint8-wrap           a preset
    ssim:window=7,sigma=1.0   fields changed by name
    lse-c                     an alias; the key it stands for is what is stored

Metrics are imported when asked for. Packages add their own through the entry-point group ``thgeval.metrics``
(``name = "module:Class"``).
"""

from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from thgeval import weights
from thgeval.errors import ProtocolError
from thgeval.metric import Metric
from thgeval.metrics import ALIASES, METRICS
from thgeval.signature import closure, text_of, value_of

GROUPS = ("all", "embedded")


class Named(NamedTuple):
    """A metric with its parameters, and the key it is stored under."""

    key: str
    metric: Metric[Any]


@cache
def table() -> dict[str, str]:
    """Metric name -> ``module:Class``, built in and plugged in."""
    plugged = {point.name: point.value for point in entry_points(group="thgeval.metrics")}
    if clash := plugged.keys() & METRICS.keys():
        raise ProtocolError(f"an installed plugin redefines the built-in metric {sorted(clash)[0]!r}")
    return {name: f"thgeval.metrics.{where}" for name, where in METRICS.items()} | plugged


def metric_class(name: str) -> type[Metric[Any]]:
    """The class behind a metric's name or alias."""
    known = table()
    name = ALIASES.get(name, name)
    if name not in known:
        near = get_close_matches(name, [*known, *ALIASES], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ProtocolError(f"no metric is called {name!r}{hint} (thgeval ls metrics lists them)")
    module, _, attribute = known[name].partition(":")
    found: type[Metric[Any]] = getattr(import_module(module), attribute)
    return found


def metric(text: str) -> Named:
    """The metric that ``name[/preset][:field=value,...]`` asks for."""
    head, _, assignments = text.strip().partition(":")
    name, _, preset = head.partition("/")
    cls = metric_class(name)
    settings = cls.parameters()
    if preset:
        if preset not in cls.presets:
            have = ", ".join(cls.presets) or "none"
            raise ProtocolError(f"{cls.name} has no preset {preset!r}; it has {have}")
        settings |= cls.presets[preset].fields
    for assignment in filter(None, assignments.split(",")):
        field, _, value = assignment.partition("=")
        if field not in settings:
            have = ", ".join(settings) or "none"
            raise ProtocolError(f"{cls.name} has no parameter {field!r}; it has {have}")
        settings[field] = value_of(value, cls.parameters()[field])
    made = cls(**settings)
    return Named(key(made), made)


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
    """Several metrics; asked for twice is scored once.

    ``embedded`` stands for every metric in a form that needs nothing to be fetched, if it has one; ``all`` for every
    one at its defaults, and in that form too where the defaults are another.
    """
    names: list[str] = []
    for text in texts:
        if text == "all":
            names += [request for name in table() for request in dict.fromkeys((name, embedded(name) or name))]
        elif text == "embedded":
            names += [request for name in table() if (request := embedded(name))]
        else:
            names.append(text)
    return list({named.key: named for named in map(metric, names)}.values())


def embedded(name: str) -> str | None:
    """The request for a metric in a form that needs nothing to be fetched: itself, a preset of it, or None."""
    cls = metric_class(name)
    if cls.embedded:
        return f"{cls.name}/{cls.embedded}"
    needed = {item for feature in closure(cls()) for item in feature.weights}
    return cls.name if all(weights.entry(item).tier == "embedded" for item in needed) else None
