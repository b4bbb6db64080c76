"""What holds against a thousand hostile inputs and a hundred kills, and what finished runs and full caches cost.

The inputs are those of ``tests/attack``. Costs are seconds of processor time of one ``thgeval score``.
"""

import hashlib
import os
import shutil
import struct
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from attack.kills import killed
from attack.kinds import CLAIMS, KINDS, attacked
from attack.runner import Ended, ran
from support.clips import moving, write_clip

SEED = 11
HANG_S = 60.0
SHAPES = ((300, 25, 256), (3000, 8, 64))
"""Clips, their frames, and the side of these in px."""

DIFFERENT = 20
"""How many of them show other pictures."""

CACHED = 20_000


def measurements() -> list[dict[str, Any]]:
    rows = []
    with TemporaryDirectory(prefix="attack-") as folder:
        for name in (*KINDS, *CLAIMS):
            Path(folder, name).mkdir()
            rows.append(_row(name, attacked(Path(folder, name), name, SEED, 1.0, HANG_S)))
        Path(folder, "kills").mkdir()
        rows.append(_row("kills", killed(Path(folder, "kills"), 100, SEED)))
    return [*rows, *costs()]


def costs() -> list[dict[str, Any]]:
    """Running a finished command again, and scoring new clips beside a full cache."""
    rows = []
    for clips, frames, side in SHAPES:
        with TemporaryDirectory(prefix="attack-") as folder:
            work = _clips(Path(folder, "run"), clips, frames, side)
            anew, again = (_scored(work, "-o", "run.json") for _ in range(2))
            what = f"again: {clips} clips of {frames} frames of {side} px"
            rows.append({"what": what, "first_cpu_s": anew, "second_cpu_s": again, "share": again / anew})
            if clips == SHAPES[-1][0]:
                rows.append(_cached(work))
    return rows


def _row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    cost = {"peak_mb": found["peak MB"], "cpu_s": found["CPU s"]} if "peak MB" in found else {}
    return {"what": name, "tried": found["tried"], **cost, "findings": found["findings"]}


def _clips(work: Path, clips: int, frames: int, side: int) -> Path:
    for folder, noise in (("pred", 6.0), ("gt", 0.0)):
        (work / folder).mkdir(parents=True)
        made = [
            write_clip(work / folder / f"{number:05}.mp4", moving(frames, side, number, noise))
            for number in range(DIFFERENT)
        ]
        for number in range(DIFFERENT, clips):
            free = struct.pack(">I4sQ", 16, b"free", number)  # a box of no meaning makes another file of it
            content = made[number % DIFFERENT].read_bytes()
            (work / folder / f"{number:05}.mp4").write_bytes(content + free)
    return work


def _cached(work: Path) -> dict[str, Any]:
    """The same clips with an empty cache and with a full one, which knows none of them."""
    state = next(work.glob("run.states/*.npz"))
    empty = _scored(work, "--cache", "read-write")
    shutil.rmtree(work / "home")
    for number in range(CACHED):
        name = hashlib.sha256(str(number).encode()).hexdigest()
        place = work / "home" / "states" / name[:2] / f"{name}.npz"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(state, place)
    full = _scored(work, "--cache", "read-write")
    return {
        "what": f"beside {CACHED} files in the cache",
        "first_cpu_s": empty,
        "second_cpu_s": full,
        "share": full / empty,
    }


def _scored(work: Path, *options: str) -> float:
    ended: Ended = ran(["score", "pred", "gt", "-q", *options], work, 3600)
    if ended.code != os.EX_OK:
        raise AssertionError(ended.err)
    return round(ended.cpu_s, 2)
