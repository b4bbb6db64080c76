"""The one check every network makes of its input, and the normalisations several networks share."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from thgeval_models.errors import InputShapeError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Least:
    """Any size that is at least this large."""

    size: int


def check_shape(samples: Tensor, *sizes: int | Least, network: str) -> None:
    """Raise InputShapeError unless ``samples`` is a floating point batch of the given sizes behind the batch."""
    found = tuple(samples.shape[1:])
    fits = len(found) == len(sizes) and all(
        n >= size.size if isinstance(size, Least) else n == size for n, size in zip(found, sizes, strict=True)
    )
    if fits and samples.is_floating_point():
        return
    wanted = ", ".join(f">= {size.size}" if isinstance(size, Least) else str(size) for size in sizes)
    raise InputShapeError(
        f"{network} takes floating point batches of shape (N, {wanted}), not {samples.dtype} of shape "
        f"{tuple(samples.shape)}; convert or resize them first."
    )


def standardised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(images - mean) / std per channel, channels in dimension 1."""
    shape = (1, -1) + (1,) * (images.ndim - 2)
    return (images - torch.as_tensor(mean).to(images).view(shape)) / torch.as_tensor(std).to(images).view(shape)
