"""Losses of what happens between frames of clips, ``BTCHW``, or of one clip, ``TCHW``."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from thgeval.errors import InputError
from thgeval.training.tensors import DataRange, FramePair, Span, both_sides, stated


class TemporalWarpLoss(nn.Module):
    """How much the colour of a point changes while it moves: the loss of ``temporal-warp-error``.

    Each frame read along the flow that leads to it, bilinear, against the frame before it: mean squared difference over
    visible pixels and channels, where white is 1, then over pairs of frames, as Lai et al., ECCV 2018, have it. The
    flow is the reference's, (..., frames - 1, height, width, 2) in px, x first; ``visible`` says which pixels of the
    earlier frame the later one shows, (..., frames - 1, height, width), all whose flow stays inside unless told.
    """

    def __init__(self, *, data_range: DataRange = None) -> None:
        super().__init__()
        self.data_range = stated(data_range)

    def forward(self, generated: Tensor, flow: Tensor, visible: Tensor | None = None) -> Tensor:
        """The mean over pairs of frames: a scalar."""
        pair, clips = _clips(generated, None, self.data_range)
        steps, height, width = clips.shape[1] - 1, *clips.shape[-2:]
        before, after = clips[:, :-1].flatten(0, 1), clips[:, 1:].flatten(0, 1)
        if flow.numel() != before.shape[0] * height * width * 2 or flow.shape[-3:] != (height, width, 2):
            raise InputError(
                f"flow of shape {tuple(flow.shape)} is not that of {steps} steps of {width}x{height} px in "
                f"{len(clips)} clips",
                reason="shape mismatch",
            )
        along = flow.reshape(-1, height, width, 2).to(before.dtype)
        target = along + _places(height, width, along)
        limit = target.new_tensor([width - 1, height - 1])
        inside = ((target >= 0) & (target <= limit)).all(-1)
        shown = inside if visible is None else inside & visible.reshape(inside.shape).bool()
        read = functional.grid_sample(after, 2 * target / limit.clamp(min=1) - 1, mode="bilinear", align_corners=True)
        error = ((read - before) / pair.peak).square().mean(1) * shown
        counts = shown.sum((1, 2))
        means = error.sum((1, 2)) / counts.clamp(min=1)
        return means.sum() / (counts > 0).sum().clamp(min=1)


class FlickerLoss(nn.Module):
    """How much more or less each pixel changes from frame to frame than the reference's: mean absolute difference.

    |(x_t - x_t-1) - (y_t - y_t-1)|, where white is 1: a still error costs nothing, one that comes and goes does.
    """

    def __init__(self, *, data_range: DataRange = None) -> None:
        super().__init__()
        self.data_range = stated(data_range)

    def forward(self, generated: Tensor, reference: Tensor) -> Tensor:
        """The mean over pixels, channels and pairs of frames: a scalar."""
        pair, ours = _clips(generated, reference, self.data_range)
        theirs = pair.reference
        assert theirs is not None  # noqa: S101 - for the type checker: both sides were given
        return ((ours.diff(dim=1) - theirs.diff(dim=1)) / pair.peak).abs().mean()


def _clips(generated: Tensor, reference: Tensor | None, data_range: Span | None) -> tuple[FramePair, Tensor]:
    """Clips of two frames or more."""
    pair = both_sides(generated, reference, data_range, "TCHW" if generated.ndim == 4 else "BTCHW")
    if pair.generated.shape[1] < 2:
        raise InputError("what changes between frames needs two frames or more", reason="too short")
    return pair, pair.generated


def _places(height: int, width: int, like: Tensor) -> Tensor:
    """Where each pixel is, x first: (height, width, 2)."""
    rows, columns = (torch.arange(side, dtype=like.dtype, device=like.device) for side in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y], dim=-1)
