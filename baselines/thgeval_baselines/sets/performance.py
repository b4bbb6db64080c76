"""What is done in each clip of ``synth-v1``: who, what is said, how the head moves, and how it is filmed.

Everything follows from the seed. Motion belongs to what is said, not to who says it: all people of a set perform an
utterance alike, so that one person's clip is the exact answer to another's reenacted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from thgeval_baselines.photo.geometry import PARAMETERS, Parameters
from thgeval_baselines.photo.portrait import Points
from thgeval_baselines.sets.track import BLINK_S, SWAY, blink_curve, blink_times, sway
from thgeval_baselines.speech.lips import MouthCurves, mouth
from thgeval_baselines.speech.spoken import CURVE_HZ
from thgeval_baselines.speech.tts import Said
from thgeval_baselines.speech.utterances import chained, fitting_speech, ids, utterance

SECONDS, FIT_SECONDS = 5.0, 25.0
FPS, SIZE = Fraction(25), 256
LATE_FRAMES = (-10, -5, -2, -1, 0, 1, 2, 5, 10)
BLINKS_HZ = (0.0, 0.25, 0.5, 1.0)
OTHER_FPS, OTHER_SIZES = (24, 30), (128, 512)
YAW_RAMP_DEG = 35.0
REST_SMILE = 0.4


@dataclass(frozen=True, eq=False)
class Performance:
    """One clip before it is drawn.

    ``person``    number of the person, from 0
    ``said``      the sound, as long as the clip, and its phones
    ``mouth``     what the lips do, one value a frame; also ARKit actions
    ``values``    (frames, 10), the ``geometry.Parameters`` of each frame
    ``blinks_s``  (blinks, 2), when each begins and ends
    ``late_s``    how late the sound is heard in the video
    ``meta``      what sets it apart
    """

    id: str
    person: int
    split: str
    said: Said
    mouth: MouthCurves
    values: Points
    blinks_s: Points
    fps: Fraction = FPS
    size: int = SIZE
    late_s: float = 0.0
    utterance: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Points:
        """One parameter over time, (frames,)."""
        return self.values[:, PARAMETERS.index(name)]

    def frames(self) -> list[Parameters]:
        """The parameters of each frame."""
        return [Parameters(*(float(value) for value in row)) for row in self.values]

    def actions(self) -> dict[str, Points]:
        """The same under ARKit names, in [0, 1]: speech, blinks, brows, and the smile beyond rest."""
        raised, lowered = np.maximum(self["brow"], 0), np.maximum(-self["brow"], 0)
        smile = np.clip((self["smile"] - REST_SMILE) / (1 - REST_SMILE), 0, 1)
        pairs = {"eyeBlink": self["blink"], "browDown": lowered, "browOuterUp": 0.7 * raised, "mouthSmile": smile}
        both = {f"{name}{side}": curve for name, curve in pairs.items() for side in ("Left", "Right")}
        return {**self.mouth.actions, **both, "browInnerUp": raised}


def performances(*, seed: int, people: int, seconds: float = SECONDS) -> list[Performance]:
    """Every clip that is scored: utterances of everybody, still and in pose, then the first person's stress clips."""
    clips = [
        performed(f"s{person + 1}-{name}-{kind}", name, seed=seed, person=person, posed=kind == "pose", seconds=seconds)
        for person in range(people)
        for name in ids("utterance")
        for kind in ("still", "pose")
    ]
    return clips + _stressed(seed, seconds)


def performed(
    id: str,
    name: str,
    *,
    seed: int,
    person: int = 0,
    posed: bool = False,
    seconds: float = SECONDS,
    split: str = "test",
    fps: Fraction = FPS,
    blinks_hz: float | None = None,
    **other: Any,
) -> Performance:
    """One clip of an utterance; ``name`` "" is silence, and ``blinks_hz`` blinks evenly instead of at random."""
    number = ([*ids("utterance"), *ids("stress")].index(name) + 1) if name else 0
    said = chained([utterance(name)] if name else [], seconds=seconds, seed=number)
    return _moved(id, said, _seed(seed, 1, number), person, posed, split, fps, blinks_hz, utterance=name, **other)


def fitting_performance(person: int, *, seed: int, seconds: float = FIT_SECONDS) -> Performance:
    """A person's clip to fit to: other sentences, with pose, never scored."""
    said = fitting_speech(person, seconds=seconds)
    return _moved(f"s{person + 1}-fit", said, _seed(seed, 2, person), person, True, "fit", FPS, None)


def _stressed(seed: int, seconds: float) -> list[Performance]:
    """The stress clips: one thing is extreme, or varied by itself."""

    def clip(kind: str, value: float | str, name: str, **other: Any) -> Performance:
        text = f"{value}".replace("-", "m").replace(".", "_")
        meta = {"stress": kind, "value": value}
        id = f"s1-{kind}-{text}" if value != "" else f"s1-{kind}"
        return performed(id, name, seed=seed, seconds=seconds, split="stress", meta=meta, **other)

    first = ids("utterance")[0]
    return [
        clip("silence", "", ""),
        clip("closures", "", "closures"),
        clip("vowels", "", "vowels"),
        *(clip("blinks", hz, first, blinks_hz=hz) for hz in BLINKS_HZ),
        clip("yaw-ramp", "", first, ramp_deg=YAW_RAMP_DEG),
        *(clip("late", late, first, late_s=float(late / FPS)) for late in LATE_FRAMES),
        *(clip("fps", fps, first, posed=True, fps=Fraction(fps)) for fps in OTHER_FPS),
        *(clip("size", size, first, posed=True, size=size) for size in OTHER_SIZES),
    ]


def _moved(
    id: str,
    said: Said,
    seed: int,
    person: int,
    posed: bool,
    split: str,
    fps: Fraction,
    blinks_hz: float | None,
    ramp_deg: float = 0.0,
    **other: Any,
) -> Performance:
    """The clip with its motion, drawn at 200 Hz and sampled at the frames' times."""
    frames = round(said.seconds * fps)
    rng = np.random.default_rng(seed)
    times_s = np.arange(round(said.seconds * CURVE_HZ) + 1) / CURVE_HZ
    blinks_s = blink_times(times_s[-1], rng) if blinks_hz is None else _evenly(blinks_hz, said.seconds)
    curves = {"blink": blink_curve(times_s, blinks_s)}
    swung = {name: sway(times_s, rng, most, rate_hz) for name, (most, rate_hz) in SWAY.items()}
    curves |= {name: curve if posed else np.zeros_like(curve) for name, curve in swung.items()}
    curves["smile"] = REST_SMILE + curves["smile"]
    if ramp_deg:
        curves["yaw"] = np.linspace(-ramp_deg, ramp_deg, len(times_s))
    shown_s = np.arange(frames) / float(fps)
    lips = mouth(said.phones, fps=float(fps), frames=frames)
    sampled = {name: np.interp(shown_s, times_s, curve) for name, curve in curves.items()}
    sampled |= {"aperture": lips.aperture, "rounding": lips.rounding}
    values = np.stack([sampled[name] for name in PARAMETERS], axis=-1)
    return Performance(id, person, split, said, lips, values, blinks_s, fps=fps, **other)


def _evenly(rate_hz: float, seconds: float) -> Points:
    """Blinks at an even rate, each in the middle of its turn."""
    starts = (np.arange(int(seconds * rate_hz)) + 0.5) / rate_hz - sum(BLINK_S) / 2 if rate_hz else np.zeros(0)
    return np.stack([starts, starts + sum(BLINK_S)], axis=-1)


def _seed(seed: int, purpose: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, purpose, number]).generate_state(1)[0])
