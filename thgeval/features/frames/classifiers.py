"""Which classifier of photographs stands behind FID, KID, and precision and recall: whose features are a frame's row.

``pytorch-fid``, ``nvidia`` and ``torchvision`` are Inception-v3 (``inception``), whose frames become square in several
ways; ``efficientnet-lite0`` is another network altogether (``effnet``), whose frames become square in one.
"""

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.frames.effnet import EFFNET, RESIZE, effnet_pooled
from thgeval.features.frames.inception import PORTS, inception

CLASSIFIERS = (*PORTS, EFFNET)


def classified(*, port: str, resize: str) -> Feature[NDArray[np.float32]]:
    """The features of every frame: (frames, 2048) of Inception-v3, (frames, 1280) of EfficientNet-Lite0."""
    return effnet_pooled() if port == EFFNET else inception(port=port, resize=resize)


def check_resize(*, port: str, resize: str) -> None:
    """Refuse a way to make frames square that a network isn't shown: ProtocolError."""
    if port == EFFNET and resize != RESIZE:
        raise ProtocolError(f"port={EFFNET} is shown frames of resize={RESIZE} alone, not {resize}")
