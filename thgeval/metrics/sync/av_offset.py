"""By how many frames the speech is ahead of the lips, as SyncNet sees it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.features.sync.offsets import OffsetDistances
from thgeval.metric import Better, Preset, View
from thgeval.metrics.sync.syncnet import PRESETS, SyncNetMetric
from thgeval.parameter import parameter
from thgeval.states import ByTrack, Part


@dataclass(frozen=True)
class AVOffset(SyncNetMetric):
    """By how many frames the speech is ahead of the lips.

    Reads    face crops of the generated clip at 25 frames per second, and its speech (named for it, or its own track),
             both through SyncNet v2
    Returns  shift with the smallest mean distance of lips and speech; mean over tracks, then clips: in frames of 40 ms,
             a whole number for each track, between -15 and 15. Positive: the sound leads and the picture is late;
             delaying the sound by a frame lowers it by one. Clips of +5 and of -5 cancel to 0: ``absolute`` is the mean
             of how far each track is off, whatever the direction
    Source   Chung, Zisserman, ACCV workshops 2016; joonson/syncnet_python at 6efbb1c
    Departs  as sync-conf; in the authors' AVI file the picture comes 40 ms late, or 80 where the sound has 24 kHz or
             less, and the sound by 1105 of its samples: theirs is 0.3 to 0.4 of a frame higher at 16, 44.1 and 48 kHz.
             MoChaBench takes the late picture beside speech that isn't late: one or two frames higher
    """

    whole: bool = parameter(False, "cut the mean of a clip's tracks to a whole number, towards zero")
    absolute: bool = parameter(False, "drop the sign of each track's offset, or of what ``whole`` leaves of a clip's")

    name = "av-offset"
    version = 2
    unit = "frames"
    better = Better.CLOSER_TO_ZERO
    presets: ClassVar[Mapping[str, Preset]] = {
        **PRESETS,
        "latentsync": Preset({"min_track": 50, "whole": True}, "tracks from 51 frames on; each clip's mean cut to int"),
        "absolute": Preset({"absolute": True}, "how far off, without the sign, so that early and late don't cancel"),
    }

    @property
    def range(self) -> tuple[float, float]:
        """No track is further off than ``furthest``."""
        return (0.0 if self.absolute else -float(self.furthest), float(self.furthest))

    def values(self, alignment: OffsetDistances) -> NDArray[np.float64]:
        """The track's offset, for each of its windows."""
        offset = abs(alignment.offset) if self.absolute and not self.whole else alignment.offset
        return np.full(alignment.windows, float(offset))

    def measure(self, view: View) -> ByTrack:
        """As every score of SyncNet, each clip's mean cut if asked."""
        state = super().measure(view)
        if not self.whole:
            return state
        cut = math.trunc(self.score(state))
        cut = abs(cut) if self.absolute else cut
        parts = tuple(_filled(part, cut) for part in state.parts[view.clip])
        return replace(state, parts={view.clip: parts})


def _filled(part: Part, value: float) -> Part:
    """A part with all its values replaced by one."""
    return replace(part, values=np.where(np.isnan(part.values), np.nan, value))
