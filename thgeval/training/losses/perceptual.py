"""LPIPS as a loss: the distance of feature maps, through a network that stays as it is."""

from pathlib import Path

import torch
from torch import Tensor, nn

from thgeval.features.frames.perceptual import trainable
from thgeval.training.tensors import DataRange, both_sides, checked_layout, stated


class LPIPSLoss(nn.Module):
    """How different frames look from their reference to a classification network: the loss of ``lpips``.

    ``trunk`` is ``alex``, ``vgg`` or ``squeeze``; ``weights`` are the files of trunk and heads, those of the manifest
    unless told (WeightsError where they are missing). Or give a ``network`` of your own, which takes ``generated`` and
    ``reference`` images in [-1, 1] and gives a distance each. It is frozen; the frames' gradient goes through it.
    """

    def __init__(
        self,
        *,
        data_range: DataRange = None,
        trunk: str = "alex",
        release: str = "0.1",
        weights: tuple[str | Path, str | Path] | None = None,
        network: nn.Module | None = None,
        layout: str | None = None,
    ) -> None:
        super().__init__()
        paths = None if weights is None else (Path(weights[0]), Path(weights[1]))
        self.network = (
            (network if network is not None else trainable(trunk, release, paths)).eval().requires_grad_(False)
        )
        self.data_range, self.layout = stated(data_range), checked_layout(layout)

    def train(self, mode: bool = True) -> "LPIPSLoss":
        """The network never trains, whatever its owner does."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, generated: Tensor, reference: Tensor) -> Tensor:
        """The mean distance over frames: a scalar."""
        pair = both_sides(generated, reference, self.data_range, self.layout)
        ours, theirs = (side.to(torch.float32) * (2 / pair.peak) - 1 for side in pair.of_frames())
        distances: Tensor = self.network(generated=_in_colour(ours), reference=_in_colour(theirs))
        return distances.mean()


def _in_colour(frames: Tensor) -> Tensor:
    return frames.expand(-1, 3, -1, -1)
