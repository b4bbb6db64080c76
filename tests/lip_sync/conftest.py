"""A talking texture, speech for it, and pairs of the two in memory or in files."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from thgeval.clip import Clip, Memory, Pair


def face_like(frames: int, height: int = 224, width: int = 224, seed: int = 0) -> np.ndarray:
    """Blobs that change from frame to frame: uint8, (frames, height, width, 3)."""
    rng = np.random.default_rng(seed)
    base = rng.integers(30, 226, size=(frames, -(-height // 16), -(-width // 16), 3))
    return base.repeat(16, axis=1).repeat(16, axis=2)[:, :height, :width].astype(np.uint8)


def speech_like(samples: int, seed: int = 0) -> np.ndarray:
    """Syllables of noise and tone: int16."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16000
    loud = np.repeat(rng.uniform(0, 1, samples // 1600 + 1), 1600)[:samples]
    return (loud * (5000 * np.sin(2 * np.pi * 200 * t * (1 + loud)) + rng.normal(0, 1500, samples))).astype(np.int16)


def in_memory(frames: np.ndarray, audio: Path | None, fps: int | Fraction | None = 25) -> Pair:
    """A pair of frames in memory and a file of speech."""
    rate = None if fps is None else Fraction(fps)
    return Pair("a", Clip("a", Memory(frames, 255.0), rate), audio=audio)


@pytest.fixture
def wav(tmp_path):
    """Write int16 samples, mono or (samples, channels), to a file."""
    soundfile = pytest.importorskip("soundfile")

    def write(samples: np.ndarray, rate_hz: int = 16000) -> Path:
        path = tmp_path / f"speech{len(samples)}-{rate_hz}.wav"
        soundfile.write(path, samples, rate_hz)
        return path

    return write
