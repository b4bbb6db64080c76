"""The kernels as operators of torch, forward and backward, which autograd, ``torch.compile`` and ``opcheck`` know.

``pixel_errors``  (frames, values) float32 of both sides -> (frames, 2) float64: sums of absolute and of squared
                  differences, in the values' own unit
``scale_terms``   (planes, height, width) float32 of both sides -> (planes, scales) float64: the terms that MS-SSIM
                  multiplies, mean contrast-structure of every scale but the last and mean SSIM of the last. One scale
                  is SSIM. With ``absolute`` the last column is the mean absolute difference over the peak, whose
                  gradient comes out of the same pass

On the CPU they are the loops that the metrics run, so that a loss has the metric's own number, with adjoint loops
beside them (``thgeval.kernels.*.adjoint``): planes are shared out over torch's threads, and each is summed in the same
order whatever their number. What isn't float32 on a device that has loops goes through ``composite``: see
``applies``. Gradients are float32, within 2e-5 of a float64 computation relative to the largest, and can't be
differentiated again.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from thgeval.kernels.difference import adjoint as difference_adjoint
from thgeval.kernels.difference import cpu as difference
from thgeval.kernels.ms_ssim import adjoint as ms_ssim_adjoint
from thgeval.kernels.ms_ssim import cpu as ms_ssim
from thgeval.kernels.ssim import Windows

T = TypeVar("T")


DEVICES = {"cpu"}
"""Devices that have loops; whoever adds some registers them with every operator (``register_kernel``) and here."""


def applies(*sides: Tensor) -> bool:
    """Whether there are loops for these tensors; ``composite`` does the others."""
    return all(side.dtype == torch.float32 and side.device.type in DEVICES for side in sides)


@torch.library.custom_op("thgeval::pixel_errors", mutates_args=(), device_types="cpu")
def pixel_errors(generated: Tensor, reference: Tensor) -> Tensor:
    """Sums of absolute and of squared differences: (frames, values) float32 -> (frames, 2) float64."""
    ours, theirs = _array(generated), _array(reference)
    sums = shared_out(lambda some: np.stack(difference.errors(ours[some], theirs[some]), axis=1), len(ours))
    return torch.from_numpy(np.concatenate(sums)) if sums else generated.new_empty((0, 2), dtype=torch.float64)


@torch.library.custom_op("thgeval::pixel_errors_gradient", mutates_args=(), device_types="cpu")
def pixel_errors_gradient(weights: Tensor, generated: Tensor, reference: Tensor) -> Tensor:
    """The gradient of sums weighted by (frames, 2), by the generated side: (frames, values) float32."""
    ours, theirs, out = _array(generated), _array(reference), np.empty(generated.shape, np.float32)
    shares = _array(weights.float())

    def work(some: slice) -> None:
        difference_adjoint.gradient(ours[some], theirs[some], shares[some, 0], shares[some, 1], out[some])

    shared_out(work, len(ours))
    return torch.from_numpy(out)


@torch.library.custom_op("thgeval::scale_terms", mutates_args=(), device_types="cpu")
def scale_terms(
    generated: Tensor,
    reference: Tensor,
    peak: float,
    scales: int,
    absolute: bool,
    window: int,
    sigma: float,
    k1: float,
    k2: float,
    weighting: str,
    sample_covariance: bool,
) -> Tensor:
    """Terms of every plane: (planes, height, width) float32 -> (planes, scales [+ 1]) float64."""
    through = Windows(window, sigma, k1, k2, weighting, sample_covariance)
    ours, theirs = _array(generated), _array(reference)

    def work(some: slice) -> Any:
        found = ms_ssim.scale_terms(ours[some], theirs[some], scales, through.taps, through.constants(peak))[:, 0]
        if not absolute:
            return found
        errors, _ = difference.errors(*(side[some].reshape(found.shape[0], -1) for side in (ours, theirs)))
        return np.concatenate([found, errors[:, None] / (peak * ours[0].size)], axis=1)

    return torch.from_numpy(np.concatenate(shared_out(work, len(ours))))


@torch.library.custom_op("thgeval::scale_terms_gradient", mutates_args=(), device_types="cpu")
def scale_terms_gradient(
    weights: Tensor,
    generated: Tensor,
    reference: Tensor,
    peak: float,
    scales: int,
    absolute: bool,
    window: int,
    sigma: float,
    k1: float,
    k2: float,
    weighting: str,
    sample_covariance: bool,
) -> Tensor:
    """The gradient of terms weighted by (planes, scales [+ 1]), by the generated planes: (planes, height, width)."""
    through = Windows(window, sigma, k1, k2, weighting, sample_covariance)
    ours, theirs, shares = _array(generated), _array(reference), _array(weights.float())
    out = np.empty(ours.shape, np.float32)

    def work(some: slice) -> None:
        for plane in range(*some.indices(len(ours))):
            of_error = float(shares[plane, scales]) if absolute else 0.0
            out[plane] = ms_ssim_adjoint.gradient(
                ours[plane], theirs[plane], through.taps, through.constants(peak), shares[plane, :scales], of_error
            )

    shared_out(work, len(ours))
    return torch.from_numpy(out)


@pixel_errors.register_fake
def _(generated: Tensor, reference: Tensor) -> Tensor:
    return generated.new_empty((generated.shape[0], 2), dtype=torch.float64)


@scale_terms.register_fake
def _(generated: Tensor, reference: Tensor, peak: float, scales: int, absolute: bool, *windows: Any) -> Tensor:
    return generated.new_empty((generated.shape[0], scales + absolute), dtype=torch.float64)


@pixel_errors_gradient.register_fake
@scale_terms_gradient.register_fake
def _(weights: Tensor, generated: Tensor, *rest: Any) -> Tensor:
    return torch.empty_like(generated, memory_format=torch.contiguous_format)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.how = inputs[2:]


def _backward_by(gradient: Callable[..., Tensor]) -> Callable[..., tuple[Tensor | None, ...]]:
    """Both sides' gradients; what an operator compares symmetrically has the other's by exchanging the sides."""

    def backward(ctx: Any, weights: Tensor) -> tuple[Tensor | None, ...]:
        ours, theirs = ctx.saved_tensors
        first, second = ctx.needs_input_grad[:2]
        return (
            gradient(weights, ours, theirs, *ctx.how) if first else None,
            gradient(weights, theirs, ours, *ctx.how) if second else None,
            *(None for _ in ctx.how),
        )

    return backward


pixel_errors.register_autograd(_backward_by(pixel_errors_gradient), setup_context=_remember)
scale_terms.register_autograd(_backward_by(scale_terms_gradient), setup_context=_remember)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


def shared_out(work: Callable[[slice], T], count: int) -> list[T]:
    """What ``work`` gives for consecutive parts of ``count`` items, one for each of torch's threads."""
    parts = min(torch.get_num_threads(), count)
    edges = [count * part // parts for part in range(parts + 1)] if parts else [0]
    slices = [slice(first, last) for first, last in pairwise(edges)]
    return list(_mapped(work, slices))


def _mapped(work: Callable[[slice], T], slices: list[slice]) -> Iterable[T]:
    if len(slices) < 2:
        return map(work, slices)
    return _threads(os.getpid(), len(slices)).map(work, slices)


@lru_cache(maxsize=2)
def _threads(process: int, count: int) -> ThreadPoolExecutor:
    """Threads of this very process: a fork has none of those that its parent had started."""
    return ThreadPoolExecutor(count, thread_name_prefix="thgeval-training")
