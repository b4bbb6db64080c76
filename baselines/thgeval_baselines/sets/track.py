"""How a synthetic head moves over time, and the sound that goes with it.

Everything is drawn from one seed at 200 Hz and sampled at the frames' times, frame ``k`` at ``k / fps`` seconds. The
mouth says the sentences of ``thgeval_baselines.speech.spoken``; blinks close in 80 ms, hold for 40 ms and open in 140
ms at times that are kept; the head sways. The first frame is at rest: a frontal head with its mouth closed.
"""

from dataclasses import dataclass, replace

import numpy as np

from thgeval.errors import ProtocolError
from thgeval_baselines.photo.geometry import PARAMETERS, Parameters
from thgeval_baselines.photo.portrait import Points
from thgeval_baselines.speech.spoken import CURVE_HZ, Spoken, spoken

BLINK_S = (0.08, 0.04, 0.14)
"""How long an eyelid closes, stays closed and opens, in seconds."""

SWAY: dict[str, tuple[float, float]] = {
    "yaw": (10.0, 0.35),
    "pitch": (5.0, 0.3),
    "roll": (4.0, 0.25),
    "tx": (0.012, 0.2),
    "ty": (0.008, 0.2),
    "brow": (0.5, 0.5),
    "smile": (0.2, 0.3),
}
"""The largest departure of each swaying parameter from rest, and about how often it swings, in Hz."""


@dataclass(frozen=True, eq=False)
class Track:
    """Parameters of every frame, and what they were sampled from.

    ``values`` is (frames, 10), one column per name in ``PARAMETERS``; ``blinks_s`` is (blinks, 2), when each blink
    begins and ends; ``speech`` is the sound, and the mouth at 200 Hz, from 0 to the end of the last frame, beginning
    with sentence ``first``.
    """

    fps: int
    values: Points
    blinks_s: Points
    speech: Spoken
    first: int

    def __getitem__(self, name: str) -> Points:
        """One parameter over time: (frames,)."""
        return self.values[:, PARAMETERS.index(name)]

    def __len__(self) -> int:
        return len(self.values)

    def held(self, *names: str) -> "Track":
        """The same with these parameters as they are in the first frame, which is at rest, throughout."""
        values = self.values.copy()
        for name in names:
            values[:, PARAMETERS.index(name)] = self[name][0]
        return replace(self, values=values, blinks_s=self.blinks_s[:0] if "blink" in names else self.blinks_s)

    def frames(self) -> list[Parameters]:
        """The parameters of each frame."""
        return [Parameters(*(float(value) for value in row)) for row in self.values]


def track(*, seed: int, seconds: float = 4.0, fps: int = 25, first: int | None = None) -> Track:
    """A track drawn from a seed: ``round(seconds * fps)`` frames.

    ``first`` is the sentence that the speech begins with, drawn from the seed too if None.

    Raises ``ProtocolError`` for less than 1 s, more than 600 s, or a frame rate outside 10 to 100 per second.
    """
    if not 1 <= seconds <= 600:
        raise ProtocolError(f"a track of {seconds} s can't be made, ask for 1 to 600 s")
    if not 10 <= fps <= 100:
        raise ProtocolError(f"a track of {fps} frames per second can't be made, ask for 10 to 100")
    rng = np.random.default_rng(seed)
    frames = round(seconds * fps)
    times_s = np.arange(round(frames / fps * CURVE_HZ) + 1) / CURVE_HZ
    sentence = int(rng.integers(4)) if first is None else first
    said = spoken(sentence, seconds=frames / fps)
    blinks_s = blink_times(times_s[-1], rng)
    curves = {"aperture": said.aperture, "rounding": said.rounding, "blink": blink_curve(times_s, blinks_s)}
    curves |= {name: sway(times_s, rng, largest, rate_hz) for name, (largest, rate_hz) in SWAY.items()}
    curves["smile"] = 0.4 + curves["smile"]
    shown_s = np.arange(frames) / fps
    values = np.stack([np.interp(shown_s, times_s, curves[name]) for name in PARAMETERS], axis=-1)
    return Track(fps=fps, values=values, blinks_s=blinks_s, speech=said, first=sentence)


def blink_times(end_s: float, rng: np.random.Generator) -> Points:
    """When blinks begin and end: the first within 1.1 s where it fits, then one every 1.2 to 2.4 s."""
    blinks, start = [], rng.uniform(0.4, 0.7)
    while start + sum(BLINK_S) <= end_s - 0.04:
        blinks.append((start, start + sum(BLINK_S)))
        start += rng.uniform(1.2, 2.4)
    return np.array(blinks).reshape(-1, 2)


def blink_curve(times_s: Points, blinks_s: Points) -> Points:
    """How far shut eyes are at any times, 0 to 1, that blink when ``blinks_s`` (blinks, 2) say."""
    closing, held, _ = BLINK_S
    curve = np.zeros_like(times_s)
    for start, end in blinks_s:
        ramp = np.interp(times_s, [start, start + closing, start + closing + held, end], [0.0, 1.0, 1.0, 0.0])
        curve = np.maximum(curve, (1 - np.cos(np.pi * ramp)) / 2)
    return curve


def sway(times_s: Points, rng: np.random.Generator, largest: float, rate_hz: float) -> Points:
    """Three sines with random phases, at most ``largest``, easing in from rest within 0.6 s."""
    rates_hz = rate_hz * np.array([0.6, 1.0, 1.7]) * rng.uniform(0.85, 1.15, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    weights = np.array([0.5, 0.35, 0.15])
    swing = np.sin(2 * np.pi * np.outer(times_s, rates_hz) + phases) @ weights
    ease = np.clip(times_s / 0.6, 0, 1)
    return np.asarray(largest * swing * ease**2 * (3 - 2 * ease))
