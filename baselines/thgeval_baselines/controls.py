"""Controls: clips whose rank is known before anything is measured.

A metric is judged by how it ranks these. The copy must be best or tied for best wherever there is a reference; a still
picture must not win a metric of motion; stronger blur, noise and compression must not score better than weaker; a
picture late against its sound must lose synchrony.

Each control changes frames only, (frames, height, width, 3) ``uint8`` RGB, as many as went in; the sound stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError

Frames: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Control:
    """One control: what it does to frames, and how its file is made.

    ``crf`` is the quality of its encoding, None for the reference's own; with ``file_copied`` nothing is encoded anew,
    the reference's file is copied byte for byte.
    """

    name: str
    summary: str
    frames: Callable[[Frames], Frames]
    crf: int | None = None
    file_copied: bool = False


def unchanged(frames: Frames) -> Frames:
    """The frames as they are."""
    return frames


def still(frames: Frames) -> Frames:
    """The first frame throughout."""
    return np.repeat(frames[:1], len(frames), axis=0)


def shifted(frames: Frames, *, by: int) -> Frames:
    """Every frame ``by`` frames later than it was; the first one is held, the last ``by`` are dropped.

    A negative ``by`` is earlier, holding the last one. Raises ``ProtocolError`` where no frame would be left.
    """
    if abs(by) >= len(frames):
        raise ProtocolError(f"a clip of {len(frames)} frames can't be shifted by {by}, use a longer clip")
    return frames[np.clip(np.arange(len(frames)) - by, 0, len(frames) - 1)]


def blurred(frames: Frames, *, sigma_px: float) -> Frames:
    """A Gaussian blur of every frame."""
    return np.stack([np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma_px), np.uint8) for frame in frames])


def noisy(frames: Frames, *, sigma: float, seed: int = 0) -> Frames:
    """Gaussian noise of ``sigma`` grey levels on every channel, drawn from a seed."""
    rng = np.random.default_rng(seed)
    noise = (rng.standard_normal(frame.shape, dtype=np.float32) * np.float32(sigma) for frame in frames)
    return np.stack(
        [np.rint(np.clip(frame + n, 0, 255)).astype(np.uint8) for frame, n in zip(frames, noise, strict=True)]
    )


_TABLE = (
    Control("copy", "the reference itself, byte for byte", unchanged, file_copied=True),
    Control("still", "the first frame throughout", still),
    Control("shift5", "the picture five frames late against the sound", partial(shifted, by=5)),
    Control("blur1", "Gaussian blur of 1 px", partial(blurred, sigma_px=1.0)),
    Control("blur3", "Gaussian blur of 3 px", partial(blurred, sigma_px=3.0)),
    Control("noise5", "Gaussian noise of 5 grey levels, then CRF 18", partial(noisy, sigma=5.0), crf=18),
    Control("crf18", "H.264 at CRF 18: light compression", unchanged, crf=18),
    Control("crf30", "H.264 at CRF 30: visible compression", unchanged, crf=30),
    Control("crf42", "H.264 at CRF 42: heavy compression", unchanged, crf=42),
)

CONTROLS: dict[str, Control] = {control.name: control for control in _TABLE}
