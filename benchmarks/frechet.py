"""Fréchet distances beside the usual code with scipy's matrix root, in one run: ``python benchmarks/frechet.py``.

The peer is what pytorch-fid, clean-fid and most scripts do: numpy's means and covariances, ``scipy.linalg.sqrtm`` of
the product, its real part. Both sides use as many BLAS threads as they like and start from the same float32 rows. Ours
runs before and after the peer, so that a machine that gets busy or idle in between slows or helps both; figures are
medians of wall-clock time. On a busy machine the threads of BLAS wait for each other and figures say little: ``load``
is how many processes wanted a core when the row was measured. Errors are relative to Tr S1 + Tr S2, against the
singular values of the rows' factors; ``of_itself`` is what two equal sets are apart. ``OPENBLAS_NUM_THREADS=1`` keeps
both sides to one thread, which is all that a busy machine has to offer.

``python benchmarks/frechet.py 500`` measures that number of rows alone; the peer takes a minute or so each time.
"""

import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import numpy as np
from scipy.linalg import sqrtm
from tabulate import tabulate

from thgeval.kernels import frechet
from thgeval.kernels.frechet import cpu

DIMENSIONS = 2048
COUNTS = (500, 5000)
OURS_ROUNDS = 10
THEIRS_ROUNDS = 1


def measurements(
    counts: Sequence[int] = COUNTS, dimensions: int = DIMENSIONS, theirs_rounds: int = THEIRS_ROUNDS
) -> list[dict[str, Any]]:
    """One row a number of rows: seconds of ours and theirs, how many times faster ours is, and both errors."""
    return [_measured(count, dimensions, theirs_rounds) for count in counts]


def _measured(count: int, dimensions: int, theirs_rounds: int) -> dict[str, Any]:
    load = os.getloadavg()[0]
    sides = tuple(features(count, dimensions, seed=seed) for seed in (1, 2))
    before = _timed(lambda: frechet.distance(*sides), OURS_ROUNDS)
    theirs = _timed(lambda: usual(*sides), theirs_rounds)
    after = _timed(lambda: frechet.distance(*sides), OURS_ROUNDS)
    ours_s = statistics.median(second for second, _ in before + after)
    theirs_s = statistics.median(second for second, _ in theirs)
    exact, spread = by_singular_values(*sides)
    return {
        "rows": count,
        "dimensions": dimensions,
        "load": load,
        "blas_threads": int(os.environ.get("OPENBLAS_NUM_THREADS") or len(os.sched_getaffinity(0))),
        "ours_s": ours_s,
        "theirs_s": theirs_s,
        "times_faster": theirs_s / ours_s,
        "ours_error": abs(before[0][1] - exact) / spread,
        "theirs_error": abs(theirs[0][1] - exact) / spread,
        "of_itself": frechet.distance(sides[0], sides[0].copy()) / spread,
    }


def features(count: int, dimensions: int, *, seed: int) -> np.ndarray:
    """Non-negative rows of correlated features, as a pooled rectifier leaves them; ``seed`` also shifts the set."""
    mix = np.random.default_rng(0).standard_normal((dimensions, dimensions)) / sqrt(dimensions)
    latent = np.random.default_rng(seed).standard_normal((count, dimensions)) * np.arange(1, dimensions + 1) ** -0.5
    return np.maximum(4 * latent @ mix + 0.05 * seed, 0).astype(np.float32)


def usual(generated: np.ndarray, reference: np.ndarray) -> float:
    """The textbook formula with a matrix root."""
    means = [rows.mean(axis=0, dtype=np.float64) for rows in (generated, reference)]
    covariances = [np.cov(rows, rowvar=False) for rows in (generated, reference)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the product is singular is known: fewer rows than dimensions
        root = np.real(sqrtm(covariances[0] @ covariances[1]))
    gap = means[0] - means[1]
    return float(gap @ gap + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root))


def by_singular_values(generated: np.ndarray, reference: np.ndarray) -> tuple[float, float]:
    """The distance without any squaring, and Tr S1 + Tr S2."""
    sides = [cpu.RowSet(rows) for rows in (generated, reference)]
    gap = np.subtract(*(rows.mean(axis=0, dtype=np.float64) for rows in (generated, reference)))
    spread = sum(float(np.vdot(side.factor, side.factor)) / (len(side.rows) - 1) for side in sides)
    shared = cpu.singular_sum(sides[0].factor @ sides[1].factor.T)
    unit = sqrt((len(generated) - 1) * (len(reference) - 1))
    return float(gap @ gap) + spread - 2 * shared / unit, spread


def _timed(run: Callable[[], float], rounds: int) -> list[tuple[float, float]]:
    """Seconds and result of each round."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = run()
        found.append((time.perf_counter() - start, result))
    return found


def main() -> None:
    counts = [int(argument) for argument in sys.argv[1:]] or COUNTS
    print(
        tabulate(
            measurements(counts),
            headers="keys",
            floatfmt=("d", "d", ".1f", "d", ".3f", ".2f", ".1f", ".1e", ".1e", ".1e"),
        )
    )


if __name__ == "__main__":
    main()
