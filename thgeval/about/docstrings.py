"""What a metric's docstring says, taken apart: listings, documentation and reports read it from here.

A metric's class docstring is one sentence, then four labels at the start of a line (Reads, Returns, Source, Departs),
each followed by text that may run over indented lines, up to an empty one. Its parameters say themselves what they are.
"""

import inspect
import math
import re
from typing import Any

from thgeval.about.comparability import comparable
from thgeval.metric import Metric
from thgeval.signature import pins_of, text_of

LABELS = ("Reads", "Returns", "Source", "Departs")


def sections(cls: type[Metric[Any]]) -> dict[str, str]:
    """The docstring by label; the opening sentence is under ``Is``."""
    text = inspect.getdoc(cls) or ""
    pattern = r"^(" + "|".join(LABELS) + r")\s+"
    opening, *rest = re.split(pattern, text, flags=re.MULTILINE)
    found = {"Is": _flowing(opening)}
    for label, body in zip(rest[::2], rest[1::2], strict=True):
        found[label] = _flowing(body.partition("\n\n")[0])
    return found


def described(cls: type[Metric[Any]]) -> dict[str, Any]:
    """Everything a listing says of a metric, as text; of its parameters a line each."""
    said, usual = sections(cls), cls()
    return {
        "name": cls.name,
        "is": said["Is"],
        "direction": cls.better.value,
        "range": _ranges(cls),
        "reads": said["Reads"],
        "returns": said["Returns"],
        "source": said["Source"],
        "departs": said["Departs"],
        "compare": comparable(cls.name) or "",
        "needs": ", ".join(feature.identity(pins_of(usual)) for feature in usual.needs.every()),
        "parameters": [
            f"{name}={text_of(cls.parameters()[name])}: {says}".replace("``", "")
            for name, says in cls.explained().items()
        ],
        "presets": ", ".join(cls.presets),
        "version": str(cls.version),
    }


def _ranges(cls: type[Metric[Any]]) -> str:
    """The range of the defaults, and after it those of presets that have another."""
    usual = cls()
    others: dict[str, list[str]] = {}
    for name, preset in cls.presets.items():
        other = cls.configured(preset.fields)
        if other.range != usual.range:
            others.setdefault(_range(other), []).append(name)
    return "; ".join([_range(usual), *(f"{said} ({', '.join(names)})" for said, names in others.items())])


def _range(metric: Metric[Any]) -> str:
    low, high = metric.range
    return f"{_bound(low)} .. {_bound(high)}" + (f" {metric.unit}" if metric.unit else "")


def _flowing(text: str) -> str:
    return " ".join(text.split())


def _bound(value: float) -> str:
    return ("-inf" if value < 0 else "inf") if math.isinf(value) else f"{value:g}"
