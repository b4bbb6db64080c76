"""What stderr shows while a run goes on: phases, a rate, the time left by frames, and nothing where that is asked."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.clips import moving, write_clip

from thgeval.cli import progress
from thgeval.cli.progress import COMPILING, Pace, duration, watching
from thgeval.clip import Clip, Pair
from thgeval.compilation import compiling, heard_by
from thgeval.engine.job import LOOKED_AT, Watcher, expected_frames
from thgeval.protocol import Protocol


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock)


def test_the_time_left_is_known_before_a_clip_is_done(pace, clock):
    pace.begins(4)
    assert pace.left_s is None
    pace.expects(4000)
    clock.now += 10
    pace.measures(500)
    assert pace.rate == pytest.approx(50)
    assert pace.left_s == pytest.approx(70)
    assert pace.share == pytest.approx(0.125)
    assert str(pace) == "0 of 4 clips, 50 frames/s, about 1 min left"


def test_clips_that_were_measured_before_take_no_time(pace, clock):
    pace.begins(4)
    pace.expects(4000)
    pace.skips(3000)
    for _ in range(3):
        pace.ends("known")
    clock.now += 10
    pace.measures(500)
    assert pace.left_s == pytest.approx(10)


def test_compiling_is_named_and_not_extrapolated(pace, clock):
    pace.begins(2)
    pace.expects(200)
    pace.compiles(True)
    clock.now += 50
    assert str(pace) == f"{COMPILING}: 0 of 2 clips"
    pace.compiles(False)
    clock.now += 10
    pace.measures(100)
    assert pace.rate == pytest.approx(10)
    assert pace.left_s == pytest.approx(10)
    assert pace.doing == "clips"


def test_without_frames_clips_tell_the_time(pace, clock):
    pace.begins(10)
    clock.now += 30
    pace.ends("a")
    assert pace.left_s == pytest.approx(270)
    assert str(pace) == "1 of 10 clips, about 4 min left"


def test_phases_have_names(pace):
    pace.begins(2)
    pace.ends("a")
    pace.ends("b")
    assert pace.share == 1
    pace.turns_to("intervals")
    assert str(pace) == "intervals"
    pace.turns_to("making crf 18")
    pace.begins(3)
    assert str(pace) == "making crf 18: 0 of 3 clips"


def test_clips_of_a_stream_become_more_and_are_not_forgotten(pace, clock):
    for count in (1, 2, 3):
        pace.begins(count)
    clock.now += 10
    pace.ends("a")
    pace.begins(4)
    assert str(pace) == "1 of 4 clips, about 30 s left"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "1 h 0 min"), (7800, "2 h 10 min")]
)
def test_durations_are_no_longer_than_needed(seconds, said):
    assert duration(seconds) == said


def test_a_log_has_a_line_every_so_often(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY_S", 0.02)
    with watching(quiet=False) as watcher:
        watcher.begins(3)
        watcher.clip("a")
        deadline = time.monotonic() + 20
        said = ""
        while "1 of 3 clips" not in said and time.monotonic() < deadline:
            time.sleep(0.02)
            said += capsys.readouterr().err
    assert re.search(r"^thgeval: 1 of 3 clips", said, re.MULTILINE)
    time.sleep(0.1)
    assert capsys.readouterr().err == "", "the thread has ended"


def test_quiet_is_silent_but_for_warnings(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY_S", 0.01)
    with watching(quiet=True) as watcher:
        watcher.begins(3)
        time.sleep(0.1)
        watcher.warns("mind this")
    assert capsys.readouterr().err == "thgeval: mind this\n"


def test_a_terminal_sees_clips_frames_and_phases(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr(progress, "REDRAWS_S", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with watching(quiet=False) as watcher:
        watcher.begins(2)
        watcher.expects(100)
        watcher.frames(50)
        time.sleep(0.4)
        watcher.phase("intervals")
        time.sleep(0.4)
    shown = capsys.readouterr().err
    assert "0/2" in shown
    assert "frames/s" in shown
    assert "intervals" in shown


def test_compiling_within_compiling_is_told_once():
    heard = []
    with heard_by(heard.append):
        compiling(begins=True)
        compiling(begins=True)
        compiling(begins=False)
        compiling(begins=False)
    compiling(begins=True)
    compiling(begins=False)
    assert heard == [True, False]


def test_kernels_that_are_compiled_are_told_and_those_on_disk_are_not(tmp_path):
    code = """
import numpy as np
from thgeval.compilation import heard_by
heard = []
with heard_by(heard.append):
    from thgeval.kernels.difference import cpu
    from thgeval.jit import jit
    @jit()
    def twice(x):
        return 2 * x
    assert twice(3) == 6
print(heard)
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": ":".join(sys.path)}
    outputs = [
        subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert outputs == ["[True, False]\n", "[]\n"]


def test_frames_are_expected_by_the_headers_of_some_clips(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mp4", moving(10))
    pairs = [Pair(str(at), Clip(str(at), path if at % 3 else Path("gone.mp4"))) for at in range(90)]
    assert expected_frames(pairs, Protocol()) == 900
    assert expected_frames(pairs[1:2], Protocol(fps=50)) == 20
    assert expected_frames(pairs[:1], Protocol()) == 0
    looked = []
    monkeypatch.setattr(
        "thgeval.engine.job.probe", lambda clip: looked.append(clip) or (_ for _ in ()).throw(OSError())
    )
    expected_frames(pairs * 100, Protocol())
    assert len(looked) == LOOKED_AT


def test_a_run_tells_its_watcher_what_it_does(folders):
    from thgeval.engine.run import evaluate

    seen = {"expected": [], "skipped": 0, "frames": 0, "phases": []}
    watcher = Watcher(
        expects=seen["expected"].append,
        frames=lambda frames: seen.update(frames=seen["frames"] + frames),
        skips=lambda frames: seen.update(skipped=seen["skipped"] + frames),
        phase=seen["phases"].append,
    )
    from thgeval.engine.options import Options

    options = Options(out=folders.generated.parent / "run.json")
    for _ in range(2):
        evaluate(folders.generated, folders.reference, metrics="psnr", watcher=watcher, options=options)
    assert seen == {"expected": [30, 30], "skipped": 30, "frames": 30, "phases": ["intervals", "intervals"]}
