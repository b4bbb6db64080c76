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
from thgeval.parameter import parameter
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

    face: str = parameter(
        "s3fd",
        ("``s3fd``: squares around tracked faces, or ``whole-frame``, for clips that are face crops already"),
        of=FACES,
    )
    min_track: int = parameter(
        100,
        ("tracks need more frames with a face than this; clips without such a track fail, and are counted"),
        least=1,
    )
    every: int = parameter(1, "a face is looked for in every so manieth frame", least=1, most=25)
    tracker: str = parameter(
        "any",
        ("``any`` face of a frame may go on with a track, or ``first``: only the best that no track has yet"),
        of=TRACKERS,
    )
    tracks: str = parameter(
        "mean",
        "``mean`` of a clip's tracks, then of clips; ``pooled``: of all tracks; ``best``: each clip's"
        " best one, which for an offset is the most confident",
        of=TRACKS,
    )
    clock: str = parameter(
        "25fps", "for whole frames, ``25fps``, or ``native``: as they are, and taken for 25 per second", of=CLOCKS
    )
    resize: str = parameter("bilinear", "of whole frames, ``bilinear`` or ``bicubic``", of=RESIZES)
    route: str = parameter(
        "direct",
        "``direct``, or ``avi``: through lossy files as syncnet_python writes them with ffmpeg up to "
        "5; ``avi-pictures``: the same of the picture alone, with ffmpeg 7 or 8; for whole frames "
        "``direct`` or ``jpeg``: through JPEGs at 200 kbit/s",
    )
    furthest: int = parameter(
        15,
        "the largest shift in frames; the authors' scripts use 15. Shifted windows without a partner "
        "are compared with zeros, which biases clips shorter than about 100 frames; the result says "
        "so",
        least=1,
    )

    cites = ("chung2016outoftime", "prajwal2020wav2lip")
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
    with_reference = True

    def check_together(self) -> None:
        """Refuse what doesn't go together."""
        if self.route not in ROUTES[self.face]:
            known = ", ".join(ROUTES[self.face])
            raise ProtocolError(f"route must be one of {known} where face={self.face}, not {self.route!r}")
        if self.face == "s3fd" and (self.clock, self.resize) != ("25fps", "bilinear"):
            raise ProtocolError("clock and resize are for face=whole-frame alone")
        if self.face != "s3fd" and (self.every, self.min_track, self.tracker) != (1, 100, "any"):
            raise ProtocolError("every, min_track and tracker are for face=s3fd alone")

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

    def chosen(self, alignments: Sequence[OffsetDistances]) -> int:
        """Which of a clip's tracks is the best one: the most confident, as a rule."""
        return int(np.argmax([alignment.confidence for alignment in alignments]))

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
