"""Two measures of THEval: whether a mouth opens with the loudness of the speech, and whether it rests in pauses."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.faces.people import shapes
from thgeval.features.frames.frames import WITH_SOUND, seconds_of, shown
from thgeval.features.sync.silero import silero_voice
from thgeval.features.sync.speech import HOP_S, loudness, voice
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.metrics.faces.missing import Array, policy, present
from thgeval.metrics.faces.whom import Landmarked, over_people, with_choice
from thgeval.metrics.theval import near_truth
from thgeval.parameter import holding, parameter
from thgeval.states import ClipMean

UPPER, LOWER = [61, 62, 63], [67, 66, 65]
LOUDNESS: Feature[Array] = loudness(window=800)
VOICES: Mapping[str, Feature[NDArray[np.bool_]]] = {"loudness": voice(), "silero": silero_voice()}
SILERO: Mapping[str, Preset] = {
    "silero": Preset({"detector": "silero"}, "voice found by Silero VAD, as the authors do")
}
EVERY = 5
LEAST_SPEECH, LEAST_SILENCE_S = 0.1, 0.3
TINY = 1e-8


class Heard(NamedTuple):
    """``speech`` (frames,), whether somebody speaks; ``volume`` (frames,), root mean square of 50 ms; ``fps``."""

    speech: NDArray[np.bool_]
    volume: Array
    fps: float


@dataclass(frozen=True)
class THEvalMetric(Metric[ClipMean]):
    """One number a clip, from the opening of the lips and the sound; its frames carry it, so that they are counted."""

    whom: Landmarked = holding(Landmarked(), missing=policy("skip", "fail"))
    detector: str = parameter(
        "loudness",
        "who tells voice from silence: ``loudness``, or ``silero``, the authors' network",
        of=VOICES,
        later=True,
    )

    cites = ("theval2026",)
    unit = ""
    range = (0.0, math.inf)
    better = Better.CLOSER_TO_REFERENCE
    presets: ClassVar[Mapping[str, Preset]] = SILERO

    @property
    def needs(self) -> Needs:
        """Landmarks of the generated clip, its rate, and its speech."""
        return of_generated(*with_choice(shapes(**self.whom.chosen)), shown, LOUDNESS, VOICES[self.detector])

    @abstractmethod
    def opening(self, points: Array) -> Array:
        """Opening of lips of (frames, people, 68, 2): (frames, people), NaN where there is no face."""

    @abstractmethod
    def person(self, opening: Array, heard: Heard, counted: NDArray[np.bool_]) -> Array:
        """Values of one person's frames, of which those ``counted`` have a face and are of the right kind."""

    @abstractmethod
    def of_its_kind(self, heard: Heard) -> tuple[NDArray[np.bool_], str]:
        """Which frames are looked at, and what the others are called; InputError if there are too few."""

    def measure(self, view: View) -> ClipMean:
        """Values of the frames that are looked at, the mean over people."""
        points = view.generated[shapes(**self.whom.chosen)]
        fps = 1 / seconds_of(view.generated[shown], what=WITH_SOUND)
        heard = heard_by_frames(view.generated[VOICES[self.detector]], view.generated[LOUDNESS], len(points), fps)
        looked, otherwise = self.of_its_kind(heard)
        there = present(points)
        if not there.any():
            raise InputError(f"{view.clip}: no face is found in any frame", reason="no face")
        _, why = self.whom.alone(view, shapes(**self.whom.chosen))
        opening = self.opening(points)
        values = np.full(there.shape, np.nan)
        for column, seen in enumerate(there.T):
            if (seen & looked).sum() >= 2:
                values[:, column] = self.person(opening[:, column], heard, seen & looked)
        if np.isnan(values).all():
            raise InputError(f"{view.clip}: less than two frames have a face and the right sound", reason="too short")
        why = np.where((why == "") & ~looked, otherwise, why)
        return ClipMean({view.clip: (self.whom.part(over_people(values), why),)})

    def remark(self, state: ClipMean) -> str | None:
        """The authors' score of the set, which is no mean over clips."""
        return near_truth(self.name, state.value) if state.scored else None


def heard_by_frames(voiced: NDArray[np.bool_], levels: Array, frames: int, fps: float) -> Heard:
    """Voice and loudness, every 10 ms, as frames have them.

    A stretch of voice reaches from the frame it begins in to the one it ends in; loudness lies on straight lines
    between values every 50 ms.
    """
    speech = np.zeros(frames, bool)
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(np.int8))).reshape(-1, 2)
    for first, end in bounds:
        speech[int(first * HOP_S * fps) : int(end * HOP_S * fps) + 1] = True
    coarse = levels[::EVERY]
    volume = np.interp(np.arange(frames) / fps, np.arange(len(coarse)) * EVERY * HOP_S, coarse)
    return Heard(speech, volume, fps)


