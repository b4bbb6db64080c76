"""When frames are shown: presentation times in seconds, exact, whatever the container keeps of them.

Most containers state each frame's presentation time. AVI states none: its frames are evenly spaced in the order of
decoding, so the spacing of decoding times is that of presentation. Raw streams state nothing and play at their
nominal rate.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

import av
from av.video.stream import VideoStream

STEADY_TICKS, STEADY_SHARE = Fraction(3, 2), Fraction(1, 20)
"""Intervals between frames that differ by less than this many clock ticks, or this share of one, are one rate."""


def varies(times: Sequence[Fraction], tick: Fraction) -> bool:
    """Whether frames shown at these times keep no steady rate, ``tick`` being the clock's resolution."""
    if len(times) < 3:
        return False
    intervals = [after - before for before, after in pairwise(times)]
    return max(intervals) - min(intervals) > max(STEADY_TICKS * tick, STEADY_SHARE * median(intervals))


def frame_rate(stream: VideoStream, container: str) -> Fraction | None:
    """Frames per second as the file states them; None if it doesn't.

    That of AVI is the rate of its slots, some of which may be empty and repeat a frame: as most are where a program
    counts fields, or copies frames that are decoded in another order than they are shown. So its index is asked how far
    apart frames usually are.
    """
    if container == "avi" and stream.time_base and len(stream.index_entries) > 1:
        slots = [entry.timestamp for entry in stream.index_entries if entry.size]
        apart = median(after - before for before, after in pairwise(slots)) if len(slots) > 1 else 0
        if apart > 0:
            return 1 / (Fraction(apart) * stream.time_base)
    return stream.average_rate or stream.guessed_rate


class Clock:
    """The times of one track's frames, in the order of presentation.

    ``times`` are seconds since the first frame, ``start`` is that one's time on the container's clock.
    """

    def __init__(self, stream: VideoStream, container: str) -> None:
        self.times: list[Fraction] = []
        self.start = Fraction(0)
        self._by_decoding = container == "avi"
        self._tick = stream.time_base or Fraction(1, 90000)
        self._nominal = 1 / (frame_rate(stream, container) or Fraction(25))
        self._opening = (stream.start_time or 0) * self._tick
        self._origin = Fraction(0)
        self._last_shown_for: Fraction | None = None

    def add(self, frame: av.VideoFrame) -> None:
        """Note the next frame."""
        tick = frame.time_base or self._tick
        stamp = frame.dts if self._by_decoding else frame.pts
        shown = None if stamp is None else stamp * tick
        if not self.times:
            self._origin = self._opening if shown is None else shown
            self.start = self._opening if self._by_decoding else self._origin
        if shown is None:
            shown = self._origin + (self.times[-1] + self._spacing if self.times else 0)
        self.times.append(shown - self._origin)
        self._last_shown_for = frame.duration * tick if frame.duration else None

    @property
    def _spacing(self) -> Fraction:
        """From the frame before the last to the last, or what the header says."""
        return self.times[-1] - self.times[-2] if len(self.times) > 1 else self._nominal

    @property
    def interval(self) -> Fraction:
        """How long the last frame is shown, or, where nothing says so, frames usually are."""
        if self._last_shown_for is not None:
            return self._last_shown_for
        return (
            median(after - before for before, after in pairwise(self.times)) if len(self.times) > 1 else self._nominal
        )

    @property
    def varies(self) -> bool:
        """Whether the rate is not constant."""
        return varies(self.times, self._tick)
