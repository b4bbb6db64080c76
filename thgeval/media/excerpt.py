"""Excerpts of clips: their first seconds, the last share of their frames, or frames evenly spread.

Frames that are evenly spread keep no rate: what happens between them was not looked at.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import floor
from typing import Any

import numpy as np

from thgeval.errors import InputError
from thgeval.media.frames import MediaInfo
from thgeval.media.source import Picture, Source


def held_out(pictures: Iterator[Picture], whole: int, share: Fraction) -> Iterator[Picture]:
    """The last share of ``whole`` pictures."""
    return islice(pictures, first_held_out(whole, share), None)


def first_held_out(whole: int, share: Fraction) -> int:
    """The number of the first frame of the last share of ``whole``: floor(whole (1 - share))."""
    return floor(whole * (1 - share))


def evenly_spread(pictures: Iterator[Picture], whole: int, count: int, name: str) -> Iterator[Picture]:
    """``count`` of ``whole`` pictures: those of number floor(i whole / count); InputError if there are fewer."""
    if whole < count:
        raise InputError(f"{name}: it has {whole} frames, fewer than the {count} that are taken", reason="too short")
    wanted = {index * whole // count for index in range(count)}
    return (picture for number, picture in enumerate(pictures) if number in wanted)


class Cut:
    """A source of which only what is shown before ``until_s`` seconds have passed is there."""

    def __init__(self, source: Source, until_s: Fraction, name: str) -> None:
        self._source, self._until_s, self._name = source, until_s, name

    @property
    def peak(self) -> float:
        """The value of white."""
        return self._source.peak

    @property
    def dtype(self) -> np.dtype[Any]:
        """What pictures are written as."""
        return self._source.dtype

    @property
    def info(self) -> MediaInfo:
        """What is known of the whole."""
        return self._source.info

    @property
    def times(self) -> list[Fraction]:
        """When the frames read so far are shown."""
        return self._source.times

    @property
    def end(self) -> Fraction | None:
        """When the last frame stops being shown, at the cut at the latest."""
        return None if self._source.end is None else min(self._source.end, self._until_s)

    @property
    def remarks(self) -> Sequence[str]:
        """What is said of the whole."""
        return self._source.remarks

    def pictures(self) -> Iterator[Picture]:
        """The frames before the cut; InputError where nobody said when frames are shown."""
        for picture in self._source.pictures():
            if picture.time is None:
                raise InputError(
                    f"{self._name}: it has no frame rate, so its first seconds are unknown; state its fps",
                    reason="no frame rate",
                )
            if picture.time >= self._until_s:
                return
            yield picture

    def close(self) -> None:
        """Let go of the source."""
        self._source.close()
