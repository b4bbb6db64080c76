"""From a set to entries of a leaderboard: what is there is kept, what changed is corrected, what failed is shown."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thgeval.engine.options import Options
from thgeval.results import Run
from thgeval_baselines.catalogue import systems
from thgeval_baselines.contact import MOST_BYTES, sheet
from thgeval_baselines.first_results import Scored, cost, kept, made_videos, measured, score
from thgeval_baselines.sets.short import Subset
from thgeval_baselines.sets.synth import make_synth
from thgeval_baselines.tasks.items import TaskSet
from thgeval_leaderboard.check import checked
from thgeval_leaderboard.entry import read

ITEMS = ("s1-e01-still", "s2-e01-still")


def _make(folder: Path) -> TaskSet:
    return make_synth(folder, seconds=1.0, fit_seconds=1.0, only=frozenset(ITEMS), workers=1)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def scored(work: Path) -> dict[str, Scored]:
    """A generator that draws in a moment and two controls, scored by two metrics."""
    asked = made_videos(Subset("tiny", _make, ITEMS), systems(["ref-anim3d", "ctl-gt", "ctl-blur2"]), work, workers=1)
    for each in asked:
        score(each, ["psnr", "f-mse"], Options(workers=1))
    return {f"{each.system.id} {each.setting}": each for each in asked}


def test_every_system_is_scored_on_its_board(scored: dict[str, Scored]) -> None:
    assert sorted(scored) == ["ctl-blur2 control", "ctl-gt control", "ctl-gt text", "ref-anim3d self-audio"]
    runs = {name: Run.read(each.result) for name, each in scored.items()}
    assert {run.expected for run in runs.values()} == {2}
    assert runs["ctl-gt control"]["psnr"].value == np.inf
    assert 20 < (runs["ctl-blur2 control"]["psnr"].value or 0) < 40
    assert {name: run.protocol["name"] for name, run in runs.items()} == {
        "ctl-blur2 control": "thg256@1",
        "ctl-gt control": "thg256@1",
        "ctl-gt text": "thg256-shorter@1",
        "ref-anim3d self-audio": "thg256@1",
    }


def test_processes_can_be_sent_every_kind_of_system(scored: dict[str, Scored]) -> None:
    """Controls hold functions that can't be sent, which ended the whole command."""
    asked = list(scored.values())
    assert [each.result for each in measured(asked, 1, ["psnr", "f-mse"])] == [each.result for each in asked]
    assert {each.system.kind for each in asked} == {"control", "builtin"}


def test_entries_pass_their_check_and_carry_what_generating_cost(scored: dict[str, Scored], tmp_path: Path) -> None:
    for each in scored.values():
        kept(each, tmp_path, today="2026-11-01")
    entries, findings = checked(tmp_path, None)
    assert [str(finding) for finding in findings if finding.refused] == []
    roles = {entry.id: entry.method.role for entry in entries}
    assert roles["ctl-gt.tiny-1.control"] == "ground-truth"
    assert roles["ref-anim3d.tiny-1.self-audio"] == "reference-baseline"
    found = {entry.id: entry.cost for entry in entries}
    assert found["ctl-blur2.tiny-1.control"] is None
    drawn = found["ref-anim3d.tiny-1.self-audio"]
    assert drawn is not None
    assert drawn == cost(scored["ref-anim3d self-audio"])
    assert drawn["real_time_factor"] > 0


def test_an_entry_is_left_alone_until_a_number_changes(scored: dict[str, Scored], tmp_path: Path) -> None:
    each = scored["ctl-blur2 control"]
    path = kept(each, tmp_path, today="2026-11-01")
    first = path.read_bytes()
    kept(each, tmp_path, today="2026-11-02")
    assert path.read_bytes() == first
    run = Run.read(each.result)
    changed = replace(run.scores["psnr"], value=(run.scores["psnr"].value or 0) + 1)
    other = tmp_path / "other.json"
    replace(run, scores={**run.scores, "psnr": changed}, path=None).write(other)
    kept(replace(each, result=other), tmp_path, today="2026-11-02")
    assert [(event.date, event.what) for event in read(path).history] == [
        ("2026-11-01", "added"),
        ("2026-11-02", "corrected"),
    ]


def test_a_sheet_is_small_and_keeps_the_row_of_what_was_not_made(scored: dict[str, Scored], tmp_path: Path) -> None:
    clip = scored["ctl-gt control"].clips / "clips" / f"{ITEMS[0]}.mp4"
    sheet([("there", clip), ("missing", tmp_path / "none.mp4")], tmp_path / "sheet.jpg", moments=3)
    assert (tmp_path / "sheet.jpg").stat().st_size < MOST_BYTES
    drawn = np.asarray(Image.open(tmp_path / "sheet.jpg").convert("L"))
    upper, lower = drawn[: len(drawn) // 2, 150:], drawn[len(drawn) // 2 :, 150:]
    assert upper.mean() < 200
    assert lower.min() < 100 < 240 < lower.mean()  # words on white


def test_what_was_not_made_is_said_with_its_reason(scored: dict[str, Scored], tmp_path: Path) -> None:
    each = scored["ref-anim3d self-audio"]
    assert each.failures == []
    failed = {"item": "a", "status": "failed", "reason": "refused", "message": "it lacks an extra"}
    (tmp_path / "summary.json").write_text(json.dumps({"failures": [failed, {**failed, "item": "b"}]}))
    assert replace(each, clips=tmp_path).failures == ["ref-anim3d: 2 clips were not made: it lacks an extra"]
