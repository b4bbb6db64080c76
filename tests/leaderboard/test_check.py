"""Checks: an edited digit is named, what was taken back is named, and honest entries pass."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.boards import BOARD, FIELDS, made_entry

from thgeval.protocol import protocols
from thgeval.statistics import Interval
from thgeval_leaderboard.check import among, checked, of_entry, since
from thgeval_leaderboard.entry import Event, Reported, read

ENTRIES = Path(__file__).resolve().parents[2] / "leaderboard" / "entries"
VALUES = {"psnr": [30.0, 31.0, 33.0], "ssim": [0.8, 0.9, 0.85]}
SOURCE = "https://example.org/paper"


def refused(findings):
    return [str(finding) for finding in findings if finding.refused]


def edited(entry, key, **changes):
    """The entry with a score changed and its values per clip left."""
    scores = {**entry.run.scores, key: replace(entry.run[key], **changes)}
    return replace(entry, run=replace(entry.run, scores=scores))


def test_an_honest_entry_passes():
    assert of_entry(made_entry("mine", VALUES)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"value": 31.433333333333334}, "run.scores.psnr.value: psnr is 31.43"),
        ({"interval": Interval(30.0, 35.0)}, "run.scores.psnr.value: psnr has the interval [30.0, 35.0]"),
        ({"interval": Interval(40.0, 45.0)}, "run.scores.psnr.interval: [40.0, 45.0] does not hold"),
        ({"clips": 2}, "run.scores.psnr.clips: its signature does not say n:2/3"),
        ({"left_out": {"no face": 1}}, "run.scores.psnr.left_out: 3 clips scored and 1 left out"),
        ({"value": -1.0}, "run.scores.psnr.value: -1.0 is outside [0.0, inf]"),
    ],
)
def test_an_edited_digit_is_named(changes, says):
    found = refused(of_entry(edited(made_entry("mine", VALUES), "psnr", **changes)))
    assert any(says in line for line in found), found


def test_another_metric_under_a_key_is_named():
    entry = edited(made_entry("mine", VALUES), "psnr", signature=made_entry("x", VALUES).run["ssim"].signature)
    assert "mine.json: run.scores.psnr.signature: it signs ssim, not psnr" in refused(of_entry(entry))


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"unit": "<b>dB</b>"}, "unit", "it is said to be in '<b>dB</b>' and is in 'dB'"),
        ({"range": (-1e300, 1e300)}, "range", "it is said to be [-1e+300, 1e+300] and is [0.0, inf]"),
    ],
)
def test_unit_and_range_are_those_of_the_metric(changes, field, says):
    """In the entries that are there; those of tests have shorter signatures."""
    entry = read(ENTRIES / "ref-2d.synth-v1-short-1.self-audio.json")
    assert refused(of_entry(entry)) == []
    assert refused(of_entry(edited(entry, "psnr", **changes))) == [f"{entry.id}.json: run.scores.psnr.{field}: {says}"]


def test_a_day_is_one_of_the_calendar():
    entry = replace(made_entry("mine", VALUES), history=(Event("2026-02-31", "added"),))
    assert refused(of_entry(entry)) == ["mine.json: history[0].date: 2026-02-31 is no day of the calendar"]


def test_unknown_keys_and_limited_runs_are_refused():
    entry = made_entry("mine", VALUES)
    run = replace(entry.run, options={**entry.run.options, "limit": 3}, scores={"magic": entry.run["psnr"]})
    found = refused(of_entry(replace(entry, run=run)))
    assert "mine.json: run.options.limit: it holds its first 3 clips alone (--limit)" in found
    assert "mine.json: run.scores.magic: no metric of this version is called so" in found


def test_another_protocol_and_a_deviating_one_are_refused():
    entry = made_entry("mine", VALUES, board=replace(BOARD, protocol="thg256@1"))
    assert refused(of_entry(entry)) == ["mine.json: run.protocol.name: scored under native@1, not thg256@1"]
    run = replace(entry.run, protocol={**entry.run.protocol, "name": "thg256@1!"})
    assert "deviates from the protocol of that name" in refused(of_entry(replace(entry, run=run)))[0]


def under(label, clips=3, fields=None, status="official"):
    """An entry under another protocol, of so many clips."""
    shown = label.removesuffix("!")
    known = protocols().get(shown)
    board = replace(BOARD, protocol=shown, status=status)
    entry = made_entry("mine", {"psnr": [30.0, 31.5, 29.0, 28.0, 33.0][:clips]}, board=board)
    tokens = list(fields or (FIELDS if known is None else known.tokens()))
    score = entry.run["psnr"]
    signed = score.signature.replace("|".join(FIELDS), "|".join(tokens)).replace("native@1", label)
    scores = {"psnr": replace(score, signature=signed)}
    return replace(entry, run=replace(entry.run, scores=scores, protocol={"name": label, "fields": tokens}))


@pytest.mark.parametrize(
    ("label", "says"),
    [
        ("person-nerf@1", "person-nerf@1 is experimental (rule) and never ranked; say so"),
        ("lrw-test@1", "lrw-test@1 is experimental (recall) and never ranked; say so"),
        ("hdtf-omniavatar15s@1", "hdtf-omniavatar15s@1 is experimental (author) and never ranked; say so"),
        ("mine#0d5ae12b93c4@1", "mine#0d5ae12b93c4@1 does not ship with thgeval, so it is never ranked"),
    ],
)
def test_experimental_protocols_are_refused_where_entries_are_ranked(label, says):
    found = refused(of_entry(under(label)))
    assert any(line.startswith(f"mine.json: board.status: {says}") for line in found), found
    free = refused(of_entry(under(label, status="experimental")))
    assert not any("board.status" in line for line in free)


def test_a_protocol_is_what_it_is_called():
    assert refused(of_entry(under("thg256@1"))) == []
    found = refused(of_entry(under("thg256@1", fields=FIELDS)))
    assert len(found) == 1
    assert found[0].startswith("mine.json: run.protocol.fields: thg256@1 prepares clips as 25fps 256px crop:none")


def test_a_protocol_is_scored_on_all_of_its_clips():
    found = refused(of_entry(under("hdtf-gagavatar19@1")))
    assert found == ["mine.json: run.expected: hdtf-gagavatar19@1 is of 19 clips, not 3"]


def test_lost_clips_and_clips_that_are_there_twice_are_refused():
    entry = made_entry("mine", VALUES)
    assert "run.expected" in refused(of_entry(replace(entry, run=replace(entry.run, expected=4))))[0]
    twice = replace(entry.run, clips=(*entry.run.clips[:2], entry.run.clips[0]))
    assert any("a clip is there twice" in line for line in refused(of_entry(replace(entry, run=twice))))


def test_reported_numbers_need_a_source_and_stand_apart():
    entry = replace(made_entry("mine", VALUES), run=None)
    assert refused(of_entry(entry)) == ["mine.json: run: it has neither a run nor reported numbers"]
    said = replace(entry, reported=(Reported("lse-d", 6.4, SOURCE),))
    assert of_entry(said) == []
    assert not said.ranked
    both = replace(made_entry("mine", VALUES), reported=(Reported("lse-d", 6.4, "javascript:x"),))
    assert len(refused(of_entry(both))) == 2


def test_verification_and_unreliability_stand_in_the_history():
    entry = made_entry("mine", VALUES, verified="rerun", unreliable="its clips show a watermark")
    assert len(refused(of_entry(entry))) == 2
    told = entry.after(Event("2026-11-29", "verified")).after(Event("2026-11-29", "marked-unreliable", "a watermark"))
    assert refused(of_entry(told)) == []


def test_the_same_clips_under_two_names_are_refused():
    first, second = made_entry("a", VALUES), replace(made_entry("a", VALUES), id="b")
    assert refused(among([first, second])) == ["b.json: run.clips: the very clips of a"]
    earlier = replace(second, history=(Event("2020-01-01", "added"),))
    assert refused(among([first, earlier])) == ["a.json: run.clips: the very clips of b"]


def test_another_signature_gets_a_column_of_its_own_and_a_note_says_why():
    ours = made_entry("a", VALUES, tokens={"psnr": "region:face"})
    found = list(among([ours, made_entry("b", VALUES), made_entry("c", VALUES)]))
    assert [str(finding) for finding in found] == [
        "a.json: run.scores.psnr.signature: a column of its own: region:face where others have -"
    ]
    assert not found[0].refused


def test_nothing_is_taken_back_in_silence():
    before = made_entry("mine", VALUES)
    gone = refused(since([before], []))
    assert gone == ["mine.json: it was taken away; an entry is withdrawn with a reason, and stays"]
    better = replace(made_entry("mine", VALUES | {"psnr": [35.0, 36.0, 37.0]}), history=before.history)
    assert "numbers changed" in refused(since([before], [better]))[0]
    assert refused(since([before], [better.after(Event("2026-11-30", "corrected", "a wrong crop"))])) == []
    rewritten = replace(before, history=(Event("2026-11-29", "added"),))
    assert "gone or changed" in refused(since([before], [rewritten]))[0]


def test_a_bad_entry_keeps_itself_off_and_no_other(tmp_path):
    made_entry("good", VALUES).write(tmp_path)
    edited(made_entry("bad", VALUES), "psnr", value=50.0, interval=None).write(tmp_path)
    (tmp_path / "worse.json").write_text("<script>")
    entries, findings = checked(tmp_path)
    assert [entry.id for entry in entries] == ["good"]
    assert {finding.file for finding in findings} == {"bad.json", "worse.json"}
