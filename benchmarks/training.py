"""Losses and metric objects beside their peers, timed in one interleaved run: python benchmarks/run.py training

Batches are smooth float32 pictures and noisy copies of them; every round makes new tensors, as a loop does, and calls
each contestant once. Wall-clock medians over rounds, with torch's default number of threads; ``*_cpu_ms`` are the
processor's time of the same calls, all threads together. SSIM is that of red, green and blue on both sides, so that
both compute one number; ``load`` is how many others wanted the processor meanwhile.
"""

import os
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytorch_msssim
import torch
import torchmetrics.image as peers
from torch import Tensor
from torch.nn.functional import avg_pool2d
from torchmetrics import MeanAbsoluteError, MeanSquaredError, MetricCollection

from thgeval import Meter, training
from thgeval.training import losses

ROUNDS = 7
LARGE, SMALL = (1, 3, 512, 512), (8, 3, 256, 256)
Call = Callable[[Tensor, Tensor], Any]


class Match(NamedTuple):
    """One thing done by us and by a peer."""

    what: str
    shape: tuple[int, ...]
    ours: Call
    peer: str
    theirs: Call


def backward(loss: Call) -> Call:
    """A loss and its gradient."""

    def call(generated: Tensor, reference: Tensor) -> None:
        loss(generated.detach().requires_grad_(), reference).backward()

    return call


def matches() -> list[Match]:
    """Everything that is compared."""
    ssim, ms_ssim = losses.SSIMLoss(data_range=1.0, colour="rgb"), losses.MSSSIMLoss(data_range=1.0)
    both = losses.L1SSIMLoss(data_range=1.0)

    def their_both(generated: Tensor, reference: Tensor) -> Tensor:
        apart = (generated - reference).abs().mean()
        return 0.8 * apart + 0.2 * (1 - pytorch_msssim.ssim(generated, reference, data_range=1.0))

    def their_ssim(generated: Tensor, reference: Tensor) -> Tensor:
        return 1 - pytorch_msssim.ssim(generated, reference, data_range=1.0)

    def their_ms_ssim(generated: Tensor, reference: Tensor) -> Tensor:
        return 1 - pytorch_msssim.ms_ssim(generated, reference, data_range=1.0)

    pairs = [
        ("SSIM loss, forward and backward", ssim, their_ssim),
        ("MS-SSIM loss, forward and backward", ms_ssim, their_ms_ssim),
        ("L1 + SSIM loss, forward and backward", both, their_both),
    ]
    found = [
        Match(what, shape, backward(mine), "pytorch-msssim", backward(theirs))
        for what, mine, theirs in pairs
        for shape in (LARGE, SMALL)
    ]
    two = MetricCollection([training.PSNR(data_range=1.0), training.SSIM(data_range=1.0, colour="rgb")])
    their_two = MetricCollection(
        [peers.PeakSignalNoiseRatio(data_range=1.0), peers.StructuralSimilarityIndexMeasure(data_range=1.0)]
    )
    five = MetricCollection(
        [
            *(cls(data_range=1.0) for cls in (training.PSNR, training.L1, training.MSE, training.MSSSIM)),
            training.SSIM(data_range=1.0, colour="rgb"),
        ]
    )
    their_five = MetricCollection(
        [
            peers.PeakSignalNoiseRatio(data_range=1.0),
            MeanAbsoluteError(),
            MeanSquaredError(),
            peers.MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0),
            peers.StructuralSimilarityIndexMeasure(data_range=1.0),
        ]
    )
    found.append(Match("update of PSNR, SSIM", SMALL, two.update, "torchmetrics", their_two.update))
    found.append(Match("update of PSNR, L1, MSE, SSIM, MS-SSIM", SMALL, five.update, "torchmetrics", their_five.update))
    return found


def batch(shape: tuple[int, ...], seed: int) -> tuple[Tensor, Tensor]:
    """New tensors of both sides."""
    drawn = torch.Generator().manual_seed(seed)
    reference = avg_pool2d(torch.rand(shape, generator=drawn), 5, 1, 2)
    return (reference + 0.05 * torch.randn(shape, generator=drawn)).clamp(0, 1), reference


def spent_ms(call: Call, sides: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """Wall-clock and processor time of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call(*sides)
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def fixed_cost_ms(calls: int = 300) -> float:
    """Median of what one update of a Meter costs where there is next to nothing to measure."""
    meter = Meter(["psnr"])
    frame = np.zeros((1, 8, 8, 3), np.uint8)
    other = frame + np.uint8(1)
    spent = []
    for _ in range(calls):
        began = time.thread_time()
        meter.update(frame, other)
        spent.append((time.thread_time() - began) * 1e3)
    return statistics.median(spent)


def gradient_error(loss: Call, sides: tuple[Tensor, Tensor]) -> float:
    """How far a float32 gradient is from float64's, relative to the largest."""
    found = []
    for dtype in (torch.float32, torch.float64):
        generated = sides[0].to(dtype, copy=True).requires_grad_()
        loss(generated, sides[1].to(dtype)).backward()
        assert generated.grad is not None
        found.append(generated.grad.double())
    return float((found[0] - found[1]).abs().max() / found[1].abs().max())


def measurements(rounds: int = ROUNDS) -> list[dict[str, object]]:
    """One row per comparison: medians, and how many times faster we are in the same run."""
    warnings.simplefilter("ignore")
    every = matches()
    times: list[list[tuple[float, float, float, float]]] = [[] for _ in every]
    for seed in range(rounds + 1):
        for match, spent in zip(every, times, strict=True):
            sides = batch(match.shape, seed)
            spent.append((*spent_ms(match.ours, sides), *spent_ms(match.theirs, tuple(s.clone() for s in sides))))
    load = round(os.getloadavg()[0], 1)
    precise = {
        "SSIM": gradient_error(losses.SSIMLoss(data_range=1.0, colour="rgb"), batch(SMALL, 0)),
        "MS-SSIM": gradient_error(losses.MSSSIMLoss(data_range=1.0), batch(SMALL, 0)),
        "L1 + SSIM": gradient_error(losses.L1SSIMLoss(data_range=1.0), batch(SMALL, 0)),
    }
    rows: list[dict[str, object]] = []
    for match, spent in zip(every, times, strict=True):
        ours, ours_cpu, theirs, theirs_cpu = (statistics.median(column) for column in zip(*spent[1:], strict=True))
        rows.append(
            {
                "what": match.what,
                "batch": "x".join(map(str, match.shape)),
                "peer": match.peer,
                "ours_ms": ours,
                "peer_ms": theirs,
                "faster": theirs / ours,
                "ours_cpu_ms": ours_cpu,
                "peer_cpu_ms": theirs_cpu,
                "gradient_error": precise.get(match.what.partition(" loss")[0]),
                "rounds": rounds,
                "load": load,
            }
        )
    rows.append({"what": "Meter, fixed cost of update", "batch": "1x8x8", "ours_ms": fixed_cost_ms(), "load": load})
    return rows
