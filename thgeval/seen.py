"""What was found in frames that were looked at before: for several runs in one process that share clips.

Whoever scores many systems against the same references would have the references' faces found again for every system.
A ``Seen`` that is given to all of these runs holds what features found in each chunk of frames, under the feature and
the frames themselves: their pixels, and everything else that a feature can see of them. A value is thus taken up again
only where it would have come out the same, whatever the clip is called or however it was prepared.

Held is what is small beside the frames, such as boxes and landmarks; flow or luma are not. For many systems over few
references, ``Seen(large=True)`` also holds what is large and slow to compute, of references alone: flow and what
networks see, but not luma. What was used longest ago is dropped where there is too much. Where networks run on another
device than the CPU, nothing is held.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from time import perf_counter
from typing import Any, TypeVar, cast

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.feature import Feature, Grain
from thgeval.media.frames import FrameBatch
from thgeval.networks import devices
from thgeval.requirements import Pins, Program

T = TypeVar("T")
MOST_BYTES = 256 << 20
SHARE = 4
"""Held is what has at most the bytes of its frames over this."""
SLOW_S = 4e-9
"""Seconds a byte from which on a large value is worth its room: luma takes a tenth of that, flow four times as much."""


class Seen:
    """Values of features by the frames they were computed from, for any number of runs and threads.

    With ``large``, ``most_bytes`` should have room for all references: about 300 MB for 100 frames of 256 px and every
    metric.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, *, large: bool = False) -> None:
        if most_bytes < 0:
            raise ProtocolError(f"most_bytes must be a whole number from 0 up, not {most_bytes!r}")
        self._most = most_bytes
        self.large = large
        self._bytes = 0
        self._held: OrderedDict[tuple[Any, ...], tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"Seen({len(self._held)} values, {self._bytes} bytes)"

    def found(self, key: tuple[Any, ...]) -> Any:
        """What is held under a key, or None."""
        with self._lock:
            if key not in self._held:
                return None
            self._held.move_to_end(key)
            return self._held[key][0]

    def keep(self, key: tuple[Any, ...], value: Any, size: int) -> None:
        """Hold a value of so many bytes, and drop what was used longest ago until all fits."""
        with self._lock:
            if key not in self._held:
                self._held[key] = value, size
                self._bytes += size
            while self._bytes > self._most:
                self._bytes -= self._held.popitem(last=False)[1][1]


@dataclass(frozen=True)
class SeenChunk:
    """One chunk of frames of one side, and what was found in the same frames before, with the same requirements."""

    seen: Seen
    pins: Pins
    frames: FrameBatch
    of_reference: bool = False
    _digests: dict[int, bytes] = field(default_factory=dict)

    def value(self, feature: Feature[T], compute: Callable[[], T]) -> T:
        """The feature's value in these frames: as it was found before, or computed; errors are not held."""
        halo = _halo(feature)
        if halo is None or devices.batches() is not None:
            return compute()
        made_by = tuple(source.identity(self.pins) for source in feature.closure())  # names weights by what they are
        key = (feature, made_by, self._digest(halo))
        if (held := self.seen.found(key)) is not None:
            return cast("T", held)
        begun = perf_counter()
        value = compute()
        size = _size(value)
        if size is not None and self._is_worth(size, perf_counter() - begun):
            self.seen.keep(key, value, size)
        return value

    def _is_worth(self, size: int, took_s: float) -> bool:
        small = size * SHARE <= self.frames.new.nbytes
        return small or (self.seen.large and self.of_reference and took_s >= size * SLOW_S)

    def _digest(self, halo: int) -> bytes:
        """The sha256 of all that a feature can see that looks so many frames back."""
        if halo not in self._digests:
            frames = self.frames
            lead = min(halo, frames.lead)
            pixels = np.ascontiguousarray(frames.pixels[frames.lead - lead :])
            facts = (pixels.shape, pixels.dtype.str, float(frames.peak), frames.start, lead, frames.fps)
            total = hashlib.sha256(repr(facts).encode())
            total.update(b"" if frames.times is None else np.ascontiguousarray(frames.times).tobytes())
            total.update(pixels.data)
            self._digests[halo] = total.digest()
        return self._digests[halo]


@lru_cache(maxsize=1024)
def _halo(feature: Feature[Any]) -> int | None:
    """How many frames before a chunk a feature looks at; None if it rests on anything but frames of its own side."""
    sources = tuple(feature.closure())
    programs = {Program} & {type(item) for source in sources for item in source.requires}
    if programs or any(source.grain is not Grain.FRAMES or source.of_reference for source in sources):
        return None
    if any(source.offered != "frames" for source in sources if not source.inputs):
        return None
    return max(source.halo for source in sources)


def _size(value: object) -> int | None:
    """Bytes of an array or of a named tuple of arrays; None for anything else."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, tuple) and all(isinstance(part, np.ndarray) for part in value):
        return sum(int(part.nbytes) for part in value)
    return None
