"""What original programs and metrics were both given: small clips that are the same on every machine."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from support.clips import moving, written_at
from support.fake_judge import checkout, judged

from thgeval.clip import Clip, Memory, Pair

RATE = Fraction(25)
LABELS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
INTENDED = ("neu", "neu", "neu", "hap", "sad", "neu", "ang", "con")
EMOTIONAL = tuple(f"M003_{short}_1_{number:03}" for number, short in enumerate(INTENDED))


def pair(name: str, generated: np.ndarray, reference: np.ndarray, **beside: object) -> Pair:
    sides = (Clip(side, Memory(frames, 255.0), RATE) for side, frames in (("g", generated), ("r", reference)))
    return Pair(name, *sides, **beside)


def noisy(frames: np.ndarray, seed: int, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, frames.shape)
    return np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)


def frames(folder: Path) -> list[Pair]:
    """Seven, four and three noisy frames, of 200, 392 and 128 px."""
    made = {"a": (moving(7, 200, seed=1), 4.0), "b": (moving(4, 392, seed=2), 9.0), "c": (moving(3, 128, seed=3), 2.0)}
    return [pair(name, noisy(real, seed, sigma), real) for seed, (name, (real, sigma)) in enumerate(made.items())]


def frames_and_copies(folder: Path) -> list[Pair]:
    """The same, and a clip of which two of five frames are copies."""
    real = moving(5, 96, seed=4)
    partly = np.concatenate([real[:2], noisy(real[2:], 5, 6.0)])
    return [*frames(folder), pair("d", partly, real)]


def clips_of_twelve(folder: Path) -> list[Pair]:
    """Three noisy clips of twelve frames of 112 px."""
    return [
        pair(name, noisy(moving(12, 112, seed=seed), seed, 3.0 * seed), moving(12, 112, seed=seed))
        for seed, name in enumerate("abc", 6)
    ]


def face(count: int, seed: int) -> np.ndarray:
    """68 landmarks of a face that speaks, frowns and turns, in px of 320 x 240: (frames, 68, 2)."""
    rng = np.random.default_rng(seed)
    rest = np.column_stack([rng.uniform(80, 240, 68), rng.uniform(40, 200, 68)])
    rest[17:27, 1], rest[36:48, 1] = rng.uniform(60, 70, 10), rng.uniform(80, 90, 12)
    rest[36:42, 0] -= 60
    moved = np.cumsum(rng.normal(0, 0.8, (count, 68, 2)), axis=0) * 0.3
    wandered = np.cumsum(rng.normal(0, 1.0, (count, 1, 2)), axis=0)
    return rest + moved + wandered


def landmarks(folder: Path) -> list[Pair]:
    """Grey clips of 40 and 23 frames with landmarks and pose beside them, of a face that is missing from some."""
    pairs = []
    for seed, (name, count, lost) in enumerate((("a", 40, [3, 17, 18]), ("b", 23, [0]))):
        pose = np.cumsum(np.random.default_rng(seed + 9).normal(0, 1.5, (count, 3)), axis=0)
        points = face(count, seed)
        points[lost], pose[lost] = np.nan, np.nan
        path = written_at(
            folder / f"{name}.mkv", np.full((count, 240, 320, 3), 90, np.uint8), range(count), Fraction(1, 25)
        )
        np.savez(folder / f"{name}.faces.npz", landmarks_px=points, pose_deg=pose, size_px=np.array([320, 240]))
        pairs.append(Pair(name, Clip(name, path)))
    return pairs


def blinking(folder: Path) -> list[Pair]:
    """Grey clips of 60 frames with landmarks whose eyes shut some times, slowly or fast, to the end of one clip."""
    pairs = []
    for seed, (name, shut) in enumerate({"a": (10, 31, 44, 58), "b": (5, 9, 40), "c": ()}.items()):
        rng = np.random.default_rng(seed + 80)
        points = np.repeat(face(1, seed), 60, axis=0)
        away = np.min([np.abs(np.arange(60) - at) / (1 + at % 3) for at in shut] or [np.full(60, 9.0)], axis=0)
        opening = 3.0 * np.clip(away / 2, 0.1, 1) + rng.normal(0, 0.08, 60)
        for start in (36, 42):
            x, y = points[0, start]
            spread = np.array([0, 4, 8, 12, 8, 4])
            points[:, start : start + 6, 0] = x + spread
            points[:, start : start + 6, 1] = y + opening[:, None] * np.array([0, -1, -1, 0, 1, 1]) * 0.7
        clip = grey(folder, name, 60)
        np.savez(folder / f"{name}.faces.npz", landmarks_px=points, size_px=np.array([32, 32]))
        pairs.append(Pair(name, clip))
    return pairs


def landmarks_and_speech(folder: Path) -> list[Pair]:
    """The same clips with speech that falls silent for half a second."""
    heard = []
    for seed, made in enumerate(landmarks(folder)):
        frames = (40, 23)[seed]
        path = murmur(folder / f"{made.id}.wav", frames / 25, seed=seed + 60, rate_hz=16000, loud=4000)
        rate_hz, samples = wavfile.read(path)
        quiet = samples.copy()
        quiet[rate_hz // 5 : rate_hz * 7 // 10] = 0
        wavfile.write(path, rate_hz, quiet)
        heard.append(replace(made, audio=path))
    return heard


def affect(folder: Path) -> list[Pair]:
    """Clips of 12, 9 and 7 frames to a checkout that says valence and arousal; the last go against the reference."""
    checkout(folder / "home", "emonet")
    sides = {"generated": {}, "reference": {}}
    for seed, (name, count) in enumerate((("a", 12), ("b", 9), ("c", 7))):
        feelings = felt(seed, count)
        for side, values in zip(sides, feelings, strict=True):
            sides[side][name] = dict(zip(("valence", "arousal"), values.tolist(), strict=True))
    made = [judged(folder / side, "emonet", answers) for side, answers in sides.items()]
    return [Pair(name, *(Clip(name, side / f"{name}.mp4") for side in made)) for name in "abc"]


def felt(seed: int, count: int) -> np.ndarray:
    """Valence and arousal of the generated clip and of the reference: (2 sides, 2, frames), some beyond 1."""
    rng = np.random.default_rng(seed)
    reference = np.cumsum(rng.normal(0, 0.4, (2, count)), axis=1)
    generated = (-1 if seed == 2 else 0.8) * reference + rng.normal(0.1, 0.2, (2, count))
    return np.stack([generated, reference])


def people(folder: Path) -> list[Pair]:
    """Clips of 14 and 9 frames with landmarks, embeddings, expression and pose on either side, one of them late."""
    pairs = []
    for seed, (name, count, lost) in enumerate((("a", 14, {"generated": [3, 8], "reference": [8]}), ("b", 9, {}))):
        rng, sides = np.random.default_rng(seed + 100), {}
        points = face(count, seed + 100)
        turned, said, who = (rng.normal(0, size, (count, width)) for size, width in ((12, 3), (1, 64), (1, 32)))
        for side in ("generated", "reference"):
            late = np.maximum(np.arange(count) - 2 * (name == "a" and side == "generated"), 0)
            found = {
                "landmarks_px": points[late] + rng.normal(0, 0.2, points.shape),
                "pose_deg": turned[late] + rng.normal(0, 2, turned.shape),
                "expression": said[late] + rng.normal(0, 0.3, said.shape),
                "embeddings": who[late] + rng.normal(0, 0.4, who.shape),
            }
            for rows in found.values():
                rows[lost.get(side, [])] = np.nan
            (folder / side).mkdir(exist_ok=True)
            sides[side] = grey(folder / side, name, count)
            np.savez(folder / side / f"{name}.faces.npz", size_px=np.array([32, 32]), **found)
        pairs.append(Pair(name, *sides.values()))
    return pairs


def sentiments(folder: Path) -> list[Pair]:
    """Clips whose emotions, and whose offsets of the sound, checkouts say: by frame, by clip, and by window of 8 s."""
    rng, names, sides = np.random.default_rng(120), tuple(LABELS), {}
    for model in ("emonet", "emotion-fan", "synchformer"):
        checkout(folder / "home", model)
    for side in ("generated", "reference"):
        frames = {clip: rng.choice(names, 7, p=np.r_[0.4, np.full(7, 0.6 / 7)]).tolist() for clip in EMOTIONAL}
        sides[side] = judged(folder / side, "emonet", {clip: {"emotion": said} for clip, said in frames.items()})
        judged(sides[side], "emotion-fan", {clip: {"emotion": said[0]} for clip, said in frames.items()})
        offsets = np.linspace(-2, 2, 21)[rng.integers(0, 21, (len(EMOTIONAL), 2))].tolist()
        judged(sides[side], "synchformer", {c: {"offset_s": o} for c, o in zip(EMOTIONAL, offsets, strict=True)})
    return [Pair(clip, *(Clip(clip, sides[side] / f"{clip}.mp4") for side in sides)) for clip in EMOTIONAL]


def grey(folder: Path, name: str, count: int) -> Clip:
    """A clip of so many grey frames, small and 25 per second."""
    return Clip(
        name,
        written_at(folder / f"{name}.mkv", np.full((count, 32, 32, 3), 90, np.uint8), range(count), Fraction(1, 25)),
    )


def murmur(path: Path, seconds: float, *, seed: int, rate_hz: int, loud: float) -> Path:
    """Noise that swells and dies away some times a second, as a file of 16 bits."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    knots = np.arange(0, seconds + 0.2, 0.11)
    swell = np.clip(np.interp(time, knots, rng.uniform(-0.5, 1, len(knots))), 0, 1)
    wavfile.write(path, rate_hz, np.rint(rng.normal(0, loud, len(time)) * swell).astype(np.int16))
    return path


