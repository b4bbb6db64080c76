"""What is missing from a metric's class is said when it is loaded, with what to write."""

import re
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from thgeval import metrics, registry
from thgeval.completeness import incomplete
from thgeval.errors import ProtocolError
from thgeval.metric import Better, Metric, Needs, Preset
from thgeval.parameter import parameter

WHOLE = {"name": "tried", "version": 1, "range": (0.0, 1.0), "better": Better.LOWER, "cites": ()}
METHODS = {"needs": Needs(), "measure": lambda self, view: None}
GONE = object()


def made(*, frozen=True, **other):
    """A class that is a whole metric but for what is said here."""
    said = {name: value for name, value in (WHOLE | METHODS | other).items() if value is not GONE}
    cls = type("Tried", (Metric,), said)
    return dataclass(frozen=True)(cls) if frozen else cls


def field(default):
    return {"__annotations__": {"width": object}, "width": parameter(default, "how wide")}


def test_a_whole_one_lacks_nothing():
    assert incomplete(made(), "tried") is None
    assert incomplete(made(**field(3), presets={"wide": Preset({"width": 9}, "as one has it")}), "tried") is None


@pytest.mark.parametrize("name", list(registry.table()))
def test_all_that_are_listed_are_whole(name):
    assert incomplete(registry.metric_class(name), name) is None


BROKEN = {
    "no dataclass": (
        {"frozen": False},
        "is no frozen dataclass: put @dataclass(frozen=True) above it",
    ),
    "no measure": ({"measure": GONE}, "has no measure: define it"),
    "no measure and no needs": ({"measure": GONE, "needs": GONE}, "has no measure and no needs: define them"),
    "no range": ({"range": GONE}, "has no range: define it"),
    "no name": ({"name": GONE}, "is named None by itself: say name = 'tried' in it, as the table does"),
    "another name": ({"name": "other"}, "is named 'other' by itself: say name = 'tried' in it, as the table does"),
    "no version": (
        {"version": GONE},
        "has no version: say version = 1 in it, and more whenever its numbers change",
    ),
    "version 0": (
        {"version": 0},
        "has 0 for a version: say version = 1 in it, and more whenever its numbers change",
    ),
    "version true": (
        {"version": True},
        "has True for a version: say version = 1 in it, and more whenever its numbers change",
    ),
    "no direction": (
        {"better": GONE},
        "has no direction: say better = Better.LOWER in it, or which way else a score improves",
    ),
    "a word for a direction": (
        {"better": "lower"},
        "has 'lower' for a direction: say better = Better.LOWER in it, or which way else a score improves",
    ),
    "no papers": (
        {"cites": GONE},
        "has no papers: say cites = ('key',) in it, keys of references.bib, or () for none",
    ),
    "a paper that is no tuple": (
        {"cites": "key2020"},
        "has 'key2020' for papers: say cites = ('key',) in it, keys of references.bib, or () for none",
    ),
    "a range that runs back": (
        {"range": (1.0, 0.0)},
        "has (1.0, 0.0) for a range: say range = (0.0, math.inf) in it, the smallest and the largest value",
    ),
    "half a range": (
        {"range": 1.0},
        "has 1.0 for a range: say range = (0.0, math.inf) in it, the smallest and the largest value",
    ),
    "a default that signatures can't hold": (
        field((1, 2)),
        "has width, whose default is no text, number or truth value: give it one that signatures hold",
    ),
    "a preset of nothing": (
        {"presets": {"wide": Preset({"widht": 9}, "as one has it")}, **field(3)},
        "has a preset 'wide' of 'widht', which is no field: declare that, or leave it out",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_missing_is_said_with_what_to_write(what, monkeypatch):
    changed, said = BROKEN[what]
    assert incomplete(made(**changed), "tried") == said
    module = ModuleType("thgeval.metrics.tried")
    module.Tried = made(**changed)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(metrics.METRICS, "tried", "tried:Tried")
    registry.table.cache_clear()
    try:
        with pytest.raises(ProtocolError, match=f"^tried is thgeval.metrics.tried:Tried, which {re.escape(said)}$"):
            registry.metric("tried")
    finally:
        monkeypatch.undo()
        registry.table.cache_clear()
