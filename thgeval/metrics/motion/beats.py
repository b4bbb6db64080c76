"""Beat alignment: whether a head beats when the real one does, or when the speech is stressed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from thgeval.errors import InputError
from thgeval.feature import Feature
from thgeval.features.frames.frames import seconds_of, shown
from thgeval.features.heads.beats import BEATS, LEAST_FRAMES, beats
from thgeval.features.heads.pose import ESTIMATORS, pose, pose_of_both
from thgeval.features.heads.rest import Both
from thgeval.features.sync.prosody import EVENTS, GRID_HZ, stresses
from thgeval.metric import Better, Metric, Needs, Preset, Side, View, of_both, of_generated
from thgeval.metrics.faces.missing import Array, Missing, policy
from thgeval.metrics.faces.whom import Landmarked, with_choice
from thgeval.parameter import holding, parameter
from thgeval.states import ClipMean, Part, mean

NO_BEAT = "no beat, counted as 0"


def near(ours: Array, theirs: Array, width: float) -> float:
    """How near each of our beats is to one of theirs, from 0 to 1, mean over ours; 0 where either has none."""
    if not (len(ours) and len(theirs)):
        return 0.0
    apart = np.abs(ours[:, None] - theirs[None]).min(axis=1)
    return float(np.exp(-(apart**2) / (2 * width**2)).mean())


@dataclass(frozen=True)
class Beating(Metric[ClipMean]):
    """One number a clip, from when a person's head beats."""

    whom: Landmarked = holding(Landmarked(missing=Missing("fail")), missing=policy("fail", "hold"))
    estimator: str = parameter("pnp", "of the pose: ``pnp``, ``3ddfa``, ``npz``, ...", of=ESTIMATORS)
    beat: str = parameter(
        "speed",
        "a peak of how fast the head turns (``speed``), of its ``acceleration`` or ``jerk``, or a change of "
        "``direction``",
        of=BEATS,
    )
    width: float = parameter(3.0, "the kernel's standard deviation, in frames of 40 ms", above=0)

    range = (0.0, 1.0)

    @property
    def angles(self) -> Feature[Array]:
        """Yaw, pitch and roll of the chosen people."""
        return pose(estimator=self.estimator, **self.whom.chosen)

    def of_people(self, clip: str, side: Side, pose_deg: Array) -> list[Array]:
        """When each head of one side beats, in frames of 40 ms: pose (frames, people, 3) to (beats,) of each."""
        step = GRID_HZ * seconds_of(side[shown], what="tell when heads beat")
        return [self.of_person(clip, person) * step for person in np.moveaxis(pose_deg, 1, 0)]

    def of_person(self, clip: str, pose_deg: Array) -> Array:
        """When one head beats, in frames, from the first in which it is seen."""
        first = int(np.argmax(~np.isnan(pose_deg).any(axis=1)))
        found = pose_deg[first:]
        if np.isnan(found).any():
            raise InputError(f"{clip}: no face is found in any frame", reason="no face")
        if len(found) < LEAST_FRAMES:
            raise InputError(f"{clip}: a beat needs {LEAST_FRAMES} frames, not {len(found)}", reason="too short")
        return beats(found, self.beat) + first

    def state(self, view: View, ours: Sequence[Array], theirs: Sequence[Array]) -> ClipMean:
        """How near our beats are to theirs, mean over people, at every frame."""
        count = len(view.generated[shown].seconds)
        none = [not (len(one) and len(other)) for one, other in zip(ours, theirs, strict=True)]
        values = [near(one, other, self.width) for one, other in zip(ours, theirs, strict=True)]
        said = {NO_BEAT: tuple(range(count))} if any(none) else {}
        return ClipMean({view.clip: (Part(0, np.full(count, mean(values)), said),)})


@dataclass(frozen=True)
class BAS(Beating):
    """Whether a head beats when the real one does.

    Reads    pose of both clips
    Returns  exp(-d^2 / 2 w^2) for the distance d in time of each beat of the generated head to the nearest of the real
             one, mean over beats, then clips: in [0, 1], no unit, 1 if every beat has its like; 0 where one head beats
             and the other doesn't. Where neither does, the clip fails. Beats are peaks of the clip's own motion,
             however small: the jitter of a still head's pose beats too
    Source   Li et al., AI Choreographer, ICCV 2021, for dance; of heads in Sun et al., DiffPoseTalk, SIGGRAPH 2024,
             without code; as nachovigilante/talking-head-metrics at d236adb writes it
    Departs  pose is read off the picture, where the program has FLAME's; at 25 frames per second, other rates are told
             in frames of 40 ms. The program scores 0 where neither head beats, and cuts the longer clip
    """

    name = "bas"
    version = 1
    better = Better.HIGHER
    cites = ("li2021aist", "sun2024diffposetalk")

    @property
    def needs(self) -> Needs:
        """Pose of both clips."""
        needs = of_both(*with_choice(self.angles), shown)
        return needs if self.of_both_sides is None else replace(needs, pair=(self.of_both_sides,))

    @property
    def of_both_sides(self) -> Feature[Both[Array]] | None:
        """The same, from one rest."""
        return pose_of_both(estimator=self.estimator, **self.whom.chosen)

    def measure(self, view: View) -> ClipMean:
        """One number for a clip."""
        sides = self.whom.pairs(view, self.angles, one_rest=self.of_both_sides)
        ours = self.of_people(view.clip, view.generated, sides.generated)
        theirs = self.of_people(view.clip, view.reference, sides.reference)
        if not any(map(len, [*ours, *theirs])):
            raise InputError(f"{view.clip}: neither head ever beats", reason="no beat")
        return self.state(view, ours, theirs)


@dataclass(frozen=True)
class PBAS(Beating):
    """Whether a head beats when the speech is stressed.

    Reads    pose of the generated clip, and its speech
    Returns  exp(-d^2 / 2 w^2) for the distance d in time of each beat of the head to the nearest event of the speech,
             mean over beats, then clips: in [0, 1], no unit, 0 where the head never beats; the clip fails where its
             speech has no event. Heads of people score well below 1: better the closer to the reference's own value.
             Beats are peaks of the clip's own motion, however small: the jitter of a still head's pose beats too
    Source   metrics/pbas of nachovigilante/talking-head-metrics at d236adb, where both models score above people
    Departs  pose is read off the picture, where the program has FLAME's; at 25 frames per second, other rates are told
             in frames of 40 ms. Events by Praat's pitch (pitch accents, prominence) are left out, as that is a program
             of its own: six of the twelve forms
    """

    events: str = parameter("onset", "of the speech: syllables' ``onset``, or peaks of ``energy``", of=EVENTS)

    name = "pbas"
    version = 1
    better = Better.CLOSER_TO_REFERENCE
    cites = ("vigilante2026pbas",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "energy": Preset({"events": "energy"}, "peaks of energy in place of syllables' onsets"),
    }

    @property
    def needs(self) -> Needs:
        """Pose and speech of the generated clip."""
        return of_generated(*with_choice(self.angles), shown, stresses(events=self.events))

    def measure(self, view: View) -> ClipMean:
        """One number for a clip."""
        heard = view.generated[stresses(events=self.events)].astype(np.float64)
        if not len(heard):
            raise InputError(f"{view.clip}: nothing in its speech is stressed", reason="no stress")
        angles, _ = self.whom.alone(view, self.angles)
        ours = self.of_people(view.clip, view.generated, angles)
        return self.state(view, ours, [heard] * len(ours))
