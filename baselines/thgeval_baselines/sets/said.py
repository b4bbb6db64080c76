"""What is said in a clip: shipped sentences one after another, with the time of every sound and the words."""

import io
import json
import struct
import wave
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.files import write_atomically
from thgeval_baselines.speech.spoken import LEAD_S, PAUSE_S, RATE_HZ, spoken
from thgeval_baselines.speech.tts import Said
from thgeval_baselines.speech.visemes import Phone


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


def write_sound(path: Path, samples: NDArray[np.float32], *, rate_hz: int = RATE_HZ, comment: str = "") -> None:
    """Write sound in [-1, 1] as a WAV file of 16 bits, with a comment in it if there is one."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(32767 * np.clip(samples, -1, 1)).astype("<i2").tobytes())
    content = held.getvalue()
    if comment:
        text = comment.encode() + b"\0" * (2 - len(comment.encode()) % 2)
        content += struct.pack("<4sI4s4sI", b"LIST", 12 + len(text), b"INFO", b"ICMT", len(text)) + text
        content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
    write_atomically(path, content)


@cache
def _records() -> tuple[dict[str, Any], ...]:
    text = resources.files("thgeval_baselines.speech").joinpath("speech.json").read_text(encoding="utf-8")
    return tuple(json.loads(text))
