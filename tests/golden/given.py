"""What original programs and metrics were both given: small clips that are the same on every machine."""

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
from support.clips import moving

from thgeval.clip import Clip, Memory, Pair

RATE = Fraction(25)


def pair(name: str, generated: np.ndarray, reference: np.ndarray, **beside: object) -> Pair:
    sides = (Clip(side, Memory(frames, 255.0), RATE) for side, frames in (("g", generated), ("r", reference)))
    return Pair(name, *sides, **beside)


def noisy(frames: np.ndarray, seed: int, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, frames.shape)
    return np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)


def frames() -> list[Pair]:
    """Seven, four and three noisy frames, of 200, 392 and 128 px."""
    made = {"a": (moving(7, 200, seed=1), 4.0), "b": (moving(4, 392, seed=2), 9.0), "c": (moving(3, 128, seed=3), 2.0)}
    return [pair(name, noisy(real, seed, sigma), real) for seed, (name, (real, sigma)) in enumerate(made.items())]


def frames_and_copies() -> list[Pair]:
    """The same, and a clip of which two of five frames are copies."""
    real = moving(5, 96, seed=4)
    partly = np.concatenate([real[:2], noisy(real[2:], 5, 6.0)])
    return [*frames(), pair("d", partly, real)]


GIVEN: Mapping[str, Callable[[], list[Pair]]] = {
    "frames": frames,
    "frames and copies": frames_and_copies,
    "frames of one size": lambda: frames()[:1],
}
