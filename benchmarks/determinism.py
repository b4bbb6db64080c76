"""Whether a reference generator makes the same frames again: on one thread twice, and on two threads.

    python benchmarks/run.py determinism
    THGEVAL_GENERATORS=ref-2d python benchmarks/run.py determinism      # this alone; other rows stay

Each run is a process of its own, as the runner starts it, and fits anew where the generator fits: ``steps`` are those
of a fit by steps, cut short where the whole would take minutes. What is compared are the decoded frames of the video
that comes out. ``threads`` are those of torch, of the linear algebra, of Numba and of OpenCV; frames that don't depend
on each other are drawn on every core anyway.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from thgeval.clip import Clip
from thgeval.media import decode
from thgeval_baselines.catalogue import builtin
from thgeval_baselines.generator import Inputs
from thgeval_baselines.generators.diffusion import Diffusion
from thgeval_baselines.generators.nerf import Nerf
from thgeval_baselines.running.worker import VIDEO, job, loaded
from thgeval_baselines.sets.clips import head, take, write_take
from thgeval_baselines.sets.said import write_sound
from thgeval_baselines.sets.synth3d import make_synth3d

SECONDS, FPS = 2.0, Fraction(25)
SHORT_STEPS = 100
VIEWS = 30
RESULTS = Path(__file__).parent / "results" / "determinism.json"
MOTION = ("driving_video", "curves", "audio", "text")
"""What moves a face; each generator is moved by the first of them that it reads."""
VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class ShortNerf(Nerf):
    """With a fit of seconds."""

    steps = SHORT_STEPS


class ShortDiffusion(Diffusion):
    """With a fit of seconds."""

    steps = SHORT_STEPS


SHORT: Mapping[str, type[Nerf | Diffusion]] = {each.id: each for each in (ShortNerf, ShortDiffusion)}


def measurements() -> list[dict[str, Any]]:
    """A row for each generator."""
    asked = [name for name in os.environ.get("THGEVAL_GENERATORS", "").split(",") if name]
    rows = json.loads(RESULTS.read_text())["rows"] if asked and RESULTS.is_file() else []
    held = {row["generator"]: row for row in rows}
    with tempfile.TemporaryDirectory(prefix="thgeval-") as place:
        folder = Path(place)
        inputs = _inputs(folder)
        for system in builtin():
            if not asked or system.id in asked:
                held[system.id] = _row(system, inputs, folder)
    return [held[system.id] for system in builtin() if system.id in held]


def _inputs(folder: Path) -> Inputs:
    seen = take(head(seed=0, size=256), seed=1, seconds=SECONDS, first=0)
    other = take(head(seed=2, size=256), seed=3, seconds=SECONDS, first=1)
    Image.fromarray(seen.frames[0]).save(folder / "face.png")
    write_sound(folder / "words.wav", seen.sound)
    for name, each in (("fit", seen), ("driver", other)):
        write_take(folder / f"{name}.mp4", each, crf=12)
    opening = 0.6 * np.sin(np.linspace(0, 9, len(seen.frames))) ** 2
    np.savez(folder / "curves.npz", jawOpen=opening, yaw=8 * np.cos(np.linspace(0, 4, len(opening))), fps=25)
    tasks = make_synth3d(folder / "views", people=1, seconds=1.0, size=96, fit_seconds=SECONDS, stills=VIEWS)
    return Inputs(
        item="determinism",
        fps=FPS,
        frames=len(seen.frames),
        source_image=folder / "face.png",
        audio=folder / "words.wav",
        text="Bob may put a map by a boat.",
        driving_video=folder / "driver.mp4",
        curves=folder / "curves.npz",
        fit_video=folder / "fit.mp4",
        fit_views=tasks.path(tasks.items[0].inputs["fit_views"]),
    )


def _row(system: Any, inputs: Inputs, folder: Path) -> dict[str, Any]:
    reads = system.needs | system.takes
    mover = next(name for name in MOTION if name in reads)
    hidden: dict[str, Any] = {name: None for name in MOTION if name != mover and name not in system.needs}
    given = replace(inputs, **hidden)
    short = SHORT.get(system.id)
    spec = system.spec if short is None else f"{Path(__file__).resolve()}:{short.__name__}"
    first, again, threaded = (_frames(spec, given, threads, folder, fits=bool(system.fitting)) for threads in (1, 1, 2))
    apart = np.abs(first.astype(np.int16) - threaded)
    return {
        "generator": system.id,
        "moved by": mover,
        "frames": len(first),
        "one thread twice": "equal" if np.array_equal(first, again) else "different",
        "two threads: largest difference": int(apart.max()),
        "two threads: share of pixels": float((apart.max(axis=-1) > 0).mean()),
        **({} if short is None else {"steps": short.steps, "of steps": loaded(system.spec).steps}),
    }


def _frames(spec: str, inputs: Inputs, threads: int, folder: Path, *, fits: bool) -> np.ndarray[Any, Any]:
    """The decoded frames (frames, height, width, 3) of a run from nothing."""
    out = Path(tempfile.mkdtemp(dir=folder))
    fitted = None
    if fits:
        _worked(spec, replace(inputs, frames=None), threads, out, "fit", None)
        fitted = out / "fit"
    _worked(spec, inputs, threads, out, "generate", fitted)
    with decode(Clip("made", out / VIDEO), chunk=64) as batches:
        return np.concatenate([batch.new for batch in batches])


def _worked(spec: str, inputs: Inputs, threads: int, out: Path, task: str, fitted: Path | None) -> None:
    path = out / f"{task}.json"
    path.write_text(json.dumps(job(spec, inputs, seed=7, out=out, fitted=fitted, task=task)), encoding="utf-8")
    env = {**os.environ, **dict.fromkeys(VARIABLES, str(threads))}
    command = [sys.executable, "-m", "thgeval_baselines.running.worker", str(path)]
    subprocess.run(command, env=env, check=True)
