"""Metrics give what the programs that they come from printed of the same clips."""

import tomllib
from functools import cache
from pathlib import Path

import pytest
from golden.given import GIVEN

from thgeval.engine.run import Options, execute
from thgeval.pairing import Pairing

ORIGINALS = tomllib.loads(Path(__file__).with_name("originals.toml").read_text(encoding="utf-8"))["original"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """The scores of all metrics that are held to programs on these clips, measured together."""

    @cache
    def of(given):
        requests = [row["metric"] for row in ORIGINALS if row["given"] == given]
        folder = tmp_path_factory.mktemp("given")
        pairs = GIVEN[given](folder)
        with pytest.MonkeyPatch.context() as patch:
            if (folder / "home").is_dir():
                patch.setenv("THGEVAL_HOME", str(folder / "home"))
            return execute(Pairing(tuple(pairs), ()), requests, "native", Options(workers=1)).scores

    return of


@pytest.mark.parametrize("row", ORIGINALS, ids=lambda row: row["metric"])
def test_a_metric_gives_what_its_program_printed(row, scores):
    score = scores(row["given"])[row["metric"]]
    assert score.value == pytest.approx(row["value"], rel=row["relative"], abs=0), score.unscored


def test_differences_above_rounding_are_explained():
    assert all("why" in row for row in ORIGINALS if row["relative"] > 1e-6)
