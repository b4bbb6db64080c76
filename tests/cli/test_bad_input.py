"""Bad input: one sentence naming the clip and the reason, counted, a non-zero exit; the other clips are scored."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.clips import moving, write_clip

from thgeval.errors import OutputError


def scored(thgeval, folders, *more, metric="psnr"):
    answer = thgeval("score", folders.generated, folders.reference, "-m", metric, "-f", "json", *more)
    return answer, json.loads(answer.out)


def only_a_failed(answer, result, reason, said=""):
    """Clip a failed for that reason; b and c were scored as if it had never been there."""
    assert answer.code == 1
    failures = {clip["id"]: clip["failure"] for clip in result["clips"] if clip["failure"]}
    assert set(failures) == {"a"}
    assert failures["a"]["reason"] == reason, failures
    assert said in failures["a"]["message"]
    told = answer.err.replace("/pred", "/generated").replace("/gt", "/reference")  # files name no folder of a machine
    assert failures["a"]["message"] in told
    score = result["scores"]["psnr"]
    assert score["clips"] == 2
    assert score["left_out"] == {reason: 1}
    assert "||n:2/3|" in score["signature"]
    values = [clip["scores"]["psnr"] for clip in result["clips"] if clip["id"] != "a"]
    assert score["value"] == pytest.approx(np.mean(values), rel=1e-14)


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def corrupt(path):
    data = bytearray(path.read_bytes())
    start = data.find(b"mdat") + (len(data) - data.find(b"mdat")) // 2
    data[start : start + 400] = bytes(255 - byte for byte in data[start : start + 400])
    path.write_bytes(bytes(data))


def audio_only(path):
    import av

    path.unlink()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("this is not a video")


def directory(path):
    path.unlink()
    path.mkdir()


def missing(path):
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "reasons"),
    [
        (truncate, {"unreadable", "corrupt", "truncated"}),
        (corrupt, {"corrupt"}),
        (audio_only, {"no video"}),
        (empty, {"unreadable", "corrupt", "no frames", "no video"}),
        (text, {"unreadable", "corrupt", "no video"}),
        (directory, {"no frames", "unreadable"}),
    ],
)
@pytest.mark.parametrize("side", ["generated", "reference"])
def test_damaged_files(thgeval, folders, damage, reasons, side):
    damage(getattr(folders, side) / "a.mp4")
    answer, result = scored(thgeval, folders)
    (reason,) = {clip["failure"]["reason"] for clip in result["clips"] if clip["failure"]} or {"none"}
    assert reason in reasons
    only_a_failed(answer, result, reason, "a.mp4")


@pytest.mark.parametrize(("side", "reason"), [("generated", "missing clip"), ("reference", "missing reference")])
def test_a_missing_partner(thgeval, folders, side, reason):
    (getattr(folders, side) / "a.mp4").unlink()
    only_a_failed(*scored(thgeval, folders), reason, "has no clip called a")


def test_missing_clips_can_be_accepted_visibly(thgeval, folders):
    (folders.generated / "a.mp4").unlink()
    answer, result = scored(thgeval, folders, "--allow-missing")
    assert answer.code == 0
    assert "||n:2/3|" in result["scores"]["psnr"]["signature"]


def test_duplicate_stems(thgeval, folders):
    write_clip(folders.generated / "a.mkv", moving())
    only_a_failed(*scored(thgeval, folders), "duplicate stem", "a.mkv, a.mp4")


def test_other_lengths(thgeval, folders):
    write_clip(folders.generated / "a.mp4", moving(frames=8, noise=6))
    only_a_failed(*scored(thgeval, folders), "length differs", "8 generated frames and 10 reference frames")
    answer, result = scored(thgeval, folders, "--protocol", "lenient")
    assert answer.code == 0
    assert result["clips"][0]["notes"] == [
        "a has 8 generated frames and 10 reference frames; the first 8 were compared"
    ]
    assert "note: a has 8 generated frames" in answer.err


def test_other_rates(thgeval, folders):
    write_clip(folders.generated / "a.mp4", moving(noise=6), fps=30)
    only_a_failed(*scored(thgeval, folders), "frame rate differs", "30.000 frames per second")


@pytest.mark.parametrize("size", [96, 512])
def test_other_sizes(thgeval, folders, size):
    write_clip(folders.generated / "a.mp4", moving(size=size, noise=6))
    only_a_failed(*scored(thgeval, folders), "size differs", f"{size}x{size} px and its reference 64x64")
    answer, result = scored(thgeval, folders, "--protocol", "lenient")
    assert answer.code == 0
    assert "the first" not in answer.err
    assert result["scores"]["psnr"]["clips"] == 3
    assert result["scores"]["psnr"]["frames"] == 30


def test_unreadable_files(thgeval, folders, monkeypatch):
    """Tests run as root, whom no permission stops: the error is injected."""
    import av

    opened = av.open

    def refusing(file, *args, **kwargs):
        if str(file).endswith(f"pred{os.sep}a.mp4"):
            raise PermissionError(13, "Permission denied", str(file))
        return opened(file, *args, **kwargs)

    monkeypatch.setattr(av, "open", refusing)
    only_a_failed(*scored(thgeval, folders), "unreadable", "Permission denied")


def test_what_needs_no_reference_is_scored_without_one(thgeval, folders):
    (folders.reference / "a.mp4").unlink()
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "cpbd", "-f", "json")
    scores = json.loads(answer.out)["scores"]
    assert answer.code == 1
    assert (scores["psnr"]["clips"], scores["cpbd"]["clips"]) == (2, 3)


def test_frames_too_small_fail_the_metric_not_the_clip(thgeval, folders):
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "ms-ssim", "-f", "json")
    result = json.loads(answer.out)
    assert result["scores"]["psnr"]["clips"] == 3
    assert result["scores"]["ms-ssim"]["unscored"] == "no clip could be scored: too small (3)"
    assert all(clip["failure"] is None for clip in result["clips"])
    assert answer.code == 3
    assert thgeval("score", folders.generated, folders.reference, "-f", "json").code == 0


@pytest.mark.parametrize(
    "name", ["with space", "new\nline", "ünïcode 头", "-rf", "<script>alert(1)</script>", "a'\"b", "%s{0}"]
)
def test_odd_names(thgeval, folders, name, tmp_path):
    for folder in (folders.generated, folders.reference):
        safe = name.replace("/", "_")
        (folder / "a.mp4").rename(folder / f"{safe}.mp4")
    answer, result = scored(thgeval, folders, "-o", tmp_path / "run.json")
    assert answer.code == 0
    assert name.replace("/", "_") in [clip["id"] for clip in result["clips"]]


def test_undecodable_names(thgeval, folders):
    for folder in (folders.generated, folders.reference):
        (folder / "a.mp4").rename(folder / "\udcff.mp4")
    answer, result = scored(thgeval, folders)
    assert answer.code == 0
    assert "\udcff" in [clip["id"] for clip in result["clips"]]


def test_empty_folders(thgeval, tmp_path):
    for name in ("pred", "gt"):
        (tmp_path / name).mkdir()
    answer = thgeval("score", tmp_path / "pred", tmp_path / "gt")
    assert answer.code == 2
    assert "there is no clip in" in answer.err


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (np.full((3, 8, 8, 3), np.nan, np.float32), "not finite"),
        (np.full((3, 8, 8, 3), 7.0, np.float32), "out of range"),
        (np.zeros((3, 8, 8, 2), np.uint8), "wrong shape"),
        (np.zeros((0, 8, 8, 3), np.uint8), "no frames"),
        (np.zeros((3, 8, 8, 3), np.int32), "wrong type"),
    ],
)
def test_bad_arrays(frames, reason):
    import thgeval as library

    good = np.zeros((3, 8, 8, 3), np.uint8)
    with pytest.raises(library.InputError) as caught:
        library.score(frames, good, metrics=["psnr"], peak=1.0)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("reference", "reason"),
    [(np.zeros((3, 8, 8, 3), np.float32), "type differs"), (np.zeros((3, 8, 9, 3), np.uint8), "size differs")],
)
def test_arrays_that_do_not_fit_each_other(reference, reason):
    import thgeval as library

    with pytest.raises(library.InputError) as caught:
        library.score(np.zeros((3, 8, 8, 3), np.uint8), reference, metrics=["psnr"], peak=255)
    assert caught.value.reason == reason


@pytest.mark.parametrize("size", [1, 4097])
def test_extreme_sizes(tmp_path, size):
    import thgeval as library

    shape = (2, size, 3, 3) if size > 1 else (2, 1, 1, 3)
    generated, reference = np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)
    run = library.score(generated, reference, metrics=["psnr", "l1", "f-mse", "ssim"])
    assert run["psnr"].value == 0.0
    assert run["l1"].value == 1.0
    assert run["ssim"].unscored == "no clip could be scored: too small (1)"


def test_a_full_disk_keeps_the_old_result_and_shows_the_scores(thgeval, folders, tmp_path, monkeypatch):
    out = tmp_path / "run.json"
    out.write_text("old")

    def full(path, content):
        raise OutputError(f"{path} can't be written: No space left on device")

    monkeypatch.setattr("thgeval.results.write_atomically", full)
    monkeypatch.setattr("thgeval.states.checkpoint.write_atomically", full)
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr", "-o", out, "--fresh")
    assert answer.code == 4
    assert "psnr" in answer.out
    assert "this run can't be resumed from clip a" in answer.err
    assert "run.json can't be written: No space left on device" in answer.err
    assert out.read_text() == "old"


ROWS = "fid-random:side_px=32"  # keeps feature rows, which stay in the states folder until they are scored

SLOW = """
import signal, sys, time
from pathlib import Path
import thgeval.engine.measure as measure
signal.signal(signal.SIGINT, signal.default_int_handler)  # which whoever started the tests may have switched off
real, folder = measure._chunk, Path(sys.argv[-1]).parent
def slow(*arguments):
    time.sleep(2 if list(folder.glob("run.states/*.npz")) else 0)
    return real(*arguments)
