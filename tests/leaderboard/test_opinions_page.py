"""What is committed of people's opinions, and the page that shows it."""

import json
from importlib.resources import files
from pathlib import Path

import pytest

from thgeval_leaderboard.opinions import Opinion
from thgeval_leaderboard.opinions.compile import compiled, encoded, ranked

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "thqa_ntire"
COMMITTED = files("thgeval_leaderboard").joinpath("opinions/data/thqa_ntire.json").read_bytes()


def test_what_is_committed_is_what_the_command_makes():
    if not SHARED.is_dir():
        pytest.skip("needs ../shared/data/thqa_ntire")
    assert encoded(compiled(SHARED)) == COMMITTED


def test_what_is_committed_are_aggregates_with_their_source():
    data = json.loads(COMMITTED)
    assert len(COMMITTED) < 8000
    assert "MIT licence" in data["source"]
    assert "one laboratory" in data["source"]
    assert sum(row["clips"] for row in (*data["talkers"], *data["levels"])) == data["clips"] == 12_247
    for row in (*data["talkers"], *data["levels"]):
        assert row["clips"] >= 50
        assert row["interval"][0] < row["mean"] < row["interval"][1]


def test_a_talker_is_below_another_only_where_a_test_says_so():
    def clips(name, *scores):
        return [Opinion(f"{name}{at}", score, name, {"part": "p"}) for at, score in enumerate(scores)]

    found = ranked(clips("b", 2, 3, 2.5, 2.4) + clips("a", 2.1, 3, 2.5, 2.4) + clips("c", 0, 0.1, 0.2, 0))
    assert [(row["talker"], row["below"]) for row in found] == [("a", False), ("b", False), ("c", True)]
