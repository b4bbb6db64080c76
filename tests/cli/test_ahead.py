"""A process compiles kernels beside a first run, once, only where something is compiled, and ends with the run."""

import subprocess
import sys

import numpy as np
import pytest

from thgeval import compilation
from thgeval.cli import ahead
from thgeval.clip import Clip
from thgeval.engine.run import evaluate
from thgeval.media import decode
from thgeval.media.encode import write_video
from thgeval.registry import metric

REQUESTS = ("psnr", "ssim", "fid-random", "sync-envelope", "f-mse")


class Process:
    """Stands for the process, and remembers what was done with it."""

    def __init__(self, command, **streams):
        self.command, self.done = command, []

    def kill(self):
        self.done.append("killed")

    def wait(self):
        self.done.append("waited for")


@pytest.fixture
def started(monkeypatch):
    found = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **streams: found.append(Process(*args)) or found[-1])
    return found


def run(cores, requests, *, compiles):
    with ahead.compiled_ahead(cores) as told:
        told.plans([metric(request) for request in requests])
        for begins in (True, False) * compiles:
            compilation.compiling(begins=begins)


def test_the_first_loop_that_is_compiled_starts_it_with_the_pixel_metrics_from_the_last(started):
    run(2, REQUESTS, compiles=3)
    (process,) = started
    assert process.command == [sys.executable, "-P", "-m", "thgeval.cli.ahead", "f-mse", "ssim", "psnr"]
    assert process.done == ["killed", "waited for"]


@pytest.mark.parametrize(
    ("cores", "requests", "compiles"), [(1, REQUESTS, 1), (2, REQUESTS, 0), (2, ("psnr", "sync-envelope"), 1)]
)
def test_nothing_is_started_in_vain(started, cores, requests, compiles):
    run(cores, requests, compiles=compiles)
    assert not started


def test_a_system_that_starts_no_process_is_no_failure(monkeypatch):
    def refused(*args, **streams):
        raise PermissionError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refused)
    run(2, REQUESTS, compiles=2)


def test_it_passes_over_what_it_can_not_score():
    ahead.main(["psnr", "lpips", "nothing"])


def test_what_it_compiles_is_what_a_run_reads(tmp_path):
    """Made frames are of the type of those that are decoded: else the run would compile all of it again."""
    frames = np.random.default_rng(1).integers(0, 256, (2, 64, 64, 3), np.uint8)
    sides = tmp_path / "generated", tmp_path / "reference"
    for side in sides:
        side.mkdir()
        write_video(side / "clip.mp4", frames, fps=25)
        list(decode(Clip("clip", side / "clip.mp4"), chunk=8))
    ahead.main(["psnr", "f-mse"])
    heard = []
    with compilation.heard_by(heard.append):
        run = evaluate(*sides, metrics=["psnr", "f-mse"])
    assert run["f-mse"].value is not None
    assert heard == []
