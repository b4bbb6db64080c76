"""The main job: what it prints, what it writes, how it ends."""

import csv
import io
import json
import sys
from importlib.resources import files

import jsonschema
import numpy as np
import pytest
from support.clips import moving, write_clip

pytestmark = pytest.mark.usefixtures("seen_once")
SCHEMA = json.loads(files("thgeval").joinpath("result.schema.json").read_text())


def test_json_follows_the_published_schema(thgeval, folders):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "all", "-f", "json")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    jsonschema.validate(result, SCHEMA)
    assert set(result["scores"]["psnr"]) >= {
        "value", "interval", "unit", "direction", "clips", "frames", "left_out", "signature", "unscored",
    }  # fmt: skip
    assert result["scores"]["psnr"]["clips"] == 3
    assert result["scores"]["psnr"]["frames"] == 30
    low, high = result["scores"]["psnr"]["interval"]
    assert low < result["scores"]["psnr"]["value"] < high
    assert result["scores"]["fps"]["unscored"].startswith("fps needs timing (fps <- timing)")


def test_stdout_is_the_table_and_nothing_else(thgeval, folders):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "ssim", "--signatures")
    assert answer.code == 0
    assert answer.err == ""
    lines = answer.out.splitlines()
    assert lines[0].split()[:2] == ["metric", "score"]
    assert any(line.startswith("psnr") and "3/3" in line for line in lines)
    assert any(line.startswith("ssim@1|region:frame|window:11|") for line in lines)


@pytest.mark.parametrize("form", ["latex", "markdown"])
def test_tables_for_papers(thgeval, folders, form):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-f", form)
    assert ("\\toprule" in answer.out) if form == "latex" else answer.out.startswith("| metric")


def test_csv_has_a_signature_column(thgeval, folders):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr,ssim", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert [row["metric"] for row in rows] == ["psnr", "ssim"]
    assert rows[0]["signature"].startswith("psnr@1|")


def test_brief_prints_numbers_with_as_many_digits_as_asked(thgeval, folders):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-b", "-w", "2")
    whole, point, digits = answer.out.strip().partition(".")
    assert (whole.isdigit(), point, len(digits)) == (True, ".", 2)


def test_the_result_file_and_python_agree(thgeval, folders, tmp_path):
    import thgeval as library

    out = tmp_path / "run.json"
    assert thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-o", out).code == 0
    written = library.Run.read(out)
    run = library.evaluate(folders.generated, folders.reference, metrics=["psnr"])
    assert written["psnr"] == run["psnr"]
    mine = [{**clip.to_dict(), "content": {}, "states": ""} for clip in written.clips]
    assert {**written.to_dict(), "clips": mine, "run": 0} == {**run.to_dict(), "run": 0}
    assert run.signature == {"psnr": run["psnr"].signature}
    frame = run.to_frame()
    assert frame.shape == (3, 1)
    assert frame["psnr"].mean() == pytest.approx(run["psnr"].value)


def test_one_pair_of_arrays_or_files(folders):
    import thgeval as library

    generated, reference = moving(noise=6.0), moving()
    run = library.score(generated, reference, metrics=["psnr", "l1"])
    mse = ((generated.astype(float) - reference) ** 2).mean(axis=(1, 2, 3))
    assert run["psnr"].value == pytest.approx((10 * np.log10(255**2 / mse)).mean(), rel=1e-12)
    assert run["l1"].value == pytest.approx(np.abs(generated.astype(float) - reference).mean() / 255, rel=1e-12)
    assert run["psnr"].interval is None
    assert (
        library.score(folders.generated / "a.mp4", folders.reference / "a.mp4", metrics=["psnr"])["psnr"].frames == 10
    )


def test_floats_need_a_stated_range_and_keep_their_values():
    import thgeval as library

    generated, reference = moving(noise=6.0) / 255.0, moving() / 255.0
    with pytest.raises(library.InputError, match=r"say which value is white: peak=1.0"):
        library.score(generated, reference, metrics=["psnr"])
    run = library.score(generated, reference, metrics=["psnr"], peak=1.0)
    exact = library.score(moving(noise=6.0), moving(), metrics=["psnr"])
    assert run["psnr"].value == pytest.approx(exact["psnr"].value, rel=1e-9)


def test_tensors_are_channels_first():
    torch = pytest.importorskip("torch")
    import thgeval as library

    generated, reference = moving(noise=6.0), moving()
    tensors = [torch.from_numpy(side).permute(0, 3, 1, 2) for side in (generated, reference)]
    run = library.score(*tensors, metrics=["psnr", "ssim"])
    assert run["psnr"].value == library.score(generated, reference, metrics=["psnr"])["psnr"].value


def test_a_copy_is_infinite_and_says_so(thgeval, folders):
    answer = thgeval("score", folders.reference, folders.reference, "-m", "psnr", "ssim", "-f", "json")
    result = json.loads(answer.out)
    assert answer.code == 0
    assert result["scores"]["psnr"]["value"] == "inf"
    assert result["scores"]["psnr"]["frames_left_out"] == {"identical": 30}
    assert result["scores"]["psnr"]["clips"] == 3
    assert result["scores"]["ssim"]["value"] == 1.0


