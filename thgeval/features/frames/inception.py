"""What Inception-v3 sees in a frame: pool3, 2048 numbers, the features behind FID, KID and precision and recall.

The network is the TensorFlow graph of 2015-12-05, in two ports: ``pytorch-fid`` (mseitzer) and ``nvidia``;
``torchvision`` is another network, of the same plan and another training, which scripts in circulation take for it.
Frames of any size become 299 x 299 in one of five ways, which is where FIDs part:

``bilinear``            float, not smoothed before it makes smaller (pytorch-fid, and clean-fid's legacy_pytorch)
``bilinear-antialias``  float, smoothed (torchmetrics since 1.8)
``bilinear-tf1``        as TensorFlow 1 did, corners of pixels at integers, not smoothed (clean-fid's legacy_tensorflow)
``bicubic-pil``         Pillow's bicubic on each channel as float, smoothed, cut to 0..255 (clean-fid's clean)
``bilinear-bgr``        OpenCV's bilinear on floats, not smoothed, red and blue exchanged (evaluation_eat)

The first and the last end in 2x - 1 of [0, 1], the others in (x - 128) / 128 of [0, 255], as their programs have it;
torchvision's network takes what it is shown for brought to ImageNet's mean and spread, and undoes that.

Sources: Heusel et al., NeurIPS 2017; Parmar, Zhang, Zhu, CVPR 2022 (what resizing does to FID); mseitzer/pytorch-fid
0.3.0, GaParmar/clean-fid 0.1.35, torchmetrics 1.9.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval import networks
from thgeval.feature import Grain, feature
from thgeval.features.frames.frames import bicubic_plane, rgb
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Weights

if TYPE_CHECKING:
    from torch import Tensor

SIDE_PX = 299
DIMENSIONS = 2048
PORTS: Mapping[str, str] = MappingProxyType(
    {"pytorch-fid": "inception-fid", "nvidia": "inception-nvidia", "torchvision": "inception-torchvision"}
)


@feature(rgb, version=1, requires=lambda port, **_: (networks.TORCH, Weights(PORTS[port])))
def inception(frames: FrameBatch, *, port: str = "pytorch-fid", resize: str = "bilinear") -> NDArray[np.float32]:
    """pool3 of every frame: (frames, 2048); ``port`` and ``resize`` as the module says."""
    if not len(frames):
        return np.empty((0, DIMENSIONS), np.float32)
    with networks.alone():
        return _seen(RESIZES[resize](frames.new, frames.peak), port)


@feature(rgb, version=1, requires=(networks.TORCH,))
def inception_input(frames: FrameBatch, *, resize: str) -> NDArray[np.float32]:
    """Every frame as the network is shown it: (frames, 3, 299, 299), 1 MB each."""
    if not len(frames):
        return np.empty((0, 3, SIDE_PX, SIDE_PX), np.float32)
    with networks.alone():
        shown: NDArray[np.float32] = RESIZES[resize](frames.new, frames.peak).contiguous().numpy()
        return shown


@feature(
    lambda resize, **_: inception_input(resize=resize),
    version=1,
    grain=Grain.CLIP,
    requires=lambda port, **_: (networks.TORCH, Weights(PORTS[port])),
)
def sampled_inception(shown: NDArray[np.float32], *, port: str, resize: str, frames: int) -> NDArray[np.float32]:
    """pool3 of ``frames`` of a clip's frames, evenly spread from its first on, or of all if it has fewer: (rows, 2048).

    ``resize`` is what the input was made by.
    """
    import torch

    chosen = np.linspace(0, len(shown), min(len(shown), frames), endpoint=False).astype(np.int64)
    with networks.alone():
        return _seen(torch.from_numpy(shown[chosen]), port)


def _seen(images: "Tensor", port: str) -> NDArray[np.float32]:
    """pool3 of the network's input."""
    if port == "torchvision":
        from thgeval_models.inception_tf import torchvision_input

        images = torchvision_input(images)
    return networks.rows(networks.published(PORTS[port]), images)


def _bilinear(pixels: NDArray[Any], peak: float) -> "Tensor":
    from thgeval_models.inception_tf import legacy_input

    return legacy_input(networks.as_images(pixels, peak))


def _antialias(pixels: NDArray[Any], peak: float) -> "Tensor":
    from torch.nn.functional import interpolate

    from thgeval_models.inception_tf import clean_input

    images = networks.as_images(pixels, peak, white=255.0)
    size = (SIDE_PX, SIDE_PX)
    return clean_input(interpolate(images, size=size, mode="bilinear", align_corners=False, antialias=True))


def _tensorflow(pixels: NDArray[Any], peak: float) -> "Tensor":
    from thgeval_models.inception_tf import clean_input

    images = networks.as_images(pixels, peak, white=255.0)
    for axis in (2, 3):
        images = _tensorflow_line(images, axis)
    return clean_input(images)


def _tensorflow_line(images: "Tensor", axis: int) -> "Tensor":
    """New pixel i lies at i x old size / new size, between the old pixels on either side of that place."""
    import torch

    size = images.shape[axis]
    place = torch.arange(SIDE_PX, dtype=torch.float32) * (size / SIDE_PX)
    before = place.floor().long().clamp(max=size - 1)
    after = (before + 1).clamp(max=size - 1)
    share = (place - before).view([-1 if dimension == axis else 1 for dimension in range(4)])
    first, second = images.index_select(axis, before), images.index_select(axis, after)
    return first + (second - first) * share


def _pillow(pixels: NDArray[Any], peak: float) -> "Tensor":
    import torch

    from thgeval_models.inception_tf import clean_input

    planes = (pixels.astype(np.float32) * np.float32(255.0 / peak)).transpose(0, 3, 1, 2)
    small = np.stack([[pillow_plane(plane) for plane in frame] for frame in planes])
    return clean_input(torch.from_numpy(small))


def pillow_plane(plane: NDArray[np.float32], side_px: int = SIDE_PX) -> NDArray[np.float32]:
    """One channel, (height, width) in [0, 255], as a square by Pillow's bicubic filter on floats, cut to that range."""
    return np.clip(bicubic_plane(plane, side_px), 0, 255)


def _opencv_bgr(pixels: NDArray[Any], peak: float) -> "Tensor":
    import torch

    levels = pixels.astype(np.float32) / np.float32(peak)
    small = np.stack([cv2.resize(frame[..., ::-1], (SIDE_PX, SIDE_PX)) for frame in levels])
    return 2 * torch.from_numpy(small.transpose(0, 3, 1, 2)) - 1


RESIZES: Mapping[str, Callable[[NDArray[Any], float], "Tensor"]] = MappingProxyType(
    {
        "bilinear": _bilinear,
        "bilinear-antialias": _antialias,
        "bilinear-tf1": _tensorflow,
        "bicubic-pil": _pillow,
        "bilinear-bgr": _opencv_bgr,
    }
)
