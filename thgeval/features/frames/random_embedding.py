"""Embeddings by networks with random weights: what frames and clips look like to a network that has learned nothing.

Rows are float32 and 64 wide. The weights are computed from a seed, so they need no file and are the same on every
machine (see ``thgeval_models.random_features``). The smaller the frames are made, the less fine detail is seen.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import resized
from thgeval.features.frames.windows import span, squares, windows
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Weights

SEED = 20200713  # that of thgeval_models.random_features, which can't be asked without importing torch
DIMENSIONS = 64


@feature(
    lambda side_px, **_: resized(side_px=side_px),
    version=1,
    requires=lambda seed, **_: (networks.TORCH, Weights("random-vgg16")) if seed == SEED else (networks.TORCH,),
)
def random_embedding(frames: FrameBatch, *, side_px: int = 64, seed: int = SEED) -> NDArray[np.float32]:
    """Embedding of every frame, brought to a square of ``side_px``: (frames, 64)."""
    if not len(frames):
        return np.empty((0, DIMENSIONS), np.float32)
    return networks.rows(_network("image", seed), networks.as_images(frames.new, frames.peak))


@feature(
    lambda side_px, length, stride, start, which, **_: squares(
        side_px=side_px, start=start, count=span(length, stride) if which == "first" else 0
    ),
    version=1,
    grain=Grain.CLIP,
    requires=lambda seed, **_: (networks.TORCH, Weights("random-vgg16-3d")) if seed == SEED else (networks.TORCH,),
)
def random_clip_embedding(
    held: NDArray[np.float32],
    *,
    length: int = 16,
    stride: int = 1,
    start: int = 0,
    which: str = "first",
    side_px: int = 64,
    seed: int = SEED,
) -> NDArray[np.float32]:
    """Embedding of every window (see ``thgeval.features.frames.windows``): (windows, 64)."""
    import torch

    seen = windows(held, length=length, stride=stride, start=start, which=which)
    return networks.rows(_network("clip", seed), torch.from_numpy(seen))


def _network(kind: Any, seed: int) -> Any:
    def load() -> Any:
        from thgeval_models import random_features

        return networks.channels_last(random_features.build(kind, seed))

    return networks.loaded(("random", kind, seed), load)
