"""The entries that are kept here: they stand, they are small, and nothing of the machine that made them is in them."""

import re
from pathlib import Path

import pytest

from thgeval.metric import Better
from thgeval_leaderboard.check import checked

ENTRIES = Path(__file__).resolve().parents[2] / "leaderboard" / "entries"
FILES = sorted(ENTRIES.glob("*.json"))


def test_every_entry_stands():
    kept, findings = checked(ENTRIES, None)
    assert [str(finding) for finding in findings if finding.refused] == []
    assert len(kept) == len(FILES) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_entry_is_text_of_a_size_to_be_read_and_names_no_place(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert not re.search(r'"(/|[A-Z]:\\|~)', text)


def test_the_truth_is_no_worse_than_what_was_made_of_it():
    by_id = {entry.id: entry for entry in checked(ENTRIES, None)[0]}
    for id, entry in by_id.items():
        if entry.method.role != "control":
            continue
        truth = by_id[f"ctl-gt.{entry.board.task}"]
        for key in ("psnr", "ssim", "lmd", "f-lmd"):
            ours, best = entry.run.scores[key], truth.run.scores[key]
            if ours.value is not None:
                ahead = ours.value > best.value if best.better is Better.HIGHER else ours.value < best.value
                assert not ahead, (id, key)
