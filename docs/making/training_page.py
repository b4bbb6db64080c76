"""What training loops may hand over, as the classes, losses and ``handed`` have it."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import thgeval
from making.markdown import code, explained, listed, prose, stacked, table
from thgeval.errors import ThgevalError
from thgeval.features.frames.frames import rgb
from thgeval.meter import Meter
from thgeval.meter.handed import wanted
from thgeval.metrics import METRICS
from thgeval.registry import metric_class

TRAINING = Path(thgeval.__file__).parent / "training"
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
    said = explained(_docstrings("objects")["TrainingMetric"])
    return table([(listed(names.split(", ")), prose(says)) for names, says in said.items()], ("keyword", "is"))


def validation() -> str:
    """The arguments of ``Validation``."""
    said = explained(_docstrings("validation")["Validation"])
    return table([(code(name), prose(says)) for name, says in said.items()], ("argument", "is"))


def losses() -> str:
    """Every loss, with its docstring's first sentence."""
    listed_there = ast.parse((TRAINING / "losses" / "__init__.py").read_text(encoding="utf-8")).body
    modules = [node.module.rpartition(".")[2] for node in listed_there if isinstance(node, ast.ImportFrom)]
    said = {name: text for module in modules for name, text in _docstrings(f"losses/{module}").items()}
    public = next(ast.literal_eval(node.value) for node in listed_there if isinstance(node, ast.Assign))
    return table([(code(name), prose(said[name].partition("\n")[0])) for name in public], ("loss", "is"))


def meter() -> str:
    """The arguments of ``Meter``."""
    said = explained(inspect.getdoc(Meter) or "")
    return table([(code(name), prose(says)) for name, says in said.items()], ("argument", "is"))


def _docstrings(module: str) -> dict[str, str]:
    """The docstrings of a file's classes, read where they stand: to import them takes torch, and seconds."""
    tree = ast.parse((TRAINING / f"{module}.py").read_text(encoding="utf-8"))
    return {node.name: ast.get_docstring(node) or "" for node in tree.body if isinstance(node, ast.ClassDef)}
