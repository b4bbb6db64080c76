"""Hostile inputs of every kind, a few of each; ``python -m attack`` from tests/ makes a thousand, and kills a run
a hundred times.

No run ends or hangs, none swells, every clip is scored or named with a reason, good clips come out as without the
others, and nothing is written outside the output.
"""

import pytest
from attack.kills import killed
from attack.kinds import CLAIMS, KINDS, attacked

SHORT = {"damaged videos": 12, "bombs": 4, "results": 12, "states": 8, "lists and protocols": 8}
HANGS_S = 200  # machines that run tests are busy


@pytest.mark.parametrize("name", [*KINDS, *CLAIMS])
def test_hostile_inputs(name, tmp_path, monkeypatch):
    if name == "transcripts and prompts":
        pytest.importorskip("pocketsphinx")
        pytest.importorskip("jiwer")
    count = KINDS[name].count if name in KINDS else CLAIMS[name][1]
    found = attacked(tmp_path, name, 12345, SHORT.get(name, 4) / count, HANGS_S)
    assert found["findings"] == []
    assert found["tried"] == SHORT.get(name, 4)


def test_killed_runs_come_to_the_same_bytes(tmp_path):
    found = killed(tmp_path, 4, seed=7, clips=12)
    assert found["findings"] == []
    assert found["tried"] >= 4
