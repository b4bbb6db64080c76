"""How a rigged head moves while it speaks: a mouth by speech; blinks, gaze, brows, expressions and sway by a seed.

Everything is drawn in seconds and sampled at the frames' times, so that another frame rate shows the same motion. The
first frame is at rest in everything but what is said.

Conventions: curves in [0, 1] by their ARKit names; angles as in ``rig.pose``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thgeval_baselines.rig.model import Points, rig
from thgeval_baselines.rig.pose import Pose, posed
from thgeval_baselines.sets.track import blink_curve, blink_times, sway

Curve = NDArray[np.float64]

SWAY = {"yaw": (12.0, 0.3), "pitch": (7.0, 0.35), "roll": (6.0, 0.25)}
"""The largest turn of the head each way in degrees, and about how often it swings, in Hz."""

UPPER: tuple[Mapping[str, float], ...] = (
    {"browInnerUp": 0.8, "browOuterUpLeft": 0.7, "browOuterUpRight": 0.7, "eyeWideLeft": 0.3, "eyeWideRight": 0.3},
    {"browInnerUp": 0.8},
    {"browDownLeft": 0.8, "browDownRight": 0.8, "eyeSquintLeft": 0.3, "eyeSquintRight": 0.3},
    {"browOuterUpLeft": 0.8},
    {"browOuterUpRight": 0.8},
    {"eyeWideLeft": 0.9, "eyeWideRight": 0.9},
    {"cheekSquintLeft": 0.7, "cheekSquintRight": 0.7, "eyeSquintLeft": 0.6, "eyeSquintRight": 0.6},
    {"noseSneerLeft": 0.6, "noseSneerRight": 0.6},
)
"""Expressions of brows, eyes and nose: the actions of each and how far they go at most."""
LOWER: tuple[Mapping[str, float], ...] = (
    {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5, "cheekSquintLeft": 0.3, "cheekSquintRight": 0.3},
    {"mouthSmileLeft": 0.4},
    {"mouthSmileRight": 0.4},
    {"mouthFrownLeft": 0.5, "mouthFrownRight": 0.5},
    {"mouthDimpleLeft": 0.5, "mouthDimpleRight": 0.5},
    {"mouthLeft": 0.25},
    {"mouthRight": 0.25},
)
"""Expressions of the mouth that leave the lips' opening to speech."""

UPPER_EVERY_S, LOWER_EVERY_S = 0.9, 2.2
LOOKS_S, SACCADE_S = (0.5, 2.2), 0.04
LOOK_SIDE, LOOK_UP = 0.45, 0.35


@dataclass(frozen=True, eq=False)
class Acting:
    """What a head does: ``actions`` (frames, 52) in [0, 1] in the rig's order, ``angles`` (frames, 3) yaw pitch roll.

    ``blinks_s`` (blinks, 2) is when each blink begins and ends.
    """

    actions: Curve
    angles: Curve
    blinks_s: Curve

    def __len__(self) -> int:
        return len(self.actions)

    def __getitem__(self, name: str) -> Curve:
        """One action over time: (frames,)."""
        return self.actions[:, rig().action_names.index(name)]

    def pose(self, frame: int) -> Pose:
        """The pose of one frame."""
        yaw, pitch, roll = (float(angle) for angle in self.angles[frame])
        return Pose(yaw, pitch, roll)

    def face(self, neutral: Points, frame: int) -> Points:
        """A person's face (V, 3) dm in one frame, acting and posed."""
        acting = rig().performed(neutral, self.actions[frame : frame + 1])[0]
        return posed(acting.astype(np.float64), self.pose(frame))


def acted(mouth: Mapping[str, Curve], *, frames: int, fps: float, seed: int, expressive: bool = True) -> Acting:
    """What a head does that says ``mouth`` (curves of actions by name), with the rest drawn from a seed.

    Without ``expressive`` it blinks, looks about and sways, and shows nothing else.
    """
    rng = np.random.default_rng([seed, 4])
    times_s = np.arange(frames) / fps
    end_s = frames / fps
    blinks_s = blink_times(end_s, rng)
    curves = dict.fromkeys(rig().action_names, np.zeros(frames))
    swaying = {name: sway(times_s, rng, most, rate_hz) for name, (most, rate_hz) in SWAY.items()}
    drawn = [dict(mouth), _looking(times_s, end_s, rng)]
    if expressive:
        drawn += [_expressing(times_s, end_s, rng, UPPER, UPPER_EVERY_S)]
        drawn += [_expressing(times_s, end_s, rng, LOWER, LOWER_EVERY_S)]
    for part in drawn:
        for name, curve in part.items():
            curves[name] = np.maximum(curves[name], curve)
    shut = blink_curve(times_s, blinks_s)
    for side in ("Left", "Right"):
        curves[f"eyeBlink{side}"] = shut
        for name in ("eyeWide", "eyeSquint"):  # a lid that is shut is neither wide nor narrow
            curves[f"{name}{side}"] = curves[f"{name}{side}"] * (1 - shut)
    actions = np.clip(np.stack([curves[name] for name in rig().action_names], axis=-1), 0, 1)
    return Acting(actions, np.stack([swaying[name] for name in SWAY], axis=-1), blinks_s)


def _looking(times_s: Curve, end_s: float, rng: np.random.Generator) -> dict[str, Curve]:
    """Gaze that jumps from one place to another, most often back to the camera."""
    begins, places = [0.0], [(0.0, 0.0)]
    while begins[-1] < end_s:
        begins.append(begins[-1] + rng.uniform(*LOOKS_S))
        aside = (rng.uniform(-LOOK_SIDE, LOOK_SIDE), rng.uniform(-LOOK_UP, LOOK_UP))
        places.append((0.0, 0.0) if rng.random() < 0.5 else aside)
    knots_s = np.repeat(begins, 2)[1:]
    knots_s[1::2] += SACCADE_S
    side, up = (np.interp(times_s, knots_s, np.repeat(along, 2)[:-1]) for along in np.array(places).T)
    left, right, above, below = (np.maximum(part, 0) for part in (side, -side, up, -up))
    return {
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookInLeft": right,
        "eyeLookOutRight": right,
        **{f"eyeLookUp{which}": above for which in ("Left", "Right")},
        **{f"eyeLookDown{which}": below for which in ("Left", "Right")},
    }


def _expressing(
    times_s: Curve, end_s: float, rng: np.random.Generator, kinds: tuple[Mapping[str, float], ...], every_s: float
) -> dict[str, Curve]:
    """Expressions that come and go: one about every so many seconds, each of another kind and strength."""
    curves: dict[str, Curve] = {}
    start = rng.uniform(0.1, every_s)
    while start < end_s:
        kind, strength = kinds[int(rng.integers(len(kinds)))], rng.uniform(0.4, 1.0)
        rise, hold, fall = rng.uniform(0.2, 0.35), rng.uniform(0.1, 0.6), rng.uniform(0.25, 0.5)
        ramp = np.interp(times_s, np.cumsum([start, rise, hold, fall]), [0.0, 1.0, 1.0, 0.0])
        for name, most in kind.items():
            here = strength * most * (1 - np.cos(np.pi * ramp)) / 2
            curves[name] = np.maximum(curves.get(name, np.zeros(len(times_s))), here)
        start += rng.uniform(0.4, 1.6) * every_s
    return curves