def test_an_identical_clip_is_left_out_of_the_mean_and_counted(thgeval, folders):
    (folders.generated / "a.mp4").write_bytes((folders.reference / "a.mp4").read_bytes())
    result = json.loads(thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-f", "json").out)
    score = result["scores"]["psnr"]
    assert score["left_out"] == {"identical": 1}
    assert score["clips"] == 2
    assert result["clips"][0]["scores"]["psnr"] == "inf"
    assert "||n:2/3|" in score["signature"]


def test_pairs_can_be_listed(thgeval, folders, tmp_path):
    (tmp_path / "pairs.tsv").write_text("pred/a.mp4\tgt/b.mp4\npred/c.mp4\tgt/c.mp4\n")
    result = json.loads(thgeval("score", "--list", tmp_path / "pairs.tsv", "-m", "psnr", "-f", "json").out)
    assert [clip["id"] for clip in result["clips"]] == ["a", "c"]


def test_limits_are_marked_in_every_signature(thgeval, folders):
    result = json.loads(
        thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--limit", 2, "-f", "json").out
    )
    assert result["expected"] == 2
    assert result["scores"]["psnr"]["signature"].endswith("|!limit")


def test_per_frame_values_go_beside_the_result(thgeval, folders, tmp_path):
    out = tmp_path / "run.json"
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "f-mse", "-o", out, "--per-frame")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "run.frames.csv").read_text())))
    assert answer.code == 0
    assert len([row for row in rows if row["metric"] == "psnr"]) == 30
    assert len([row for row in rows if row["metric"] == "f-mse"]) == 27
    assert thgeval("score", folders.generated, folders.reference, "--per-frame").code == 2


def test_results_do_not_depend_on_workers(thgeval, folders):
    answers = {
        thgeval(
            "score", folders.generated, folders.reference, "-m", "all", "-f", "json", "--workers", workers
        ).out.partition('"run": ')[0]
        for workers in (1, 2, 4)
    }
    assert len(answers) == 1


def test_resampled_rates_and_sizes_are_in_the_signature(thgeval, folders):
    result = json.loads(
        thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--protocol", "thg256", "-f", "json").out
    )
    assert result["shared"]["*prepared"].startswith("25fps|256px|")
    assert "protocol:thg256@1|" in result["shared"]["*made"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-m", "sim"], "no metric is called 'sim'"),
        (["--protocol", "thg"], "no protocol is called 'thg'; did you mean thg"),
        (["--workers", "0"], "at least one worker"),
        (["--device", "tpu"], "the device must be cpu, cuda or cuda:N, not 'tpu'"),
        (["--device", "cuda:99"], "the device cuda:99 can't be used: torch"),
        (["--cache", "always"], "cache must be one of off, read, read-write"),
        (["-o", "run.txt.gz"], "the suffix says what is written"),
        (["--limit", "0"], "limit must be at least 1"),
    ],
)
def test_wrong_requests_are_one_sentence_and_exit_2(thgeval, folders, arguments, said):
    answer = thgeval("score", folders.generated, folders.reference, *arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert said in answer.err
    assert len(answer.err.splitlines()) == 1


def test_a_metric_asked_for_by_name_that_cannot_be_scored_exits_3(thgeval, folders):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "fps", "psnr")
    assert answer.code == 3
    assert "not scored: fps: fps needs timing" in answer.out


def test_speed_comes_from_timing_records(thgeval, folders):
    record = {"frames": 10, "seconds": 0.5, "device": "cpu", "dtype": "float32", "batch": 1, "resolution": "64x64"}
    for name in ("a", "b", "c"):
        (folders.generated / f"{name}.timing.json").write_text(json.dumps(record))
    result = json.loads(thgeval("score", folders.generated, folders.reference, "-m", "fps", "-f", "json").out)
    assert result["scores"]["fps"]["value"] == pytest.approx(20.0)
    assert result["scores"]["fps"]["signature"].endswith("|under:cpu,float32,batch1,64x64,model")
    (folders.generated / "c.timing.json").write_text(json.dumps(record | {"device": "NVIDIA A100"}))
    answer = thgeval("score", folders.generated, folders.reference, "-m", "fps", "-f", "json")
    score = json.loads(answer.out)["scores"]["fps"]
    assert answer.code == 3  # asked for by name, and no number came of it
    assert score["value"] is None
    assert score["unscored"].startswith("the clips were taken under different conditions: NVIDIA-A100")