def meshes(folder: Path) -> list[Pair]:
    """Clips of two people with a mesh of 60 vertices on either side, and speech that is louder in some."""
    pairs, counts = [], {"m1_a": 40, "m1_b": 23, "m1_c": 30, "m2_a": 31, "m2_b": 28, "m2_c": 35}
    for seed, (name, count) in enumerate(counts.items()):
        rng = np.random.default_rng(seed + 20)
        rest = rng.normal(0, 1, (60, 3))
        says = {"lips": np.array([3, 5, 5, 8, 13, 21, 34, 40]), "upper_face": np.arange(45, 60), "lip_middles": [3, 40]}
        sides = {}
        for side, size in (("generated", 0.04 + 0.01 * seed), ("reference", 0.05)):
            motion = np.cumsum(rng.normal(0, size, (count, 60, 3)), axis=0)
            motion[:, 3, 1] += np.sin(np.arange(count) * (0.7 + 0.1 * seed) + (side == "generated"))
            (folder / side).mkdir(exist_ok=True)
            sides[side] = grey(folder / side, name, count)
            np.savez(folder / side / f"{name}.mesh.npz", vertices=rest + motion, template=rest, **says)
        heard = murmur(folder / f"{name}.wav", count / 25, seed=seed, rate_hz=44100, loud=1000 * (1 + (3 * seed) % 5))
        pairs.append(Pair(name, *sides.values(), audio=heard))
    return pairs


