"""What is said in a clip: shipped sentences one after another, with the time of every sound and the words."""

import io
import json
import wave
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.files import write_atomically
from thgeval_baselines.speech.spoken import LEAD_S, PAUSE_S, RATE_HZ, spoken
from thgeval_baselines.speech.visemes import Phone


@dataclass(frozen=True, eq=False)
class Said:
    """Sound, its phones in order, and the words of every sentence that is in it whole or in part.

    ``samples`` (samples,) float32 in [-1, 1] at 16 kHz.
    """

    samples: NDArray[np.float32]
    phones: tuple[Phone, ...]
    text: str


def said(first: int, *, seconds: float) -> Said:
    """So many seconds of speech that begin with sentence ``first``, as ``spoken`` has them."""
    records = _records()
    phones, words = [], []
    start_s, number = LEAD_S, first
    while start_s < seconds:
        record = records[number % len(records)]
        end_s = record["samples"] / RATE_HZ
        ends = [begin for begin, _ in record["phonemes"][1:]] + [end_s]
        phones += [
            Phone(name, start_s + begin, min(start_s + end, seconds))
            for (begin, name), end in zip(record["phonemes"], ends, strict=True)
            if start_s + begin < seconds
        ]
        words.append(record["text"])
        start_s += end_s + PAUSE_S
        number += 1
    return Said(spoken(first, seconds=seconds).samples, tuple(phones), " ".join(words))


def write_sound(path: Path, samples: NDArray[np.float32], *, rate_hz: int = RATE_HZ) -> None:
    """Write sound in [-1, 1] as a WAV file of 16 bits."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(32767 * np.clip(samples, -1, 1)).astype("<i2").tobytes())
    write_atomically(path, held.getvalue())


@cache
def _records() -> tuple[dict[str, Any], ...]:
    text = resources.files("thgeval_baselines.speech").joinpath("speech.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))
