"""Listing, citing, validating, comparing, merging, reporting, self-testing."""

import json

import pytest
from support.clips import moving, write_clip

from thgeval import registry

pytestmark = pytest.mark.usefixtures("seen_once")


def result_of(thgeval, folders, out, *more):
    answer = thgeval("score", folders.generated, folders.reference, "-o", out, "-f", "json", *more)
    assert answer.code == 0, answer.err
    return json.loads(answer.out)


@pytest.fixture
def four_pairs(folders):
    for name in "defgh":
        write_clip(folders.generated / f"{name}.mp4", moving(seed=ord(name), noise=6))
        write_clip(folders.reference / f"{name}.mp4", moving(seed=ord(name)))
    return folders


def test_every_metric_is_listed_with_what_it_is(thgeval):
    rows = json.loads(thgeval("ls", "metrics", "-f", "json").out)
    assert [row["name"] for row in rows] == list(registry.table())
    assert all(row["is"] and row["direction"] and row["range"] and row["source"] and row["reads"] for row in rows)
    assert "SSIM" not in thgeval("ls", "metrics").err
    assert "How much of the reference's local structure survives" in thgeval("ls", "metrics", "ssim").out


def test_presets_and_protocols_are_listed(thgeval):
    presets = {row["name"] for row in json.loads(thgeval("ls", "presets", "-f", "json").out)}
    assert {"psnr/uint8-wrap", "ssim/wang-downsample", "cpbd/atvgnet", "ofm/diffused-heads"} <= presets
    assert "native@1" in thgeval("ls", "protocols").out


def test_citations_are_bibtex(thgeval):
    answer = thgeval("cite", "ssim", "psnr/uint8-wrap")
    assert answer.out.startswith("@article{wang2004ssim,")
    assert "@article{huynhthu2008psnr," in answer.out
    assert thgeval("cite", "nonsense").code == 2


def test_good_clips_validate(thgeval, folders):
    answer = thgeval("validate", folders.generated)
    assert answer.code == 0
    assert answer.out.count("25.000") == 3
    (row,) = json.loads(thgeval("validate", folders.generated / "a.mp4", "-f", "json").out)
    assert (row["frames"], row["info"]["width"], row["info"]["fps"]) == (10, 64, 25.0)


def test_unusable_clips_are_named(thgeval, folders):
    (folders.generated / "a.mp4").write_bytes(b"nothing")
    answer = thgeval("validate", folders.generated)
    assert answer.code == 1
    assert "a.mp4" in answer.out
    assert thgeval("validate", folders.generated / "nowhere").code == 2


def test_merged_shards_equal_one_run(thgeval, four_pairs, tmp_path):
    for shard, names in (("whole", "abcd"), ("one", "ab"), ("two", "cd")):
        lines = [f"pred/{name}.mp4\tgt/{name}.mp4" for name in names]
        (tmp_path / f"{shard}.tsv").write_text("\n".join(lines))
        answer = thgeval("score", "--list", tmp_path / f"{shard}.tsv", "-m", "all", "-o", tmp_path / f"{shard}.json")
        assert answer.code == 0, answer.err
    answer = thgeval("merge", tmp_path / "two.json", tmp_path / "one.json", "-o", tmp_path / "merged.json")
    assert answer.code == 0, answer.err
    merged = json.loads((tmp_path / "merged.json").read_text())
    assert merged["scores"] == json.loads((tmp_path / "whole.json").read_text())["scores"]
    assert merged["expected"] == 4
    assert [clip["id"] for clip in merged["clips"]] == list("abcd")


def test_merging_what_does_not_fit_is_refused(thgeval, folders, tmp_path):
    result_of(thgeval, folders, tmp_path / "a.json", "-m", "psnr")
    result_of(thgeval, folders, tmp_path / "b.json", "-m", "psnr/grey")
    result_of(thgeval, folders, tmp_path / "c.json", "-m", "psnr")
    same = thgeval("merge", tmp_path / "a.json", tmp_path / "c.json", "-o", tmp_path / "m.json")
    assert (same.code, "merge distinct clips" in same.err) == (2, True)
    (folders.generated / "a.mp4").rename(folders.generated / "z.mp4")
    assert thgeval("merge", tmp_path / "a.json", tmp_path / "b.json", "-o", tmp_path / "m.json").code == 2
    assert not (tmp_path / "m.json").exists()


