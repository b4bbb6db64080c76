"""CPBD and FSIM beside the package cpbd 1.0.7 and piq, in one run: ``python benchmarks/kernels_cpbd_fsim.py``.

Every round times each contender once, one after the other, so that a busy machine slows all of them alike; figures are
medians over rounds, in milliseconds a frame (a pair of frames for FSIM), with frames decoded and loops compiled. With
two threads, each of ours has its own frames, piq uses torch's own, and the package cpbd, which can't, is timed alone.
"""

import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from tabulate import tabulate

from thgeval.kernels.cpbd import RULES, cpbd
from thgeval.kernels.fsim import similarity

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

ROUNDS = 7
BATCH = 8
SIDES_PX = (256, 512)
THREADS = 2

Task = tuple[Callable[[], object], int]


def measurements(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """One row a metric, size and number of threads: ms a frame of both, and how many times faster ours is."""
    rows = []
    with ThreadPoolExecutor(THREADS) as pool:
        for side_px in SIDES_PX:
            rows += _cpbd_rows(side_px, rounds, pool)
            rows += _fsim_rows(side_px, rounds, pool)
    return rows


def _cpbd_rows(side_px: int, rounds: int, pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
    from oracles.cpbd import published_package

    package = published_package()
    luma = np.stack([_photograph(side_px, blur_px)[..., 1] for blur_px in np.linspace(0, 1.4, BATCH)])
    tasks: dict[str, Task] = {"theirs": (lambda: package.compute(luma[2]), 1)}
    for preset, rules in RULES.items():
        fields = asdict(rules)
        tasks[f"{preset} 1"] = (lambda fields=fields: cpbd(luma, **fields), BATCH)
        tasks[f"{preset} {THREADS}"] = (
            lambda fields=fields: list(pool.map(lambda _: cpbd(luma, **fields), range(THREADS))),
            BATCH * THREADS,
        )
    times = _medians_ms(tasks, rounds)
    return [
        _row(f"cpbd/{preset}", side_px, threads, times[f"{preset} {threads}"], "cpbd 1.0.7", times["theirs"])
        for preset in RULES
        for threads in (1, THREADS)
    ]


def _fsim_rows(side_px: int, rounds: int, pool: ThreadPoolExecutor) -> list[dict[str, Any]]:
    import piq
    import torch

    reference = np.stack([_photograph(side_px, 0)] * BATCH)
    generated = np.stack([_photograph(side_px, blur_px) for blur_px in np.linspace(0.5, 2, BATCH)])
    x, y = (torch.from_numpy(frames).permute(0, 3, 1, 2).float() for frames in (generated, reference))

    def ours() -> object:
        return similarity(generated=generated, reference=reference, peak=255)

    def theirs(threads: int) -> object:
        torch.set_num_threads(threads)
        return piq.fsim(x, y, data_range=255)

    times = _medians_ms(
        {
            "ours 1": (ours, BATCH),
            "theirs 1": (lambda: theirs(1), BATCH),
            f"ours {THREADS}": (lambda: list(pool.map(lambda _: ours(), range(THREADS))), BATCH * THREADS),
            f"theirs {THREADS}": (lambda: theirs(THREADS), BATCH),
        },
        rounds,
    )
    return [
        _row("fsim and fsimc", side_px, threads, times[f"ours {threads}"], "piq (fsimc)", times[f"theirs {threads}"])
        for threads in (1, THREADS)
    ]


def _photograph(side_px: int, blur_px: float) -> np.ndarray:
    from skimage import data

    return gaussian_filter(data.astronaut()[:side_px, :side_px], (blur_px, blur_px, 0))


def _medians_ms(tasks: dict[str, Task], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for run, _ in tasks.values():
        run()
    for _ in range(rounds):
        for name, (run, frames) in tasks.items():
            start = time.perf_counter()
            run()
            times[name].append(1000 * (time.perf_counter() - start) / frames)
    return {name: statistics.median(measured) for name, measured in times.items()}


def _row(metric: str, side_px: int, threads: int, ours_ms: float, peer: str, theirs_ms: float) -> dict[str, Any]:
    return {
        "metric": metric,
        "side_px": side_px,
        "threads": threads,
        "ours_ms": ours_ms,
        "peer": peer,
        "theirs_ms": theirs_ms,
        "times_faster": theirs_ms / ours_ms,
    }


def main() -> None:
    print(tabulate(measurements(), headers="keys", floatfmt=".2f"))


if __name__ == "__main__":
    main()
