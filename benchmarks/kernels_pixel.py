"""Pixel kernels beside their peers, timed in one interleaved run: python benchmarks/kernels_pixel.py [rounds]

Frames are 512 x 512 RGB uint8, a photograph and a noisy copy of it. Every round calls each contestant once, so that all
of them meet the same weather on the machine; the figures are medians over rounds. Peers get their own favourite input
(float tensors are made beforehand) and torch its default number of threads. Ours are timed twice: one frame on one
thread, and ``THREADS`` threads with a chunk of frames each, as a run of thgeval does it.

scikit-image's SSIM stands there twice as well. Its time goes into fresh memory, and large blocks that torch has freed
before make the C library hand it out much faster: "alone" is a process of its own, without torch's help.
"""

import multiprocessing
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache, partial
from typing import NamedTuple

import cv2
import numpy as np
import piq
import pytorch_msssim
import skimage.color
import skimage.data
import skimage.metrics
import torch
import torchmetrics.functional.image as torchmetrics
from PIL import Image

from thgeval.kernels.difference import errors
from thgeval.kernels.luma import luma
from thgeval.kernels.ms_ssim import ms_ssim
from thgeval.kernels.ssim import ssim

PEAK = 255
THREADS = 2
CHUNK = 8  # frames per thread
ROUNDS = 40


class Contestant(NamedTuple):
    """One way to compute a quantity; ``call`` handles ``frames`` frames."""

    quantity: str
    name: str
    threads: int
    frames: int
    call: Callable[[], object]

    def frame_ms(self) -> float:
        """Milliseconds per frame of one call, or what the call itself has measured elsewhere."""
        start = time.perf_counter()
        measured = self.call()
        spent_ms = (time.perf_counter() - start) * 1e3 / self.frames
        return measured if isinstance(measured, Elsewhere) else spent_ms


class Elsewhere(float):
    """Milliseconds measured in another process."""


@cache
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A generated and a reference frame, each (1, 512, 512, 3) uint8."""
    reference = skimage.data.astronaut()
    noise = np.random.default_rng(0).normal(0, 10, reference.shape)
    return (reference + noise).clip(0, 255).astype(np.uint8)[None], reference[None]


def ours(generated: np.ndarray, reference: np.ndarray, pool: ThreadPoolExecutor) -> list[Contestant]:
    """Each kernel on one frame and one thread, and on a chunk of frames per thread."""
    kernels: dict[str, Callable[[np.ndarray, np.ndarray], object]] = {
        "ssim": lambda a, b: ssim(generated=a, reference=b, peak=PEAK),
        "ms-ssim": lambda a, b: ms_ssim(generated=a, reference=b, peak=PEAK),
        "errors": lambda a, b: errors(generated=a, reference=b),
        "luma": lambda a, b: luma(a, rule="bt601-rounded", peak=PEAK),
    }
    chunks = [np.repeat(side, CHUNK, axis=0) for side in (generated, reference)]

    def shared(kernel: Callable[[np.ndarray, np.ndarray], object]) -> None:
        for done in [pool.submit(kernel, *chunks) for _ in range(THREADS)]:
            done.result()

    alone = [
        Contestant(name, "thgeval", 1, 1, partial(kernel, generated, reference)) for name, kernel in kernels.items()
    ]
    return alone + [
        Contestant(name, "thgeval", THREADS, THREADS * CHUNK, partial(shared, kernel))
        for name, kernel in kernels.items()
    ]


def scikit_ssim() -> object:
    """SSIM with Wang's windows, by scikit-image."""
    generated, reference = pictures()
    return skimage.metrics.structural_similarity(
        reference[0],
        generated[0],
        channel_axis=2,
        data_range=PEAK,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )


def scikit_ssim_ms() -> Elsewhere:
    """The same, timed where it runs."""
    pictures()
    start = time.perf_counter()
    scikit_ssim()
    return Elsewhere((time.perf_counter() - start) * 1e3)


