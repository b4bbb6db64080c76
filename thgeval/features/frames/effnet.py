"""What EfficientNet-Lite0, a small classifier of photographs, sees in a frame: features with nothing but pip.

The network comes in a package of the index (extra ``trained``) and is trained on ImageNet, as Inception-v3 is; its
numbers are its own all the same. Frames of any size become 224 x 224 first, bilinear, smoothed, aspect not kept.

Source: Tan, Le, ICML 2019; see ``thgeval_models.efficientnet``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import rgb
from thgeval.features.frames.lagged import lagged
from thgeval.features.frames.windows import windowed
from thgeval.media.frames import FrameBatch, Pixels
from thgeval.requirements import Package, Weights

EFFNET = "efficientnet-lite0"
RESIZE = "bilinear-antialias"
TRAINED = (Package("torch", extra="trained"), Weights(EFFNET))
SIDE_PX = 224
DIMENSIONS, PLACES = 1280, 344_960


class EffNetRows(NamedTuple):
    """Frames as the network sees them.

    ``pooled`` is (frames, 1280); ``maps`` (frames, 344960) are five layers' maps, whose channels have length 1 at each
    place, scaled so that squared distances are means over places and layers.
    """

    pooled: NDArray[np.float32]
    maps: NDArray[np.float32]


@feature(rgb, version=1, requires=TRAINED)
def effnet(frames: FrameBatch) -> EffNetRows:
    """Features and maps of every frame."""
    if not len(frames):
        return EffNetRows(np.empty((0, DIMENSIONS), np.float32), np.empty((0, PLACES), np.float32))
    return _described(frames.new, frames.peak)


def _described(pixels: Pixels, peak: float) -> EffNetRows:
    from torch.nn.functional import interpolate

    network = networks.published(EFFNET)
    with networks.alone():
        images = networks.as_images(pixels, peak, white=255.0)
        shown = interpolate(images, (SIDE_PX, SIDE_PX), mode="bilinear", align_corners=False, antialias=True)
    rows = networks.rows(network.described, shown)
    return EffNetRows(rows[:, :DIMENSIONS], rows[:, DIMENSIONS:])


@feature(effnet(), version=1)
def effnet_pooled(seen: EffNetRows) -> NDArray[np.float32]:
    """1,280 numbers for every frame: (frames, 1280)."""
    return np.ascontiguousarray(seen.pooled)


@feature(effnet(), version=1, grain=Grain.PAIR)
def effnet_distance(generated: EffNetRows, reference: EffNetRows) -> NDArray[np.float64]:
    """Squared distance of directions, mean over the places of five layers' maps: (frames,), from 0 to 4."""
    apart = (generated.maps - reference.maps).astype(np.float64)
    return np.asarray((apart**2).sum(axis=1))


@feature(rgb, version=1, grain=Grain.PAIR, halo=lambda band: band, requires=TRAINED)
def effnet_lagged(generated: FrameBatch, reference: FrameBatch, *, band: int) -> NDArray[np.float64]:
    """The same distance, and those of frames up to ``band`` before: see ``lagged``."""
    return lagged(generated, reference, band=band, see=lambda pixels, peak: _described(pixels, peak).maps)


@feature(effnet_pooled(), version=1, grain=Grain.CLIP)
def effnet_windows(
    pooled: NDArray[np.float32], *, length: int, stride: int, start: int, which: str
) -> NDArray[np.float32]:
    """Windows of frames (see ``thgeval.features.frames.windows``): (windows, 2560).

    The mean of the features over a window's frames, and the mean of how much they change from frame to frame.
    """
    seen = windowed(pooled[start:], length=length, stride=stride, start=start, which=which)
    return np.concatenate([seen.mean(axis=1), np.abs(np.diff(seen, axis=1)).mean(axis=1)], axis=1)
