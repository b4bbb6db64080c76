"""The page on adding a metric, followed: its three metrics are written into the package in memory, listed, and scored.

The whole of conformance over them takes minutes; here they keep the docstring's contract, give copies the best value
(of sets, to rounding), and tell a worse clip apart.
"""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from pages.examples import blocks
from support.clips import moving

import thgeval
from thgeval import metrics, registry
from thgeval.about.docstrings import described, sections
from thgeval.errors import ProtocolError

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-metric.md").read_text(encoding="utf-8")
BIBLIOGRAPHY = (Path(thgeval.__file__).parent / "about" / "references.bib").read_text(encoding="utf-8")
FILES = [block.partition("\n")[::2] for block in blocks(PAGE, "python") if re.match(r"# thgeval/\S+\.py\n", block)]
LINES = dict(re.findall(r'^"([\w-]+)": "([\w.]+:\w+)",$', PAGE, re.MULTILINE))


@pytest.fixture
def followed(monkeypatch):
    """The package with the page's files in it and the page's lines in the table."""
    for head, source in FILES:
        name = head.removeprefix("# ").removesuffix(".py").replace("/", ".")
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        exec(compile(source, head, "exec"), module.__dict__)
    for name, where in LINES.items():
        monkeypatch.setitem(metrics.METRICS, name, where)
    registry.table.cache_clear()
    yield
    monkeypatch.undo()
    registry.table.cache_clear()


def test_the_page_leads_through_three_metrics_and_a_feature():
    assert len(LINES) == 3
    assert len(FILES) == 4


@pytest.mark.usefixtures("followed")
def test_its_metrics_say_what_they_owe():
    for name in LINES:
        cls = registry.metric_class(name)
        assert cls.name == name
        said = sections(cls)
        assert all(said.get(label) for label in ("Is", "Reads", "Returns", "Source", "Departs"))
        cited = {key for key in cls.cites if f"{{{key}," not in BIBLIOGRAPHY} - set(
            re.findall(r"^@\w+\{(\w+),", PAGE, re.MULTILINE)
        )
        assert not cited
        assert all(cls.explained().values())


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize("name", ["gmsd", "fid-colour"])
def test_copies_are_best_and_a_worse_clip_is_worse(name):
    real = moving(6, 64)
    score = {what: thgeval.score(frames, real, metrics=[name])[name].value for what, frames in worse(real).items()}
    assert score["a copy"] == (0.0 if name == "gmsd" else pytest.approx(0.0, abs=1e-12))
    assert score["half as bright"] > 0.0


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gmsd:constant=0", "gmsd: constant must be above 0, not 0.0"),
        ("gmsd:region=nose", "gmsd: region must be one of frame, mouth, face, not 'nose'"),
    ],
)
def test_what_it_declares_is_refused_and_listed(text, said):
    with pytest.raises(ProtocolError, match=f"^{re.escape(said)}$"):
        registry.metric(text)
    assert (
        "constant=170.0: keeps the fractions stable, where white is 255"
        in described(registry.metric_class("gmsd"))["parameters"]
    )


@pytest.mark.usefixtures("followed")
def test_the_landmark_metric_compares_openings():
    metric = registry.metric("lip-opening").metric
    face = np.random.default_rng(0).random((3, 68, 2)) * 100
    wider = face.copy()
    wider[:, 66, 1] += 20
    assert (metric.compared(face, face) == 0).all()
    assert (metric.compared(wider, face) != 0).all()


def worse(real):
    return {"a copy": real, "half as bright": real // 2}
