"""Two processes with uneven shares, one of them with none at first, say what one process says."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from training import two_processes

SHARES = [[[0, 1, 2, 3], []], [[4], [5, 6]]]
"""By stage, the clips of either process."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Threads of two processes that wait for each other on few cores spend their time waiting."""


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """What each process said after each stage."""
    place = tmp_path_factory.mktemp("processes")
    (place / "shares.json").write_text(json.dumps(SHARES))
    script = Path(two_processes.__file__)
    path = os.pathsep.join([*filter(None, sys.path)])
    running = [
        subprocess.Popen(
            [sys.executable, script, str(rank), place / "store", place / "shares.json", place / f"{rank}.json"],
            env={**os.environ, **ONE_THREAD, "PYTHONPATH": path},
        )
        for rank in range(2)
    ]
    try:
        assert [process.wait(timeout=240) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
    return [json.loads((place / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.fixture(scope="module")
def alone():
    """What one process says of the same clips."""
    metrics = two_processes.collection()
    found = []
    for share in SHARES:
        two_processes.counted(metrics, [clip for own in share for clip in own])
        found.append(two_processes.said(metrics))
    return found


def test_both_processes_say_the_same(together):
    assert together[0]["stages"] == together[1]["stages"]


def test_validation_shares_out_clips_and_all_get_the_same(together):
    alone = two_processes.validated()
    assert alone["coverage"] == (4, 5)
    first, second = (process["validated"] for process in together)
    assert (first.pop("warned"), second.pop("warned"), alone.pop("warned")) == (1, 0, 1)
    assert first == second == {**alone, "coverage": [4, 5]}


def test_a_wrapped_model_is_looked_at_unevenly_and_trains_as_if_nobody_looked(together):
    first, second = (process["wrapped"] for process in together)
    assert first["scores"] == second["scores"]
    for one in (first, second):
        assert one["watched"] == one["alone"]


def test_names_that_one_process_gave_alone_are_refused(together):
    assert {process["named_by_one"] for process in together} == {
        "some processes gave their clips names, and others none; name all or none"
    }


@pytest.mark.parametrize("stage", [0, 1])
def test_sums_are_within_an_ulp_and_records_exact(together, alone, stage):
    theirs, ours = together[0]["stages"][stage], alone[stage]
    assert (theirs["clips"], theirs["interval"]) == (ours["clips"], ours["interval"])
    for name, said in ours["scores"].items():
        one, other = float.fromhex(said), float.fromhex(theirs["scores"][name])
        assert abs(one - other) <= (0 if name in ("named", "fid", "fid-random") else math.ulp(one)), name