def test_a_timed_command_leaves_a_record(thgeval, folders, tmp_path):
    target = tmp_path / "made.mp4"
    copy = f"import shutil; shutil.copy({str(folders.reference / 'a.mp4')!r}, {str(target)!r})"
    answer = thgeval("time", "--clip", target, "--device", "cpu", "--", sys.executable, "-c", copy)
    assert answer.code == 0, answer.err
    record = json.loads((tmp_path / "made.timing.json").read_text())
    assert record["frames"] == 10
    assert record["resolution"] == "64x64"
    failing = thgeval("time", "--clip", target, "--device", "cpu", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert failing.code == 2
    assert "ended with exit code 3" in failing.err


def test_moved_clips_are_measured_once_with_the_cache(thgeval, folders, tmp_path, monkeypatch):
    monkeypatch.setenv("THGEVAL_HOME", str(tmp_path / "home"))
    arguments = ("-m", "psnr", "-f", "json", "--cache", "read-write")
    first = thgeval("score", folders.generated, folders.reference, *arguments)
    folders.generated.rename(tmp_path / "moved")
    monkeypatch.setattr("thgeval.engine.job.measured", None)
    again = thgeval("score", tmp_path / "moved", folders.reference, *arguments)
    assert json.loads(again.out)["scores"] == json.loads(first.out)["scores"]


def test_write_clip_is_what_the_tests_think(tmp_path):
    from thgeval import Clip
    from thgeval.media import decode

    with decode(Clip("x", write_clip(tmp_path / "x.mp4", moving())), chunk=64) as decoder:
        (batch,) = decoder
    assert batch.pixels.shape == (10, 64, 64, 3)
    assert np.abs(batch.pixels.astype(int) - moving()).mean() < 6


@pytest.fixture
def sets(tmp_path):
    """Four generated clips, two real ones, of other names, lengths and sizes."""
    pytest.importorskip("torch")
    for side, names, size in (("fake", "abcd", 48), ("real", "ax", 64)):
        (tmp_path / side).mkdir()
        for seed, name in enumerate(names):
            write_clip(tmp_path / side / f"{name}.mp4", moving(8 + 2 * seed, size, seed, noise=4.0))
    return tmp_path / "fake", tmp_path / "real"


def test_folders_as_sets(thgeval, sets, tmp_path):
    out = tmp_path / "run.json"
    answer = thgeval("score", *sets, "--unpaired", "-m", "fid-random:side_px=32", "f-mse", "-o", out, "--per-frame")
    assert answer.code == 0, answer.err
    lines = {line.split()[0]: line for line in answer.out.splitlines() if "side_px=32 ↓" in line or "4/4" in line}
    assert "4/4 [2]" in lines["fid-random:side_px=32"]
    assert "[2] 2/2 reference clips" in answer.out
    assert {line.split(",")[0] for line in (tmp_path / "run.frames.csv").read_text().splitlines()[1:]} == {
        "generated/a", "generated/b", "generated/c", "generated/d", "reference/a", "reference/x",
    }  # fmt: skip
    limited = thgeval("score", *sets, "--unpaired", "-m", "fid-random:side_px=32", "--limit", "1", "--signatures")
    assert "||n:1/1|references:1/1|" in limited.out
    assert "!limit" in limited.out
    page = tmp_path / "report.html"
    assert thgeval("report", out, "-o", page).code == 0
    shown = page.read_text()
    assert "All 2 metrics were scored on all 6 clips." in shown
    assert "4 / 4, reference 2 / 2" in shown
    assert "folders compared as sets, without pairs" in shown


def test_a_broken_reference_clip_is_named_without_pairs(thgeval, sets):
    (sets[1] / "z.mp4").write_bytes(b"no video")
    answer = thgeval("score", *sets, "--unpaired", "-m", "fid-random:side_px=32")
    assert answer.code == 1
    assert "[1] left out: corrupt in reference: 1; 2/3 reference clips" in answer.out
    assert "thgeval: reference/z: " in answer.err
    assert "thgeval: 1 of 7 clips failed; --allow-missing accepts that" in answer.err


def test_sets_are_offered_where_only_sets_are_asked_for(thgeval, sets):
    offer = "thgeval: these metrics compare sets: --unpaired (in Python, unpaired=True) takes the folders as they are"
    answer = thgeval("score", *sets, "-m", "fid-random:side_px=32", "-q")
    assert (answer.code, offer in answer.err) == (1, True)
    assert offer not in thgeval("score", *sets, "-m", "fid-random:side_px=32", "psnr").err
    assert offer not in thgeval("score", *sets, "-m", "fid-random:side_px=32", "--unpaired").err


def test_what_can_t_go_without_pairs_is_said(thgeval, sets, tmp_path):
    assert "as psnr, l1, ssim, ms-ssim, " in thgeval("score", *sets, "--unpaired").err
    listed = thgeval("score", "--list", tmp_path / "list.txt", "--unpaired", "-m", "fid-random")
    assert (listed.code, "--list names pairs" in listed.err) == (2, True)
    alone = thgeval("score", sets[0], "--unpaired", "-m", "fid-random")
    assert (alone.code, "name the one of reference clips too" in alone.err) == (2, True)
