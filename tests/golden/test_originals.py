"""Metrics give what the programs that they come from printed of the same clips."""

import tomllib
from functools import cache
from pathlib import Path

import pytest
from golden.given import GIVEN
from support import random_weights

from thgeval import registry
from thgeval.engine.run import Options, execute
from thgeval.pairing import Pairing
from thgeval.requirements.weights import Policy

ORIGINALS = tomllib.loads(Path(__file__).with_name("originals.toml").read_text(encoding="utf-8"))["original"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """The scores of all metrics that are held to programs on these clips by this network, measured together."""

    @cache
    def of(given, network=None):
        requests = [row["metric"] for row in ORIGINALS if (row["given"], row.get("network")) == (given, network)]
        folder = tmp_path_factory.mktemp("given")
        pairing = Pairing(tuple(GIVEN[given](folder)), ())
        if network:
            pytest.importorskip("torch")
            with random_weights.installed([network]):
                return execute(pairing, requests, "native", Options(workers=1, weights=Policy(unverified=True))).scores
        with pytest.MonkeyPatch.context() as patch:
            if (folder / "home").is_dir():
                patch.setenv("THGEVAL_HOME", str(folder / "home"))
            return execute(pairing, requests, "native", Options(workers=1)).scores

    return of


@pytest.mark.parametrize("row", ORIGINALS, ids=lambda row: row["metric"])
def test_a_metric_gives_what_its_program_printed(row, scores):
    score = scores(row["given"], row.get("network"))[registry.metric(row["metric"]).key]
    assert score.value == pytest.approx(row["value"], rel=row["relative"], abs=0), score.unscored


def test_differences_above_rounding_are_explained():
    assert all("why" in row for row in ORIGINALS if row["relative"] > 1e-6)
