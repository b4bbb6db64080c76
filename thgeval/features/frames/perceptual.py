"""LPIPS: how far apart two frames are in the feature maps of a classification network.

One distance per frame, from 0; the frames keep their size. The trunk is torchvision's, the heads are those of the
``lpips`` package (see ``thgeval_models.lpips``). White enters as 1, and ``black`` as -1, which the
network was made for (``minus-one``), or as 0, as scripts have it that leave out ``normalize`` (``zero``).

Source: Zhang, Isola, Efros, Shechtman, Wang, CVPR 2018.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.errors import InputError
from thgeval.feature import Grain, feature, resting_on
from thgeval.features.frames.frames import Neighbours, neighbours, rgb
from thgeval.features.frames.inner import inner_frames
from thgeval.features.frames.lagged import lagged
from thgeval.media.frames import FrameBatch, Pixels
from thgeval.requirements import Weights, weights

if TYPE_CHECKING:
    from torch import Tensor

TRUNKS = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet"}
HEADS = {"0.1": "lpips-{}", "0.0": "lpips-{}-v00"}
BLACKS = ("minus-one", "zero")
MEANS = ("layers", "map")
SMALLEST_PX = 32


def files(trunk: str, release: str, **_: Any) -> tuple[str, str]:
    """Names of the weights of trunk and heads."""
    return TRUNKS[trunk], HEADS[release].format(trunk)


@feature(rgb, version=1, grain=Grain.PAIR, requires=lambda **how: (networks.TORCH, *map(Weights, files(**how))))
def perceptual_distance(
    generated: FrameBatch,
    reference: FrameBatch,
    *,
    trunk: str = "alex",
    release: str = "0.1",
    black: str = "minus-one",
    mean: str = "layers",
) -> NDArray[np.float64]:
    """LPIPS of every pair of frames: (frames,).

    ``mean`` is taken of each layer's map (``layers``), or of the sum of all maps, enlarged to the frame (``map``).
    """
    if not len(generated):
        return np.empty(0, np.float64)
    network = lpips_network(trunk, release)
    with networks.alone():
        ours, theirs = (_input(side.new, side.peak, black) for side in (generated, reference))
    distances = networks.rows(network.map_mean if mean == "map" else network, generated=ours, reference=theirs)
    return distances.astype(np.float64)


@feature(
    rgb,
    version=1,
    grain=Grain.PAIR,
    halo=lambda band, **_: band,
    requires=lambda trunk, release, **_: (networks.TORCH, *map(Weights, files(trunk, release))),
)
def perceptual_lagged(
    generated: FrameBatch, reference: FrameBatch, *, trunk: str, release: str, black: str, band: int
) -> NDArray[np.float64]:
    """LPIPS of every pair of frames, and of frames up to ``band`` before: see ``lagged``."""
    network = lpips_network(trunk, release)

    def see(pixels: Pixels, peak: float) -> NDArray[np.float32]:
        with networks.alone():
            images = _input(pixels, peak, black)
        return networks.rows(network.described, images)

    return lagged(generated, reference, band=band, see=see)


@feature(
    lambda part, **_: resting_on(neighbours(), old=rgb, new=inner_frames()) if part == "inner" else neighbours(),
    version=1,
    requires=lambda **how: (networks.TORCH, *map(Weights, files(**how))),
)
def perceptual_change(
    beside: Neighbours, *, trunk: str = "alex", release: str = "0.1", part: str = "inner"
) -> NDArray[np.float64]:
    """LPIPS of each frame and the one before it, of their middle or whole: (transitions,)."""
    if not len(beside.current):
        return np.empty(0, np.float64)
    with networks.alone():
        before, after = (_input(side, beside.peak, "minus-one") for side in (beside.previous, beside.current))
    changes = networks.rows(lpips_network(trunk, release), generated=after, reference=before)
    return changes.astype(np.float64)


def _input(frames: NDArray[Any], peak: float, black: str) -> "Tensor":
    height, width = frames.shape[1:3]
    if min(height, width) < SMALLEST_PX:
        raise InputError(
            f"LPIPS needs frames of at least {SMALLEST_PX} px a side, not {width}x{height}; "
            "choose --size PX (or --protocol thg256)",
            reason="too small",
        )
    images = networks.as_images(frames, peak)
    return 2 * images - 1 if black == "minus-one" else images


def lpips_network(trunk: str, release: str) -> Any:
    """LPIPS of a trunk and a release; it is shown images in [-1, 1]."""
    names = files(trunk, release)
    key = (*names, *(weights.token(name) for name in names))
    return networks.loaded(key, lambda: networks.channels_last(trainable(trunk, release)))


def trainable(trunk: str, release: str, paths: tuple[Path, Path] | None = None) -> Any:
    """A copy of that network through which gradients go; ``paths`` are trunk and heads, if not the manifest's."""
    from thgeval_models.networks import perceptual_distance as made

    if paths is not None:
        return made(trunk, *paths, release)  # type: ignore[arg-type]
    names = files(trunk, release)
    with weights.opened(names[0]) as first, weights.opened(names[1]) as second:
        return made(trunk, first, second, release)  # type: ignore[arg-type]
