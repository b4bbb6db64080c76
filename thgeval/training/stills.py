"""Strips of a clip: some of its frames beside each other, generated above the reference's."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.media.stills import image_file, levels_of, shrunk
from thgeval.training.tensors import FramePair

COLUMNS, HEIGHT_PX, LIMIT = 5, 128, 60_000
"""Frames in a strip, the most px of each in height, and how many bytes a file of it may have."""


@dataclass(frozen=True)
class Still:
    """A clip as a strip: its value of a metric, and the WebP file's content."""

    clip: str
    key: str
    value: float
    content: bytes

    @property
    def image(self) -> NDArray[np.uint8]:
        """The strip, (height, width, 3) RGB, as loggers take pictures."""
        return np.asarray(Image.open(io.BytesIO(self.content)).convert("RGB"))


def pair_strip(pair: FramePair) -> bytes:
    """The strip of the first clip of a pair, as a WebP file."""
    sides = [side[0] for side in (pair.generated, pair.reference) if side is not None]
    shown = np.unique(np.linspace(0, len(sides[0]) - 1, COLUMNS).round().astype(int)).tolist()
    rows = []
    for side in sides:
        frames = side[shown].expand(-1, 3, -1, -1).permute(0, 2, 3, 1).float().cpu().numpy() / np.float32(pair.peak)
        rows.append(np.concatenate([shrunk(levels_of(frame), HEIGHT_PX) for frame in frames], axis=1))
    height = len(rows) * HEIGHT_PX
    return image_file(np.concatenate(rows), LIMIT, settings=((height, 82), (height, 50)))
