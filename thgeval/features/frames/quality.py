"""hyperIQA: how good a frame looks by itself, to a network trained on people's opinions of photographs.

The authors' demo makes each image 384 px wide and 512 px high, whatever its shape, cuts ten random squares of 224 px
and takes the mean of what the network says of each. Here the places of the squares follow from a seed, and are the
same in every frame.

Source: Su et al., CVPR 2020; ``demo.py`` of SSL92/hyperIQA.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval import networks
from thgeval.feature import feature
from thgeval.features.frames.frames import rgb
from thgeval.media.frames import FrameBatch
from thgeval.requirements import Weights

WIDTH_PX, HEIGHT_PX, CROP_PX = 384, 512, 224
WEIGHTS = "hyperiqa"


@feature(rgb, version=1, requires=(networks.TORCH, Weights(WEIGHTS)))
def quality(frames: FrameBatch, *, crops: int = 10, seed: int = 0) -> NDArray[np.float64]:
    """Quality of every frame on KonIQ-10k's scale of about 0 to 100, the mean over ``crops`` squares: (frames,)."""
    network = networks.published(WEIGHTS)
    corners = places(crops, seed)
    return np.array([_judged(network, frame, frames.peak, corners) for frame in frames.new], np.float64)


def places(crops: int, seed: int) -> NDArray[np.int64]:
    """Upper left corners of the squares, as (crops, 2) rows and columns."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return rng.integers(0, (HEIGHT_PX - CROP_PX + 1, WIDTH_PX - CROP_PX + 1), size=(crops, 2))


def _judged(network: Any, frame: NDArray[Any], peak: float, corners: NDArray[np.int64]) -> float:
    image = Image.fromarray(networks.as_bytes(frame, peak))
    resized = np.asarray(image.resize((WIDTH_PX, HEIGHT_PX), resample=Image.Resampling.BILINEAR))
    squares = np.stack([resized[top : top + CROP_PX, left : left + CROP_PX] for top, left in corners])
    return float(networks.rows(network, networks.as_images(squares, 255.0)).mean(dtype=np.float64))
