"""Every metric and every preset says what reported numbers it may be compared with."""

import tomllib
from importlib.resources import files

import pytest

from thgeval.about.comparability import OWN_SAYS, comparable
from thgeval.about.explanation import explained
from thgeval.metrics import METRICS
from thgeval.registry import metric_class

TABLE = tomllib.loads(files("thgeval.about").joinpath("comparability.toml").read_text(encoding="utf-8"))
PRESETS = [(name, preset) for name in METRICS for preset in metric_class(name).presets]


def test_every_metric_and_every_preset_has_a_line():
    assert list(filter(lambda name: not comparable(name), METRICS)) == []
    assert [f"{name}/{preset}" for name, preset in PRESETS if not comparable(name, preset)] == []


def test_every_line_is_of_a_metric_or_a_preset_and_of_use():
    assert TABLE["metrics"].keys() == METRICS.keys()
    used = {own if (own := f"{name}/{preset}") in TABLE["presets"] else f"*/{preset}" for name, preset in PRESETS}
    assert TABLE["presets"].keys() == used


def test_lines_are_short_sentences_to_be_read_after_with():
    for said in [*TABLE["metrics"].values(), *TABLE["presets"].values()]:
        assert 3 <= len(said) <= 200, said
        assert not said.startswith("with "), said
        assert not said.endswith("."), said


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("LVE", f"compare   with {comparable('lve')}"),
        ("fid/eat", f"compare   with {comparable('fid', 'eat')}"),
        ("csim/aligned", f"compare   with {OWN_SAYS}"),
        ("fdd:sample=yes", f"compare   but for what is changed (*), as fdd: with {comparable('fdd')}"),
    ],
)
def test_explain_says_it_of_a_metric_a_preset_and_what_is_changed(asked, line):
    said = explained(asked)
    assert line in said
    assert all("Compare with " in preset for preset in said if preset.startswith("preset "))