measure._chunk = slow
from thgeval.cli.main import main
main(sys.argv[1:])
"""


def interrupted(folders: Path, out: Path, number: int, metric: str) -> subprocess.CompletedProcess:
    """Score, slowly from the first clip kept on, where the signal comes: a busy machine has time to send it."""
    command = [sys.executable, "-c", SLOW, "score", folders.generated, folders.reference]
    command += ["-m", metric, "--workers", "1", "-o", out]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(out.parent.glob("run.states/*.npz")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


@pytest.mark.parametrize(
    ("number", "code", "metric"),
    [(signal.SIGINT, 130, "psnr"), (signal.SIGKILL, -signal.SIGKILL, "psnr"), (signal.SIGKILL, -signal.SIGKILL, ROWS)],
)
@pytest.mark.usefixtures("seen_once")
def test_an_interrupted_run_resumes(thgeval, folders, tmp_path, monkeypatch, number, code, metric):
    if metric == ROWS:
        pytest.importorskip("torch")
    for name in "defgh":
        write_clip(folders.generated / f"{name}.mp4", moving(seed=ord(name), noise=6))
        write_clip(folders.reference / f"{name}.mp4", moving(seed=ord(name)))
    out = tmp_path / "run.json"
    ended = interrupted(folders, out, number, metric)
    assert ended.returncode == code, ended.stderr
    assert not out.exists()
    kept = len(list(tmp_path.glob("run.states/*.npz")))
    assert 1 <= kept < 8
    if number == signal.SIGINT:
        assert f"interrupted: {kept} of 8 clips are kept in" in ended.stderr.decode()
    scored(thgeval, folders, "-o", tmp_path / "whole.json", metric=metric)
    from thgeval import Run
    from thgeval.engine import job

    measured, real = [], job.measured

    def counting(pair, *rest):
        measured.append(pair.id)
        return real(pair, *rest)

    monkeypatch.setattr(job, "measured", counting)
    answer, _ = scored(thgeval, folders, "-o", out, metric=metric)
    assert answer.code == 0
    assert len(measured) == 8 - kept
    assert Run.read(out).canonical == Run.read(tmp_path / "whole.json").canonical


def test_a_changed_clip_is_measured_again(thgeval, folders, tmp_path):
    out = tmp_path / "run.json"
    scored(thgeval, folders, "-o", out)
    write_clip(folders.generated / "a.mp4", moving(seed=0, noise=20))
    scored(thgeval, folders, "-o", out)
    scored(thgeval, folders, "-o", tmp_path / "fresh.json")
    from thgeval import Run

    assert Run.read(out).canonical == Run.read(tmp_path / "fresh.json").canonical


def test_grey_and_transparent_images(thgeval, tmp_path):
    from PIL import Image

    for side in ("pred", "gt"):
        for clip, mode, value in (
            ("grey", "L", 90),
            ("opaque", "RGBA", (9, 9, 9, 255)),
            ("clear", "RGBA", (9, 9, 9, 128)),
        ):
            folder = tmp_path / side / clip
            folder.mkdir(parents=True)
            for number in range(3):
                Image.new(mode, (16, 16), value).save(folder / f"{number:03}.png")
    answer = thgeval("score", tmp_path / "pred", tmp_path / "gt", "-m", "l1", "-f", "json")
    result = json.loads(answer.out)
    assert answer.code == 1
    assert {clip["id"]: (clip["failure"] or {}).get("reason") for clip in result["clips"]} == {
        "clear": "transparent",
        "grey": None,
        "opaque": None,
    }


def renamed(folder, name):
    for path in sorted(folder.iterdir()):
        target = folder / name.format(path.stem)
        target.parent.mkdir(exist_ok=True)
        path.rename(target)


@pytest.mark.parametrize(
    ("name", "said", "options"),
    [
        ("{}_pred.mp4", "3 names differ by the suffix _pred", ("--pred-suffix", "_pred")),
        ("{}##WDA.mp4", "3 names differ by the suffix ##WDA", ("--pred-suffix", "##WDA")),
        ("gen {}.mp4", "3 names differ by what stands around the id", ("--match", "^gen (.+)")),
    ],
)
def test_names_that_differ_are_told_the_option_that_pairs_them(thgeval, folders, name, said, options):
    renamed(folders.generated, name)
    answer, result = scored(thgeval, folders)
    assert answer.code == 1
    assert sum(said in line for line in answer.err.splitlines()) == 1
    assert f": {shlex.join(options)} (in Python, naming=Naming(" in answer.err
    assert "6 of 6 clips failed; nothing could be scored" in answer.err
    assert "--allow-missing" not in answer.err
    again, result = scored(thgeval, folders, *options)
    assert (again.code, again.err) == (0, "")
    assert [clip["id"] for clip in result["clips"]] == ["a", "b", "c"]


def test_names_in_another_case_and_in_subfolders(thgeval, folders):
    renamed(folders.generated, "ID_{0}/CLIP.MP4")
    renamed(folders.reference, "id_{0}/clip.mp4")
    answer = thgeval("score", folders.generated, folders.reference, "-m", "psnr")
    assert (answer.code, answer.out) == (2, "")
    assert "but 3 names differ by case and lie in subfolders: --ignore-case --recursive" in answer.err
    again, result = scored(thgeval, folders, "--ignore-case", "--recursive")
    assert (again.code, again.err) == (0, "")
    assert [clip["id"] for clip in result["clips"]] == ["id_a/clip", "id_b/clip", "id_c/clip"]


@pytest.mark.parametrize("option", [("--pred-suffix", "_p"), ("--match", "(a)"), ("--ignore-case",), ("--recursive",)])
def test_lists_pair_as_they_say(thgeval, tmp_path, option):
    answer = thgeval("score", "--list", tmp_path / "pairs.tsv", *option)
    assert answer.code == 2
    assert f"--list names the files of each pair, so {shlex.join(option)} can't change how they pair" in answer.err


def test_python_is_warned_of_names_that_differ(folders):
    import thgeval as library

    renamed(folders.generated, "{}_pred.mp4")
    with pytest.warns(UserWarning, match=r"3 names differ by the suffix _pred: .*naming=Naming\(pred_suffix='_pred'\)"):
        library.evaluate(folders.generated, folders.reference, metrics=["psnr"])
    run = library.evaluate(
        folders.generated, folders.reference, metrics=["psnr"], naming=library.Naming(pred_suffix="_pred")
    )
    assert (run["psnr"].clips, run.failures) == (3, ())
    with pytest.raises(library.ProtocolError, match=r"naming must be a thgeval.Naming\(...\), not str"):
        library.evaluate(folders.generated, folders.reference, naming="_pred")
