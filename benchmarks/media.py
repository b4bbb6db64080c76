"""Reading a 512-px H.264 clip beside PyAV's own conversion and the ffmpeg program: ``python benchmarks/media.py``.

Every round does each job once, one after the other, so that a busy machine slows all of them alike; figures are medians
over rounds, of the time that passed and of the time that processors worked, which other programs don't lengthen much.
Threads are the decoder's; PyAV's default and ffmpeg's use as many as there are cores.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np
from skimage.data import astronaut

from thgeval.clip import Clip
from thgeval.media import decode, write_video
from thgeval.media.picture import RgbWriter

SIDE_PX = 512
FRAMES = 150
ROUNDS = 9


def measurements(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """One row a job: ``what``, whether its frames end as RGB, and milliseconds a frame, passed and worked."""
    with tempfile.TemporaryDirectory() as folder:
        clips = [Path(folder) / f"crf{crf}.mp4" for crf in (18, 23)]
        for path, crf in zip(clips, (18, 23), strict=True):
            write_video(path, moving_head(), fps=Fraction(25), crf=crf)
        jobs = _jobs(*clips)
        passed: dict[str, list[float]] = {what: [] for what in jobs}
        worked: dict[str, list[float]] = {what: [] for what in jobs}
        for round_ in range(rounds + 1):
            for what, (job, _) in jobs.items():
                began, work = time.perf_counter(), _work_s()
                job()
                if round_:  # the first one compiles
                    passed[what].append(time.perf_counter() - began)
                    worked[what].append(_work_s() - work)
    return [
        {
            "what": what,
            "rgb": rgb,
            "ms_per_frame": median(passed[what]) / FRAMES * 1000,
            "cpu_ms_per_frame": median(worked[what]) / FRAMES * 1000,
        }
        for what, (_, rgb) in jobs.items()
    ]


def _work_s() -> float:
    """Seconds that processors have worked for this process and those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def moving_head() -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    """A portrait that sways and comes closer: (512, 512, 3) frames."""
    portrait = cv2.resize(astronaut(), (640, 640), interpolation=cv2.INTER_CUBIC)
    frames = []
    for index in range(FRAMES):
        sway = cv2.getRotationMatrix2D((320, 320), 8 * np.sin(index / 9), 1 + 0.05 * np.sin(index / 7))
        sway[:, 2] -= (640 - SIDE_PX) / 2
        frames.append(cv2.warpAffine(portrait, sway, (SIDE_PX, SIDE_PX), flags=cv2.INTER_CUBIC))
    return frames


def _jobs(path: Path, other: Path) -> dict[str, tuple[Callable[[], object], bool]]:
    frame = next(av.open(str(path)).decode(video=0))
    writer, out = RgbWriter(path.name), np.empty((SIDE_PX, SIDE_PX, 3), np.uint8)
    jobs: dict[str, tuple[Callable[[], object], bool]] = {
        "thgeval, 1 thread": (lambda: _ours(path, 1), True),
        "PyAV to_ndarray, 1 thread": (lambda: _pyav(path, 1), True),
        "PyAV decoding alone, 1 thread": (lambda: _pyav(path, 1, convert=False), False),
        "thgeval, 2 threads": (lambda: _ours(path, 2), True),
        "PyAV to_ndarray, 2 threads": (lambda: _pyav(path, 2), True),
        "PyAV to_ndarray, default threads": (lambda: _pyav(path, None), True),
        "conversion alone, thgeval": (lambda: [writer.write(frame, out) for _ in range(FRAMES)], True),
        "conversion alone, swscale": (lambda: [frame.to_ndarray(format="rgb24") for _ in range(FRAMES)], True),
    }
    if (program := shutil.which("ffmpeg")) is not None:
        quiet = [program, "-v", "error", "-i", str(path)]
        sink = ["-f", "null", "-"]
        rgb = [*quiet, "-pix_fmt", "rgb24", *sink]
        pair = [*quiet, "-i", str(other), "-lavfi", "ssim", *sink]
        jobs["ffmpeg to null, 1 thread"] = (lambda: _run([program, "-threads", "1", *quiet[1:], *sink]), False)
        jobs["ffmpeg to null, default threads"] = (lambda: _run([*quiet, *sink]), False)
        jobs["ffmpeg to rgb24, default threads"] = (lambda: _run(rgb), True)
        jobs["ffmpeg ssim of a pair, default threads"] = (lambda: _run(pair), False)
    return jobs


def _ours(path: Path, threads: int) -> None:
    with decode(Clip("clip", path), chunk=8, threads=threads) as batches:
        for _ in batches:
            pass


def _pyav(path: Path, threads: int | None, *, convert: bool = True) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if threads is not None:
            stream.codec_context.thread_count = threads
            stream.thread_type = "AUTO" if threads > 1 else "SLICE"  # type: ignore[assignment]
        for frame in container.decode(stream):
            if convert:
                frame.to_ndarray(format="rgb24")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    json.dump(measurements(), sys.stdout, indent=2)
