"""Runs that are killed at random moments and begun again, which all come to the bytes of an undisturbed one."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from attack.cases import video
from attack.runner import environment
from thgeval.results import Run

METRICS = ("psnr", "ssim", "cpbd", "f-mse", "ms-ssim")
CLIPS = 40


def killed(work: Path, kills: int, seed: int, clips: int = CLIPS) -> dict[str, Any]:
    """Kill a run at moments spread over its life, and begin it again until it ends by itself; as often as asked for."""
    for side, shift in (("pred", 2), ("gt", 1)):
        (work / side).mkdir()
        for number in range(clips):
            shutil.copyfile(video(".mp4", shift + 10 * (number % 4 + 1)), work / side / f"clip{number:03}.mp4")
    began = time.monotonic()
    if _run(work, "whole", None) != 0:
        raise AssertionError("the undisturbed run failed")
    whole, life_s = Run.read(work / "whole.json").canonical, time.monotonic() - began
    chance, done, findings, kept = random.Random(seed), 0, [], []
    while done < kills:
        for place in (work / "run.json", work / "run.states"):
            shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
        for _ in range(chance.choice((1, 1, 2, 3))):
            ended = _run(work, "run", chance.uniform(0.02, 1.0) * life_s)
            done += ended == -signal.SIGKILL
            kept.append(len(list(work.glob("run.states/*.npz"))))
        if (ended := _run(work, "run", None)) != 0:
            findings.append(f"resumed after a kill, the run ended with {ended}")
        elif Run.read(work / "run.json").canonical != whole:
            findings.append("resumed after a kill, the result is another")
        left = [place.name for place in work.glob("run.states/.*npz*")]
        if left:
            findings.append(f"left behind: {left}")
    return {"tried": done, "clips kept at a kill": [int(np.min(kept)), int(np.max(kept))], "findings": findings}


def _run(work: Path, name: str, after_s: float | None) -> int:
    """A run, killed after some seconds if it still goes on then; its exit code."""
    arguments = [argument for metric in METRICS for argument in ("-m", metric)]
    command = [sys.executable, "-m", "thgeval.cli.main", "score", "pred", "gt", *arguments, "-q", "--allow-missing"]
    process = subprocess.Popen(
        [*command, "-o", f"{name}.json"],
        cwd=work,
        env=environment(work),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    return 0 if process.returncode == 3 else process.returncode  # ms-ssim wants larger clips: its failures are kept too