def peers(generated: np.ndarray, reference: np.ndarray, process: ProcessPoolExecutor) -> list[Contestant]:
    """The same quantities by the packages people use."""
    a, b = generated[0], reference[0]
    x, y = (torch.from_numpy(side).permute(0, 3, 1, 2).float() for side in (generated, reference))
    workers = torch.get_num_threads()

    calls: list[tuple[str, str, int, Callable[[], object]]] = [
        ("ssim", "scikit-image", 1, scikit_ssim),
        ("ssim", "scikit-image alone", 1, lambda: process.submit(scikit_ssim_ms).result()),
        (
            "ssim",
            "torchmetrics",
            workers,
            lambda: torchmetrics.structural_similarity_index_measure(x, y, data_range=float(PEAK)),
        ),
        ("ssim", "pytorch-msssim", workers, lambda: pytorch_msssim.ssim(x, y, data_range=PEAK)),
        ("ssim", "piq", workers, lambda: piq.ssim(x, y, data_range=PEAK, downsample=False)),
        (
            "ms-ssim",
            "torchmetrics",
            workers,
            lambda: torchmetrics.multiscale_structural_similarity_index_measure(x, y, data_range=float(PEAK)),
        ),
        ("ms-ssim", "pytorch-msssim", workers, lambda: pytorch_msssim.ms_ssim(x, y, data_range=PEAK)),
        ("ms-ssim", "piq", workers, lambda: piq.multi_scale_ssim(x, y, data_range=PEAK)),
        ("errors", "scikit-image", 1, lambda: skimage.metrics.peak_signal_noise_ratio(b, a, data_range=PEAK)),
        (
            "errors",
            "torchmetrics",
            workers,
            lambda: torchmetrics.peak_signal_noise_ratio(x, y, data_range=float(PEAK)),
        ),
        ("errors", "piq", workers, lambda: piq.psnr(x, y, data_range=PEAK)),
        ("luma", "scikit-image", 1, lambda: skimage.color.rgb2gray(a)),
        ("luma", "opencv", 1, lambda: cv2.cvtColor(a, cv2.COLOR_RGB2GRAY)),
        ("luma", "pillow", 1, lambda: Image.fromarray(a).convert("L")),
    ]
    return [Contestant(quantity, name, threads, 1, call) for quantity, name, threads, call in calls]


def measurements(rounds: int = ROUNDS) -> list[dict[str, object]]:
    """One row per contestant: milliseconds per frame, and how many times longer than our shared frames it takes."""
    generated, reference = pictures()
    fresh = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(THREADS) as pool, ProcessPoolExecutor(1, mp_context=fresh) as process:
        contestants = [*ours(generated, reference, pool), *peers(generated, reference, process)]
        for contestant in contestants:  # compiles, allocates, starts threads
            contestant.call()
        times: list[list[float]] = [[] for _ in contestants]
        for _ in range(rounds):
            for contestant, spent in zip(contestants, times, strict=True):
                spent.append(contestant.frame_ms())
    medians = [statistics.median(spent) for spent in times]
    shared = {c.quantity: ms for c, ms in zip(contestants, medians, strict=True) if c.frames > 1}
    return [
        {
            "quantity": c.quantity,
            "implementation": c.name,
            "threads": c.threads,
            "frame": "512x512 RGB uint8",
            "rounds": rounds,
            "median_ms": ms,
            "best_ms": min(spent),
            "times_ours": ms / shared[c.quantity],
        }
        for c, ms, spent in zip(contestants, medians, times, strict=True)
    ]


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    rows = measurements(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
    print(f"{'quantity':10}{'implementation':20}{'threads':>8}{'median ms':>12}{'best ms':>10}{'times ours':>12}")
    for row in sorted(rows, key=lambda row: str(row["quantity"])):
        print(
            f"{row['quantity']:10}{row['implementation']:20}{row['threads']:8}"
            f"{row['median_ms']:12.4f}{row['best_ms']:10.4f}{row['times_ours']:12.1f}"
        )


if __name__ == "__main__":
    main()
