"""Which frame the ffmpeg program puts at which tick of a constant rate, where it re-encodes a clip.

``at_variable_rate`` gives every frame a tick of its own or drops it, and leaves ticks free: for AVI up to ffmpeg 5.
``at_constant_rate`` fills every tick, by frames shown again: for AVI from ffmpeg 6 on, and for images.

Both let frames drift before they act, the one by 0.6 ticks, the other by 1.1, so that they choose other frames than the
``fps`` filter does. A gap of two ticks or more is filled by the frame before it up to the last two, which are the frame
after it: the same frame twice.

Source: ``do_video_out`` in fftools of ffmpeg 4.2 and 5.1 (VSYNC_VFR, VSYNC_CFR), ``video_sync_process`` of 7.0.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import av

OFF_MIDPOINT = 2.0**-17
"""By how much ffmpeg moves times between ticks away from 0, so that chance doesn't round halves of a tick."""
LATE, LATE_AND_CONSTANT, EARLIEST = 0.6, 1.1, 0.6


class Timed(NamedTuple):
    """A frame, when it is shown and for how long, in ticks of the rate it is brought to."""

    at: float
    lasts: float
    frame: av.VideoFrame


def at_variable_rate(frames: Iterable[Timed]) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames that are kept, with the tick each is shown at."""
    tick = 0
    for at, lasts, frame in frames:
        at, _, end = _clipped(at, lasts, tick)
        if end <= -LATE:
            continue
        if end > LATE:
            tick = round(at)
        yield tick, frame
        tick += 1


def at_constant_rate(frames: Iterable[Timed]) -> Iterator[av.VideoFrame]:
    """The frame of every tick; one that is shown again is the same object."""
    tick = 0
    shown: av.VideoFrame | None = None
    repeated = [0, 0, 0]
    for at, lasts, frame in frames:
        _, lead, end = _clipped(at, lasts, tick)
        before, count = 0, 1
        if end < -LATE_AND_CONSTANT:
            count = 0
        elif end > LATE_AND_CONSTANT:
            count = round(end)
            before = round(lead - EARLIEST) if lead > LATE_AND_CONSTANT else 0
        for i in range(count):
            yield shown if i < before and shown is not None else frame
        tick += count
        repeated = [before, *repeated[:2]]
        shown = frame
    if shown is not None:
        yield from [shown] * sorted(repeated)[1]


def _clipped(at: float, lasts: float, tick: int) -> tuple[float, float, float]:
    """When a frame is shown, and by how much its start and end lie beyond the next tick; late starts are caught up."""
    if at != round(at):
        at += OFF_MIDPOINT if at > 0 else -OFF_MIDPOINT
    lead = at - tick
    if lead < 0 < lead + lasts:
        return tick, 0.0, lead + lasts
    return at, lead, lead + lasts
