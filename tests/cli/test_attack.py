"""Hostile inputs of every kind, a few of each; ``python -m attack`` from tests/ makes a thousand, and kills a run
a hundred times.

No run ends or hangs, none swells, every clip is scored or named with a reason, good clips come out as without the
others, and nothing is written outside the output.
"""

import pytest
from attack.kills import killed
from attack.kinds import CLAIMS, KINDS, attacked, blended

CLIPS = [name for name, kind in KINDS.items() if not kind.beside]
BESIDE = [name for name, kind in KINDS.items() if kind.beside]
CLAIMED = 6
HANGS_S = 200  # machines that run tests are busy


@pytest.mark.parametrize("names", [CLIPS, BESIDE], ids=["clips", "beside"])
def test_hostile_inputs(names, tmp_path):
    found = blended(tmp_path, names, 4, 12345, HANGS_S)
    assert found["findings"] == []
    assert found["tried"] == 4 * len(names)


@pytest.mark.parametrize("name", CLAIMS)
def test_hostile_results_and_requests(name, tmp_path):
    found = attacked(tmp_path, name, 12345, CLAIMED / CLAIMS[name][1], HANGS_S)
    assert found["findings"] == []
    assert found["tried"] == CLAIMED


def test_killed_runs_come_to_the_same_bytes(tmp_path):
    found = killed(tmp_path, 4, seed=7, clips=8)
    assert found["findings"] == []
    assert found["tried"] >= 4
