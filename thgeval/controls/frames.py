"""What frames alone can suffer: (height, width, 3) ``uint8`` RGB frames go in one by one, and as many come out.

Nothing holds more than a few frames, so that videos may be of any length.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError

Levels: TypeAlias = NDArray[np.uint8]


def still(frames: Iterable[Levels]) -> Iterator[Levels]:
    """The first frame throughout."""
    first = None
    for frame in frames:
        first = frame if first is None else first
        yield first


def late(frames: Iterable[Levels], *, by: int) -> Iterator[Levels]:
    """Every frame ``by`` frames later than it was; the first one is held, the last ``by`` are dropped.

    Raises ``ProtocolError`` where no frame would be left.
    """
    waiting: deque[Levels] = deque()
    count = 0
    for count, frame in enumerate(frames, 1):
        waiting += [frame] * (by if count == 1 else 0)
        waiting.append(frame)
        yield waiting.popleft()
    if count <= by:
        raise ProtocolError(f"a clip of {count} frames can't be shifted by {by}, use a longer clip")


def blurred(frames: Iterable[Levels], *, sigma_px: float) -> Iterator[Levels]:
    """A Gaussian blur of every frame."""
    for frame in frames:
        yield np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma_px), np.uint8)


def noisy(frames: Iterable[Levels], *, sigma: float, seed: int = 0) -> Iterator[Levels]:
    """Gaussian noise of ``sigma`` grey levels on every channel, drawn from a seed."""
    rng = np.random.default_rng(seed)
    for frame in frames:
        noise = rng.standard_normal(frame.shape, dtype=np.float32) * np.float32(sigma)
        yield np.rint(np.clip(frame + noise, 0, 255)).astype(np.uint8)
