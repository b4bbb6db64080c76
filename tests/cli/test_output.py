"""What a run writes, where, and what it says: nothing is lost to a full disk, a closed pipe or a name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.clips import moving, write_clip

import thgeval as library
from thgeval.cli.showing import fitted
from thgeval.engine import workers
from thgeval.files.locking import locked
from thgeval.metrics.pixels.psnr import PSNR
from thgeval.printable import printable


def test_each_output_follows_its_suffix(thgeval, folders, tmp_path):
    outputs = [
        option for suffix in ("json", "csv", "tex", "md", "txt") for option in ("-o", tmp_path / f"run.{suffix}")
    ]
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", *outputs)
    assert answer.code == 0, answer.err
    assert json.loads((tmp_path / "run.json").read_text())["expected"] == 3
    assert (tmp_path / "run.csv").read_text().startswith("metric,direction,score")
    assert (tmp_path / "run.txt").read_text() == answer.out
    assert "tabular" in (tmp_path / "run.tex").read_text()
    assert (tmp_path / "run.md").read_text().startswith("| metric")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["run.xlsx"], "run.xlsx: the suffix says what is written: .json the result, .csv the scores"),
        (["run"], "the suffix says what is written"),
        (["a.json", "b.json"], "a run has one result file, not 2"),
    ],
)
def test_outputs_of_other_kinds_are_refused_before_anything_is_measured(thgeval, folders, tmp_path, names, said):
    outputs = [option for name in names for option in ("-o", tmp_path / name)]
    answer = thgeval("score", folders.generated, folders.reference, *outputs)
    assert answer.code == 2
    assert said in answer.err
    assert list(tmp_path.glob("*.states")) == []


def test_devices_and_pipes_are_no_output(thgeval, folders, tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "null.json").symlink_to("/dev/null")
    for name in ("pipe.json", "null.json"):
        answer = thgeval("score", folders.generated, folders.reference, "-o", tmp_path / name)
        assert answer.code == 4
        assert "it is a device, a pipe or the like, not a file" in answer.err
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("reader", ["head -c 1", "full"])
def test_the_result_is_written_whatever_becomes_of_stdout(folders, tmp_path, reader):
    command = [sys.executable, "-m", "thgeval.cli.main", "score", folders.generated, folders.reference]
    command += ["-m", "psnr", "-q", "-o", tmp_path / "run.json"]
    if reader == "full":
        with Path("/dev/full").open("w") as full:
            ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
        assert (ended.returncode, ended.stderr) == (4, "thgeval: stdout can't be written: the disk is full\n")
    else:
        reading, writing = os.pipe()
        os.close(reading)
        ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120)
        os.close(writing)
        assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads((tmp_path / "run.json").read_text())["scores"]["psnr"]["clips"] == 3


def test_one_run_at_a_time_writes_a_result(thgeval, folders, tmp_path):
    with locked(tmp_path / "run.states" / ".lock", held="held"):
        answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-o", tmp_path / "run.json")
    assert answer.code == 4
    assert "another run is writing" in answer.err
    assert not (tmp_path / "run.json").exists()
    assert thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-o", tmp_path / "run.json").code == 0


def test_unfinished_states_of_killed_runs_are_removed(thgeval, folders, tmp_path):
    left = tmp_path / "run.states" / ".a-ca978112ca1bbdca.npz.x7f3"
    left.parent.mkdir()
    left.write_bytes(b"half")
    assert thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-o", tmp_path / "run.json").code == 0
    assert not left.exists()


def test_names_cannot_act_on_a_terminal(thgeval, folders):
    forged = "x\nthgeval: 0 of 4 clips failed\x1b]0;title\x07\u202egnp"
    (folders.generated / f"{forged}.mp4").write_bytes(b"no video")
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr")
    assert answer.code == 1
    assert "\nthgeval: 0 of 4" not in answer.err
    assert not set(answer.err + answer.out) & set("\x1b\x07\u202e")
    assert "x\\nthgeval: 0 of 4 clips failed\\x1b]0;title\\x07\\u202egnp" in answer.err


def test_visible_leaves_words_of_all_scripts_alone():
    for text in ("ünï 名前 клип", "می\u200cخواهم", "a b"):
        assert printable(text) == text


def test_consoles_without_arrows_get_ascii():
    assert fitted("psnr ↑ f-mse ≈ 1 … 2", "cp1252") == "psnr ^ f-mse ~ 1 ... 2"
    assert fitted("psnr ↑", "utf-8") == "psnr ↑"
    assert fitted("Bińkowski − 3 µm ≤ 中", "ascii") == "Binkowski - 3 um <= 中"


@pytest.mark.parametrize(("variable", "coloured"), [("1", False), ("", True), (None, True)])
def test_no_color_takes_colours_away(thgeval, monkeypatch, variable, coloured):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if variable is not None:
        monkeypatch.setenv("NO_COLOR", variable)
    assert ("\x1b[1m" in thgeval("baseline", "list").out) is coloured


def test_plain_ascii_holds_a_whole_table(folders):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [
        sys.executable,
        "-m",
        "thgeval.cli.main",
        "score",
        folders.generated,
        folders.reference,
        "-m",
        "psnr,f-mse",
    ]
    shown = subprocess.run([*command, "-q"], env=environment, capture_output=True, check=True).stdout.decode("ascii")
    assert "psnr ^" in shown
    assert "f-mse ~" in shown
    assert "\\u" not in shown


def test_what_nobody_foresaw_costs_one_metric_one_clip(thgeval, folders, monkeypatch):
    real = PSNR.measure

    def measure(self, view):
        if view.clip == "b":
            raise ZeroDivisionError("division by zero")
        return real(self, view)

    monkeypatch.setattr(PSNR, "measure", measure)
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "l1")
    assert answer.code == 1
    assert "b: failed inside thgeval (ZeroDivisionError: division by zero); please report this" in answer.err
    run = library.evaluate(folders.generated, folders.reference, metrics=["psnr", "l1"])
    assert run["psnr"].left_out == {"failed inside thgeval": 1}
    assert (run["psnr"].clips, run["l1"].clips) == (2, 3)


def test_what_nobody_foresaw_while_reading_costs_one_clip(thgeval, folders, monkeypatch):
    from thgeval.engine import measure

    real = measure.probe
    monkeypatch.setattr(measure, "probe", lambda clip: 1 / 0 if clip.id == "b" else real(clip))
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr")
    assert answer.code == 1
    assert "b: failed inside thgeval (ZeroDivisionError: division by zero)" in answer.err
    assert "2/3" in answer.out


def test_a_full_disk_is_no_clips_fault(thgeval, folders, monkeypatch):
    def full(self, view):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PSNR, "measure", full)
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--allow-missing")
    assert answer.code == 4
    assert answer.err == "thgeval: the disk is full; what was measured so far is kept\n"


@pytest.mark.parametrize("text", ['{"frames": Infinity}', '{"frames": 1' + "0" * 400 + "}", "[" * 100_000])
def test_hostile_timing_records_cost_their_metric_alone(thgeval, folders, text):
    (folders.generated / "a.timing.json").write_text(text)
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "fps")
    assert "3/3" in answer.out
    assert "a.timing.json can't be used" in answer.err


def test_systems_that_do_not_tell_which_cores_are_free(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert workers.available() == os.cpu_count()
    assert library.Options().cores == os.cpu_count()


def test_the_common_mismatches_have_a_way_through_that_the_message_prints(thgeval, folders):
    write_clip(folders.generated / "a.mp4", moving(seed=0, noise=6)[:8])
    write_clip(folders.generated / "b.mp4", moving(seed=1, noise=6, size=48))
    write_clip(folders.generated / "c.mp4", moving(seed=2, noise=6), fps=30)
    strict = thgeval("score", folders.generated, folders.reference, "-m", "psnr")
    assert strict.code in (1, 3)
    for way in ("--lengths truncate", "--size PX", "--fps 25"):
        assert f"choose {way}" in strict.err
    way = ["--fps", "25", "--size", "64", "--lengths", "truncate"]
    through = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--signatures", *way)
    assert through.code == 0, through.err
    assert "|25fps|64px|crop:none|lengths:truncate|" in through.out
    assert "protocol:native@1!" in through.out


def test_lenient_says_what_it_resized_and_paired_by_number(thgeval, folders):
    write_clip(folders.generated / "b.mp4", moving(seed=1, noise=6, size=48))
    write_clip(folders.generated / "c.mp4", moving(seed=2, noise=6), fps=30)
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "--protocol", "lenient")
    assert answer.code == 0
    assert answer.err.count("b was resized from 48x48 px to its reference's 64x64 px") == 1
    assert "c has 30.000 frames per second and its reference 25.000; they were paired by index" in answer.err


def test_many_failures_of_one_kind_are_told_once(thgeval, folders):
    for number in range(40):  # clips that nobody generated
        np.save(folders.reference / f"r{number}.npy", moving(frames=1))
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr")
    assert answer.code == 1
    assert answer.err.count("has no clip called") == 5
    assert "... and 35 more of the kind 'missing clip'" in answer.err
