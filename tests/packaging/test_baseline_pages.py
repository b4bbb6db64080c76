"""Pages on baselines: a picture each that is small enough, and figures of what is registered alone."""

import json
from pathlib import Path

import pytest

from thgeval_baselines.generators import BUILTIN
from thgeval_baselines.running.worker import loaded

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "baselines").glob("*.in.md"))
PICTURES = sorted((ROOT / "docs" / "images" / "baselines").glob("*.jpg"))
MOST_BYTES = 150_000

pytestmark = pytest.mark.skipif(not PAGES, reason="the documentation is not here")


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem != "index.in"], ids=lambda page: page.stem)
def test_a_page_says_what_its_generator_is_and_shows_it(page):
    text, name = page.read_text(encoding="utf-8"), page.name.removesuffix(".in.md")
    kinds = {kind.paradigm.value: kind for kind in map(loaded, BUILTIN)}
    assert f"`{kinds[name].id}`" in text.partition("\n")[0]
    assert "reference baseline, not a published model" in " ".join(text.split()).lower()
    assert "## What it can't do" in text
    for needed in kinds[name].needs | kinds[name].fitting:
        assert f"`{needed}`" in text


def test_every_registered_generator_has_a_page():
    assert {page.name.removesuffix(".in.md") for page in PAGES} - {"index"} == {
        kind.paradigm.value for kind in map(loaded, BUILTIN)
    }


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_pictures_are_small_labelled_and_shown(picture):
    assert picture.stat().st_size < MOST_BYTES
    assert b"synthetic test material" in picture.read_bytes()[:1000]
    page = (ROOT / "docs" / "baselines" / f"{picture.stem}.md").read_text(encoding="utf-8")
    assert f"(../images/baselines/{picture.name})" in page


def test_only_what_is_registered_was_measured():
    rows = json.loads((ROOT / "benchmarks" / "results" / "generators.json").read_text(encoding="utf-8"))["rows"]
    assert {row["generator"] for row in rows} <= {loaded(spec).id for spec in BUILTIN}