def poses(folder: Path) -> list[Pair]:
    """Clips of 120 and 90 frames with a pose on either side, and speech."""
    pairs = []
    for seed, (name, count) in enumerate((("a", 120), ("b", 90))):
        rng, sides = np.random.default_rng(seed + 40), {}
        for side in ("generated", "reference"):
            (folder / side).mkdir(exist_ok=True)
            sides[side] = grey(folder / side, name, count)
            turned = np.cumsum(rng.normal(0, 1.0, (count, 3)), axis=0)
            np.savez(folder / side / f"{name}.faces.npz", pose_deg=turned)
        heard = murmur(folder / f"{name}.wav", count / 25, seed=seed, rate_hz=16000, loud=4000)
        pairs.append(Pair(name, *sides.values(), audio=heard))
    return pairs


GIVEN: Mapping[str, Callable[[Path], list[Pair]]] = {
    "frames": frames,
    "frames and copies": frames_and_copies,
    "clips of twelve frames": clips_of_twelve,
    "landmarks": landmarks,
    "landmarks and speech": landmarks_and_speech,
    "blinking": blinking,
    "affect": affect,
    "people": people,
    "emotions and offsets": sentiments,
    "meshes": meshes,
    "poses": poses,
    "frames of one size": lambda folder: frames(folder)[:1],
}
