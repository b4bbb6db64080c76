"""What training loops may hand over, as the classes, losses and ``handed`` have it."""

import inspect
from collections.abc import Iterator
from typing import Any

from making.markdown import code, explained, listed, prose, stacked, table
from thgeval.errors import ThgevalError
from thgeval.features.frames.frames import rgb
from thgeval.meter import Meter
from thgeval.meter.handed import wanted
from thgeval.metrics import METRICS
from thgeval.registry import metric_class

FIELDS = ("landmarks", "network", "source", "estimator", "model")
"""Of metrics, those that may be ``npz``: measured by the user."""


def metrics() -> str:
    """Every metric with a training object, its class, and what tensors it takes."""
    rows = [
        (f"[{code(cls.__name__)}](metrics/{name}.md)", code(name), "; ".join(ways))
        for name in METRICS
        if (ways := list(_ways(cls := metric_class(name))))
    ]
    lacking = [name for name in METRICS if not list(_ways(metric_class(name)))]
    without = f"The others rest on files, sound or texts that no tensor stands for: {listed(lacking)}."
    return stacked(table(rows, ("class", "metric", "takes"))) + f"\n{without}\n"


def _ways(cls: Any) -> Iterator[str]:
    """What a metric may be handed, by default, of the user's measuring, or of the user's networks."""
    default = list(_way(cls, {}, "", ""))
    yield from default
    if default and not default[0].startswith("frames"):
        return
    for field in FIELDS:
        if field in cls.parameters():
            yield from _way(cls, {field: "npz"}, "", f" with {code(f'{field}={chr(34)}npz{chr(34)}')}")
    named = list(_way(cls, {}, "x", f" with {code('features')}"))
    yield from (way for way in named if not way.startswith("frames"))


def _way(cls: Any, fields: dict[str, str], features: str, how: str) -> Iterator[str]:
    try:
        metric = cls.configured(fields)
        needs = wanted(metric, features=features)
    except (ThgevalError, KeyError):
        return
    if rgb in needs.generated:
        if not fields:
            yield "frames of both sides" if needs.reference else "frames"
        return
    yield f"{listed(needs.arrays)}{how}"


def keywords() -> str:
    """The keywords of every metric object."""
    from thgeval.training import TrainingMetric

    said = explained(inspect.getdoc(TrainingMetric) or "")
    return table([(listed(names.split(", ")), prose(says)) for names, says in said.items()], ("keyword", "is"))


def validation() -> str:
    """The arguments of ``Validation``."""
    from thgeval.training import Validation

    said = explained(inspect.getdoc(Validation) or "")
    return table([(code(name), prose(says)) for name, says in said.items()], ("argument", "is"))


def losses() -> str:
    """Every loss, with its docstring's first sentence."""
    from thgeval.training import losses as module

    rows = [(code(name), _sentence(getattr(module, name))) for name in module.__all__]
    return table(rows, ("loss", "is"))


def meter() -> str:
    """The arguments of ``Meter``."""
    said = explained(inspect.getdoc(Meter) or "")
    return table([(code(name), prose(says)) for name, says in said.items()], ("argument", "is"))


def _sentence(of: Any) -> str:
    return prose((inspect.getdoc(of) or "").partition("\n")[0])
