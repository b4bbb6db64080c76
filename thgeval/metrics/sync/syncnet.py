"""What the three scores of SyncNet share: fields that say how a clip is looked at, presets, and tracks as states."""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.feature import Feature
from thgeval.features.sync.face_tracks import TRACKERS
from thgeval.features.sync.offsets import OffsetDistances, padded_share
from thgeval.features.sync.syncnet import CLOCKS, FACES, RESIZES, ROUTES, SyncedTrack, syncnet
from thgeval.metric import Metric, Needs, Preset, View, of_generated
from thgeval.states import ByTrack, PooledTracks, TrackMean

TRACKS = ("mean", "pooled", "best")
BRIEF_WINDOWS = 100
NO_SPEECH = "no speech"

PRESETS: Mapping[str, Preset] = {
    "precropped": Preset({"face": "whole-frame"}, "clips that are face crops already, brought to 25 frames per second"),
    "strided": Preset({"every": 5}, "a face is looked for in every fifth frame, and its box interpolated between"),
    "syncnet-python-avi": Preset(
        {"route": "avi"}, "run_pipeline.py and run_syncnet.py of syncnet_python with their AVI, MP3 and JPEG files"
    ),
    "wav2lip-lrs": Preset(
        {"face": "whole-frame", "clock": "native", "route": "jpeg"},
        "calculate_scores_LRS.py of Wav2Lip: whole frames at their own rate, taken for 25 a second, as JPEGs at 200 "
        "kbit/s; right only for face crops at that rate",
    ),
    "wav2lip-real": Preset(
        {"route": "avi", "tracks": "pooled"},
        "calculate_scores_real_videos.sh of Wav2Lip: every track counts alike",
    ),
    "latentsync": Preset({"min_track": 50}, "eval_sync_conf.py of LatentSync: tracks from 51 frames on"),
    "mochabench": Preset(
        {"min_track": 50, "tracker": "first", "tracks": "best", "route": "avi-pictures"},
        "MoChaBench: its tracker, the best track of each clip, from 51 frames on; pictures through its files",
    ),
    "eat": Preset(
        {"face": "whole-frame", "clock": "native", "resize": "bicubic", "route": "jpeg"},
        "test_sync_conf.py of EAT: aligned face crops scaled to 224 px by a bicubic filter, as JPEGs at 200 kbit/s",
    ),
}


@dataclass(frozen=True)
class SyncNetMetric(Metric[ByTrack]):
    """A score of SyncNet; the fields are explained in each."""

    face: str = "s3fd"
    min_track: int = 100
    every: int = 1
    tracker: str = "any"
    tracks: str = "mean"
    clock: str = "25fps"
    resize: str = "bilinear"
    route: str = "direct"
    furthest: int = 15

    cites = ("chung2016outoftime", "prajwal2020wav2lip")
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    with_reference = True

    def __post_init__(self) -> None:
        self.check(face=FACES, tracks=TRACKS, tracker=TRACKERS, clock=CLOCKS, resize=RESIZES)
        self.check(route=ROUTES[self.face])
        if self.min_track < 1 or self.furthest < 1 or not 1 <= self.every <= 25:
            raise ProtocolError(
                f"{self.name}: min_track and furthest must be at least 1 and every lie in 1..25, not {self.min_track}, "
                f"{self.furthest} and {self.every}"
            )
        if self.face == "s3fd" and (self.clock, self.resize) != ("25fps", "bilinear"):
            raise ProtocolError(f"{self.name}: clock and resize are for face=whole-frame alone")
        if self.face != "s3fd" and (self.every, self.min_track, self.tracker) != (1, 100, "any"):
            raise ProtocolError(f"{self.name}: every, min_track and tracker are for face=s3fd alone")

    @property
    def _tracks(self) -> Feature[tuple[SyncedTrack, ...]]:
        return syncnet(
            face=self.face,
            clock=self.clock,
            resize=self.resize,
            min_track=self.min_track,
            every=self.every,
            tracker=self.tracker,
            route=self.route,
            furthest=self.furthest,
        )

    @property
    def needs(self) -> Needs:
        """Every track of the generated clip against the speech."""
        return of_generated(self._tracks)

    @abstractmethod
    def values(self, alignment: OffsetDistances) -> NDArray[np.float64]:
        """What each window adds to the score of its track, which is their mean: (windows,)."""

    @abstractmethod
    def chosen(self, alignments: Sequence[OffsetDistances]) -> int:
        """Which of a clip's tracks is the best one."""

    def measure(self, view: View) -> ByTrack:
        """The windows of every track, or of the best; frames that the speech doesn't reach are left out."""
        found = view.generated[self._tracks]
        if self.tracks == "best":
            heard = [synced for synced in found if synced.alignment is not None]
            found = (heard[self.chosen([synced.alignment for synced in heard if synced.alignment is not None])],)
        kind = PooledTracks if self.tracks == "pooled" else TrackMean
        parts = [part for synced in found for part in self._part(view.clip, synced).parts[view.clip]]
        return kind({view.clip: tuple(parts)})

    def _part(self, clip: str, synced: SyncedTrack) -> TrackMean:
        values = np.full(max(synced.frames - 5, 0), np.nan)
        heard = 0 if synced.alignment is None else synced.alignment.windows
        if synced.alignment is not None:
            values[:heard] = self.values(synced.alignment)
        beyond = {NO_SPEECH: np.arange(heard, len(values))}
        return TrackMean.of(clip, values, start=synced.first, left_out=beyond)

    def score(self, state: ByTrack) -> float:
        """Mean over windows, then as ``tracks`` says."""
        return state.value if isinstance(state, TrackMean | PooledTracks) else math.nan

    def remark(self, state: ByTrack) -> str | None:
        """How much of the curves of short tracks is made of nothing, and where several faces are tracked at once."""
        return "; ".join([*self._of_brief(state), *_of_several(state)]) or None

    def _of_brief(self, state: ByTrack) -> Iterator[str]:
        brief = [windows for windows in state.windows if windows < BRIEF_WINDOWS]
        if brief:
            share = padded_share(min(brief), self.furthest)
            yield (
                f"{len(brief)} of {len(state.windows)} tracks have fewer than {BRIEF_WINDOWS} windows; of the "
                f"shortest, {min(brief)}, {share:.0%} of what is compared is padding, which changes its curve"
            )


def _of_several(state: ByTrack) -> Iterator[str]:
    """Whether faces that may not be the speaker's count as much as the speaker's."""
    several = 0
    for clip in state.clips:
        spans = [(part.start, part.start + len(part.values)) for part in state.ordered(clip)]
        several += any(following[0] < first[1] for first, following in pairwise(spans))
    if several:
        yield (
            f"in {several} of {len(state.clips)} clips several faces are tracked at once, and each counts though one "
            "may listen"
        )
