"""The kernels as operators of torch, forward and backward, which autograd, ``torch.compile`` and ``opcheck`` know.

``pixel_errors``  (frames, values) float32 of both sides -> (frames, 2) float64: sums of absolute and of squared
                  differences, in the values' own unit
``scale_terms``   (planes, height, width) float32 of both sides -> (planes, scales) float64: the terms that MS-SSIM
                  multiplies, mean contrast-structure of every scale but the last and mean SSIM of the last. One scale
                  is SSIM. With ``absolute`` the last column is the mean absolute difference over the peak. Where a
                  gradient is asked for, the pass that finds the terms finds what it is made of

On the CPU they are the loops that the metrics run, so that a loss has the metric's own number, with adjoint loops
beside them (``thgeval.kernels.*.adjoint``): rows are shared out over torch's threads, and summed in the same order
whatever their number. What isn't float32 on a device that has loops goes through ``composite``: see
``applies``. Gradients are float32, within 2e-5 of a float64 computation relative to the largest, and can't be
differentiated again.
"""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from thgeval.kernels.difference import adjoint as difference_adjoint
from thgeval.kernels.difference import cpu as difference
from thgeval.kernels.ssim import Windows
from thgeval.training import structure
from thgeval.training.sharing import shared_out

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
def plain_scale_terms(
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
    """`scale_terms` without a gradient."""
    through = Windows(window, sigma, k1, k2, weighting, sample_covariance)
    found = structure.terms(_array(generated), _array(reference), scales, through.taps, through.constants(peak))
    return _with_errors(found, generated, reference, peak) if absolute else torch.from_numpy(found)


@torch.library.custom_op("thgeval::scale_terms_and_gradients", mutates_args=(), device_types="cpu")
def scale_terms_and_gradients(
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
) -> tuple[Tensor, Tensor]:
    """The terms, and how each changes with the generated planes' pixels at its scale: (planes, pixels) float32."""
    through = Windows(window, sigma, k1, k2, weighting, sample_covariance)
    ours, theirs = _array(generated), _array(reference)
    found, changes = structure.terms_and_gradients(ours, theirs, scales, through.taps, through.constants(peak))
    return (
        _with_errors(found, generated, reference, peak) if absolute else torch.from_numpy(found),
        torch.from_numpy(changes),
    )


@torch.library.custom_op("thgeval::gathered_gradient", mutates_args=(), device_types="cpu")
def gathered_gradient(
    weights: Tensor, generated: Tensor, reference: Tensor, changes: Tensor, peak: float, scales: int
) -> Tensor:
    """The gradient of terms weighted by (planes, scales [+ 1]), by the generated planes: (planes, height, width)."""
    shares, of_error = _array(weights.float()), np.zeros(len(weights), np.float32)
    if weights.shape[1] > scales:
        of_error = _array((weights[:, scales] / (peak * generated[0].numel())).float())
    sides = _array(generated), _array(reference)
    return torch.from_numpy(structure.gathered(_array(changes), shares[:, :scales], of_error, *sides))


def scale_terms(generated: Tensor, reference: Tensor, *how: Any) -> Tensor:
    """Terms of every plane: (planes, height, width) float32 -> (planes, scales [+ 1]) float64.

    ``how`` are the peak, how many scales, whether the absolute difference is asked for, and the fields of ``Windows``.
    """
    first, second = (side.requires_grad and torch.is_grad_enabled() for side in (generated, reference))
    if not first and not second:
        return cast("Tensor", plain_scale_terms(generated, reference, *how))
    if not first:  # the terms are those of the sides exchanged
        return scale_terms(reference, generated, *how)
    terms: Tensor = scale_terms_and_gradients(generated, reference.detach(), *how)[0]
    if second:
        others: Tensor = scale_terms_and_gradients(reference, generated.detach(), *how)[0]
        terms = terms + (others - others.detach())
    return terms


@pixel_errors.register_fake
def _(generated: Tensor, reference: Tensor) -> Tensor:
    return generated.new_empty((generated.shape[0], 2), dtype=torch.float64)


@pixel_errors_gradient.register_fake
@gathered_gradient.register_fake
def _(weights: Tensor, generated: Tensor, *rest: Any) -> Tensor:
    return torch.empty_like(generated, memory_format=torch.contiguous_format)


@plain_scale_terms.register_fake
def _(generated: Tensor, reference: Tensor, peak: float, scales: int, absolute: bool, *windows: Any) -> Tensor:
    return generated.new_empty((generated.shape[0], scales + absolute), dtype=torch.float64)


@scale_terms_and_gradients.register_fake
def _(
    generated: Tensor, reference: Tensor, peak: float, scales: int, absolute: bool, *windows: Any
) -> tuple[Tensor, Tensor]:
    planes = generated.shape[0]
    pixels = sum(h * w for h, w in structure.sizes(generated.shape, scales))
    terms = generated.new_empty((planes, scales + absolute), dtype=torch.float64)
    return terms, generated.new_empty((planes, pixels))


def _remember_sides(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _of_errors(ctx: Any, weights: Tensor) -> tuple[Tensor | None, ...]:
    ours, theirs = ctx.saved_tensors
    first, second = ctx.needs_input_grad
    return (
        pixel_errors_gradient(weights, ours, theirs) if first else None,
        pixel_errors_gradient(weights, theirs, ours) if second else None,
    )


def _remember_changes(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:2], output[1])
    ctx.set_materialize_grads(False)  # nobody differentiates the changes
    ctx.peak, ctx.scales, ctx.further = inputs[2], inputs[3], len(inputs) - 1


def _of_terms(ctx: Any, weights: Tensor, _: Any) -> tuple[Tensor | None, ...]:
    return gathered_gradient(weights, *ctx.saved_tensors, ctx.peak, ctx.scales), *(None for _ in range(ctx.further))


pixel_errors.register_autograd(_of_errors, setup_context=_remember_sides)
scale_terms_and_gradients.register_autograd(_of_terms, setup_context=_remember_changes)


def _with_errors(found: NDArray[np.float64], generated: Tensor, reference: Tensor, peak: float) -> Tensor:
    """Terms, and the mean absolute difference over the peak as the last of them."""
    errors = pixel_errors(generated.flatten(1), reference.flatten(1))[:, :1] / (peak * generated[0].numel())
    return torch.cat([torch.from_numpy(found), errors], dim=1)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()