def scaled(values: Array) -> Array:
    """Values between their smallest, 0, and their largest, 1."""
    return np.asarray((values - values.min()) / (values.max() - values.min() + TINY))


def long_runs(marks: NDArray[np.bool_], least: float) -> NDArray[np.bool_]:
    """The same marks without runs of less than ``least`` frames."""
    bounds = np.flatnonzero(np.diff(np.concatenate([[False], marks, [False]]).astype(np.int8))).reshape(-1, 2)
    kept = np.zeros(len(marks), bool)
    for first, end in bounds:
        kept[first:end] = end - first >= least
    return kept


@dataclass(frozen=True)
class LipSyncTHEval(THEvalMetric):
    """How far the opening of the mouth and the loudness of the speech differ while somebody speaks.

    Reads    the inner lips of the generated clip, the mean height of the upper ones to that of the lower ones over the
             horizontal distance of the eyes; and the loudness of its speech within 50 ms
    Returns  mean absolute difference of the two over frames of speech, each scaled from its smallest to its largest
             value in them; mean over clips: in [0, 1], no unit, 0 if one is a scaled copy of the other. Real speech is
             not 0 (the authors found 0.2528), so that better is closer to the reference's own value
    Source   THEval, CVPR 2026; Synchronization/lip_sync.py of Newbyl/THEval at 3603338
    Departs  three of the 68 points on either lip for eight of MediaPipe's face mesh, and the eyes' corners that 68
             points have; voice told from silence by loudness (preset silero: by Silero, as there); sound at 16 kHz. The
             authors' script hands red and blue to the mesh exchanged
    """

    name = "lip-sync-theval"
    version = 1
    range = (0.0, 1.0)

    def opening(self, points: Array) -> Array:
        """Vertical gap over the horizontal distance of the eyes' middles."""
        gap = points[..., UPPER, 1].mean(axis=-1) - points[..., LOWER, 1].mean(axis=-1)
        eyes = points[..., [42, 45], 0].mean(axis=-1) - points[..., [36, 39], 0].mean(axis=-1)
        return np.asarray(np.abs(np.divide(gap, eyes, out=np.full_like(gap, np.nan), where=eyes != 0)))

    def of_its_kind(self, heard: Heard) -> tuple[NDArray[np.bool_], str]:
        """Frames of speech, a tenth of all at least."""
        if heard.speech.mean() < LEAST_SPEECH:
            raise InputError("less than a tenth of the clip is speech", reason="no voice")
        return heard.speech, "no speech"

    def person(self, opening: Array, heard: Heard, counted: NDArray[np.bool_]) -> Array:
        """Difference of the scaled curves."""
        values = np.full(len(opening), np.nan)
        values[counted] = np.abs(scaled(opening[counted]) - scaled(heard.volume[counted]))
        return values


@dataclass(frozen=True)
class SilentLipStability(THEvalMetric):
    """How restless the lips are while nobody speaks.

    Reads    the inner lips of the generated clip, the mean vertical gap of three pairs over the distance of the outer
             eye corners, and where its speech pauses
    Returns  median, over the frames of pauses of 0.3 s and more, of the absolute difference of the gap from its mean in
             them; mean over clips: from 0, no unit, 0 for lips that don't move. The authors found 0.0263 on real
             videos; better the closer to the reference's own value
    Source   THEval, CVPR 2026; Synchronization/silent_lip_stability.py of Newbyl/THEval at 3603338
    Departs  three pairs of the 68 points for eight of MediaPipe's face mesh; pauses found by loudness (preset silero:
             by Silero, as there); frames as they are, where the script squeezes each into a square of 256 px and
             measures in it
    """

    name = "silent-lip-stability"
    version = 1

    def opening(self, points: Array) -> Array:
        """Mean vertical gap over the distance of the outer eye corners."""
        gap = np.abs(points[..., UPPER, 1] - points[..., LOWER, 1]).mean(axis=-1)
        eyes = np.linalg.norm(points[..., 45, :] - points[..., 36, :], axis=-1)
        return np.asarray(np.divide(gap, eyes, out=np.full_like(gap, np.nan), where=eyes > 0))

    def of_its_kind(self, heard: Heard) -> tuple[NDArray[np.bool_], str]:
        """Frames of long pauses."""
        pauses = long_runs(~heard.speech, LEAST_SILENCE_S * heard.fps)
        if not pauses.any():
            raise InputError("its speech never pauses for 0.3 s", reason="no pause")
        return pauses, "no pause"

    def person(self, opening: Array, heard: Heard, counted: NDArray[np.bool_]) -> Array:
        """The median difference, at every frame that it rests on."""
        apart = np.abs(opening[counted] - opening[counted].mean())
        return np.where(counted, np.median(apart), np.nan)
