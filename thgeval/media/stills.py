"""Still pictures of clips: frames evenly over a clip's length, and files that are as small as asked.

Pictures are (height, width, 3) RGB in uint8, whatever a clip holds.
"""

import io
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thgeval.clip import Clip, Excerpt
from thgeval.media.decoder import decode

WEBP = ((256, 82), (256, 60), (256, 40), (192, 40), (128, 40), (96, 30), (64, 20))
"""Height in px and quality, tried in this order until a picture fits."""


def spread(clip: Clip, count: int) -> list[NDArray[np.uint8]]:
    """``count`` frames of a clip, evenly over its length from its first on.

    Raises ``InputError`` for a clip that can't be read or has fewer frames.
    """
    with decode(replace(clip, excerpt=Excerpt(frames=count)), chunk=1) as batches:
        return [levels_of(np.asarray(batch.new[0], np.float32) / np.float32(batch.peak)) for batch in batches]


def levels_of(shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shares of white as levels from 0 to 255."""
    return np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)


def shrunk(image: NDArray, height_px: int) -> NDArray:  # type: ignore[type-arg]
    """The image no higher than that, averaged over area."""
    height, width = image.shape[:2]
    if height <= height_px:
        return image
    return np.asarray(
        cv2.resize(image, (max(1, round(width * height_px / height)), height_px), interpolation=cv2.INTER_AREA)
    )


def image_file(
    picture: NDArray[np.uint8],
    limit: int,
    *,
    kind: str = "WEBP",
    settings: Sequence[tuple[int, int]] = WEBP,
    **how: object,
) -> bytes:
    """A picture as a file, in the first of ``settings`` that fits ``limit`` bytes, or the last.

    ``kind`` and ``how`` are Pillow's format and its options.
    """
    content = b""
    for height_px, quality in settings:
        held = io.BytesIO()
        Image.fromarray(shrunk(picture, height_px)).save(held, kind, quality=quality, **how)
        content = held.getvalue()
        if len(content) <= limit:
            break
    return content
