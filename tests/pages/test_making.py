"""How pages are made of what the code says."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "docs"))

import generate
from making import markdown

from thgeval.about import families
from thgeval.metrics import METRICS, TITLES


def test_every_metric_has_a_family_and_a_title_of_its_own():
    listed = [cls.name for classes in families.members().values() for cls in classes]
    assert sorted(listed) == sorted(METRICS)
    titles = [families.title(name) for name in METRICS]
    assert len(set(titles)) == len(titles)
    assert TITLES.keys() <= METRICS.keys()
    assert families.title("sync-envelope") == "Sync envelope"


def test_a_family_without_metrics_is_none():
    assert all(families.members().values())


def test_lists_of_names_are_taken_apart():
    text = (
        "``window``, ``sigma``  side and width;\n      more of it\n``k1`` and ``k2``  constants\nplain  ``a`` or ``b``"
    )
    assert markdown.explained(text) == {
        "window, sigma": "side and width; more of it",
        "k1 and k2": "constants",
        "plain": "``a`` or ``b``",
    }


def test_a_bar_stays_within_its_cell():
    assert markdown.table([("a|b", 1)], ("x", "y")).splitlines()[-1] == "| a\\|b | 1 |"


def test_a_place_for_entries_must_be_there():
    site = "nav:\n  # metrics: made by docs/generate.py\n  - old\n  # end\n  - other\n"
    renewed = generate.side_bar(site, {"metrics": ["- a", "- b"]})
    assert renewed == site.replace("  - old\n", "  - a\n  - b\n")
    with pytest.raises(AssertionError, match="no place for decisions"):
        generate.side_bar(site, {"decisions": []})


@pytest.mark.parametrize("name", METRICS)
def test_every_parameter_has_its_row(name):
    page = (generate.DOCS / "metrics" / f"{name}.md").read_text(encoding="utf-8")
    rows = page.partition("## Parameters")[2].partition("\n## ")[0]
    for field in generate.metric_class(name).parameters():
        assert f"`{field}`" in rows
    assert "``" not in page.replace("```", "")
