"""By how many frames the speech is ahead of the lips, as SyncNet sees it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.features.offsets import Alignment
from thgeval.metric import Better, Preset, View
from thgeval.metrics.syncnet import PRESETS, SyncNetMetric
from thgeval.states import ByTrack, Part


@dataclass(frozen=True)
class AVOffset(SyncNetMetric):
    """By how many frames the speech is ahead of the lips.

    Reads    face crops of the generated clip at 25 frames per second, and its speech (named for it, or its own track),
             both through SyncNet v2
    Returns  shift with the smallest mean distance of lips and speech; mean over tracks, then clips: in frames of 40 ms,
             a whole number for each track, between -15 and 15. Positive: the sound leads and the picture is late;
             delaying the sound by a frame lowers it by one
    Source   Chung, Zisserman, ACCV workshops 2016; joonson/syncnet_python at 6efbb1c
    Departs  as sync-conf; the delay of the MP3 in the authors' AVI file alone makes theirs 0.6 to 1.7 frames lower, by
             the rate of the sound

    ``face``       ``s3fd``: squares around tracked faces, or ``whole-frame``, for clips that are face crops already
    ``min_track``  tracks need more frames with a face than this; clips without such a track fail, and are counted
    ``every``      a face is looked for in every so manieth frame
    ``tracks``     ``mean`` of a clip's tracks, then of clips; ``pooled``: of all tracks; ``best``: each clip's most
                   confident one
    ``clock``      for whole frames, ``25fps``, or ``native``: as they are, and taken for 25 per second
    ``resize``     of whole frames, ``bilinear`` or ``bicubic``
    ``route``      ``direct``, or ``avi``: through lossy files as syncnet_python writes them
    ``furthest``   the largest shift in frames
    ``whole``      cut the mean of a clip's tracks to a whole number, towards zero
    """

    whole: bool = False

    name = "av-offset"
    version = 1
    range = (-math.inf, math.inf)
    better = Better.CLOSER_TO_ZERO
    presets: ClassVar[Mapping[str, Preset]] = {
        **PRESETS,
        "latentsync": Preset({"min_track": 50, "whole": True}, "tracks from 51 frames on; each clip's mean cut to int"),
    }

    @property
    def unit(self) -> str:
        """Frames at 25 per second."""
        return "frames"

    def values(self, alignment: Alignment) -> NDArray[np.float64]:
        """The track's offset, for each of its windows."""
        return np.full(alignment.windows, float(alignment.offset))

    def chosen(self, alignments: Sequence[Alignment]) -> int:
        """The most confident."""
        return int(np.argmax([alignment.confidence for alignment in alignments]))

    def measure(self, view: View) -> ByTrack:
        """As every score of SyncNet, each clip's mean cut if asked."""
        state = super().measure(view)
        if not self.whole:
            return state
        cut = math.trunc(self.score(state))
        parts = tuple(_filled(part, cut) for part in state.parts[view.clip])
        return replace(state, parts={view.clip: parts})


def _filled(part: Part, value: float) -> Part:
    """A part with all its values replaced by one."""
    return replace(part, values=np.where(np.isnan(part.values), np.nan, value))
