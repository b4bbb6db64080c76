"""A sound file in windows, however long it is: mono at 16 kHz, a little of what is before and after with each."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from numpy.typing import NDArray

from thgeval.errors import InputError

RATE_HZ = 16000


class Window(NamedTuple):
    """``samples`` of which the first ``before`` belong to the window before, and the last ``after`` to the next."""

    samples: NDArray[np.float32]
    before: int
    after: int


def windows(path: Path, *, core: int = 20 * RATE_HZ, around: int = RATE_HZ) -> Iterator[Window]:
    """The sound of a file in cores of ``core`` samples, each with up to ``around`` more on either side.

    Nothing but one window is held. Raises ``InputError`` for a file without sound or one that can't be decoded.
    """
    held, before = np.zeros(0, np.float32), 0
    for block in blocks(path):
        held = np.concatenate([held, block])
        while len(held) >= before + core + around:
            yield Window(held[: before + core + around], before, around)
            kept = before + core - min(around, before + core)
            held, before = held[kept:], before + core - kept
    if len(held) > before:
        yield Window(held, before, 0)


def blocks(path: Path) -> Iterator[NDArray[np.float32]]:
    """The first audio track of a file as it is decoded, (samples,) in [-1, 1] each."""
    found = False
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise InputError(f"{path.name} has no sound, give speech", reason="no audio")
            resampler = AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
            for frame in container.decode(container.streams.audio[0]):
                frame.pts = None
                for part in resampler.resample(frame):
                    found = found or part.samples > 0
                    yield np.asarray(part.to_ndarray().reshape(-1), np.float32)
            for part in resampler.resample(None):
                yield np.asarray(part.to_ndarray().reshape(-1), np.float32)
    except (FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{path.name} can't be read as sound: {error}", reason="corrupt") from error
    if not found:
        raise InputError(f"{path.name} has no sound in it, give speech", reason="no audio")