def test_a_better_system_is_found_and_an_equal_one_is_not(thgeval, four_pairs, tmp_path):
    result_of(thgeval, four_pairs, tmp_path / "baseline.json", "-m", "psnr", "ssim", "f-mse", "l1")
    better = tmp_path / "better"
    better.mkdir()
    for path in sorted(four_pairs.reference.glob("*.mp4")):
        write_clip(
            better / path.name, moving(seed=ord(path.stem) if path.stem in "defgh" else "abc".index(path.stem), noise=2)
        )
    answer = thgeval(
        "score", better, four_pairs.reference, "-m", "psnr", "ssim", "f-mse", "l1", "-o", tmp_path / "better.json"
    )
    assert answer.code == 0
    found = json.loads(thgeval("compare", tmp_path / "baseline.json", tmp_path / "better.json", "-f", "json").out)
    rows = {row["metric"]: row for row in found["rows"]}
    assert rows["psnr"]["better"] == rows["ssim"]["better"] == rows["l1"]["better"] == 1
    assert rows["psnr"]["difference"] > 0 > rows["l1"]["difference"]
    assert (rows["f-mse"]["compares"], rows["f-mse"]["better"]) == ("distance to reference", 1)
    assert rows["psnr"]["significant"]
    assert rows["psnr"]["p"] <= rows["psnr"]["corrected_p"]
    assert found["groups"]["psnr"] == {"better": 1, "baseline": 2}
    same = json.loads(thgeval("compare", tmp_path / "baseline.json", tmp_path / "baseline.json", "-f", "json").out)
    assert not any(row["significant"] for row in same["rows"])


def test_comparing_needs_equal_signatures(thgeval, folders, tmp_path):
    result_of(thgeval, folders, tmp_path / "a.json", "-m", "psnr")
    result_of(thgeval, folders, tmp_path / "b.json", "-m", "psnr", "--protocol", "thg256")
    answer = thgeval("compare", tmp_path / "a.json", tmp_path / "b.json")
    assert answer.code == 2
    assert "made differently: fps:native size:native in a | 25fps 256px in b" in answer.err


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex"])
def test_comparisons_print_in_every_form(thgeval, folders, tmp_path, form):
    result_of(thgeval, folders, tmp_path / "a.json", "-m", "psnr")
    answer = thgeval("compare", tmp_path / "a.json", tmp_path / "a.json", "-f", form)
    assert {"csv": "psnr,higher,", "latex": r"psnr $\uparrow$"}.get(form, "psnr ↑") in answer.out
    assert answer.out.count("too few clips") == 1
    assert ("baseline" in answer.out.splitlines()[0]) == (form == "csv"), "else it has a line of its own"
    assert "with 3 clips and 1 test no p after Holm below 0.25 is possible" in answer.err


def test_a_damaged_result_file_is_one_sentence(thgeval, folders, tmp_path):
    (tmp_path / "broken.json").write_text('{"schema": "thgeval.result/1", "scores": 3}')
    answer = thgeval("compare", tmp_path / "broken.json", tmp_path / "broken.json")
    assert answer.code == 2
    assert "is not a thgeval result file" in answer.err


def test_reports_are_written_beside_the_result(thgeval, folders, tmp_path):
    result_of(thgeval, folders, tmp_path / "run.json", "-m", "psnr")
    answer = thgeval("report", tmp_path / "run.json")
    assert answer.code == 0
    assert answer.out.strip() == str(tmp_path / "run.html")
    assert "psnr" in (tmp_path / "run.html").read_text()


def test_the_selftest_passes_here(thgeval):
    answer = thgeval("selftest")
    assert answer.code == 0, answer.out
    assert "no wrong answers" in answer.out


def test_a_wrong_answer_fails_the_selftest(thgeval, monkeypatch):
    from thgeval import selftest

    wrong = selftest.KnownAnswer("one is two", lambda: 1.0, 2.0, 0.5)
    monkeypatch.setattr(selftest, "CHECKS", (wrong,))
    answer = thgeval("selftest")
    assert answer.code == 1
    assert "one is two: 1.0 instead of 2.0" in answer.out


def test_help_names_every_command(thgeval):
    from thgeval.cli.main import COMMANDS

    answer = thgeval("--help")
    assert answer.code == 0
    assert all(command in answer.out for command in COMMANDS)
    assert all(thgeval(command, "--help").code == 0 for command in COMMANDS)
