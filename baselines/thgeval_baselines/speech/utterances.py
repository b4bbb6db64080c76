"""The speech that ships for ``synth-v1``: 12 utterances in five languages, two stress clips, and sentences to fit to.

    said = utterance("e03")
    said.samples, said.phones, said.text, said.language

``utterances.opus`` holds the sound and ``utterances.json`` the time of every phone; ``recording`` made both. The voices
are a machine's, and the sentences say nothing about anybody.
"""

import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from thgeval.errors import ProtocolError
from thgeval.media.audio import decoded_speech
from thgeval_baselines.speech.tts import RATE_HZ, Said
from thgeval_baselines.speech.visemes import Phone

LEAD_S, PAUSE_S = 0.3, 0.4
DITHER = 5e-5
"""Silence holds noise of this size, so that it isn't exactly zero."""


def ids(purpose: str) -> tuple[str, ...]:
    """Ids of what is said for ``utterance``, ``stress`` or ``fitting``."""
    return tuple(str(record["id"]) for record in _records() if record["purpose"] == purpose)


def utterance(name: str) -> Said:
    """One of the shipped utterances by its id. Raises ``ProtocolError`` for an id that none has."""
    found = next((record for record in _records() if record["id"] == name), None)
    if found is None:
        known = ", ".join(str(record["id"]) for record in _records())
        raise ProtocolError(f"no utterance is called {name!r}, choose one of {known}")
    samples = _sound()[found["start"] : found["start"] + found["samples"]]
    phones = tuple(Phone(*phone) for phone in found["phones"])
    return Said(samples, phones, str(found["text"]), str(found["voice"]).split("+")[0], str(found["voice"]))


def chained(parts: Iterable[Said], *, seconds: float, seed: int = 0, lead_s: float = LEAD_S) -> Said:
    """Exactly so many seconds: ``parts`` after each other, silence before, between and after; what is over is cut.

    Silence holds a dither below 1e-4 drawn from ``seed``.
    """
    count = round(seconds * RATE_HZ)
    samples = np.random.default_rng(seed).uniform(-DITHER, DITHER, count).astype(np.float32)
    phones: list[Phone] = []
    said: list[Said] = []
    at = round(lead_s * RATE_HZ)
    for part in parts:
        if at >= count:
            break
        place = samples[at : at + len(part.samples)]
        place += part.samples[: len(place)]
        begin_s = at / RATE_HZ
        moved = (Phone(name, begin_s + start_s, min(begin_s + end_s, seconds)) for name, start_s, end_s in part.phones)
        phones += [phone for phone in moved if phone.start_s < seconds]
        said.append(part)
        at += len(part.samples) + round(PAUSE_S * RATE_HZ)
    language, voice = (
        names.pop() if len(names) == 1 else ""
        for names in ({each.language for each in said}, {each.voice for each in said})
    )
    return Said(samples, tuple(phones), " ".join(each.text for each in said), language, voice)


def fitting_speech(turn: int, *, seconds: float = 25.0) -> Said:
    """Speech to fit to: the sentences for that in a chain, beginning further on at every ``turn``."""
    names = ids("fitting")
    order = [names[(number + 3 * turn) % len(names)] for number in range(len(names))]
    return chained((utterance(name) for name in order), seconds=seconds, seed=turn)


@cache
def _records() -> tuple[dict[str, Any], ...]:
    text = resources.files("thgeval_baselines.speech").joinpath("utterances.json").read_text(encoding="utf-8")
    return tuple(json.loads(text)["said"])


@cache
def _sound() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    with resources.as_file(resources.files("thgeval_baselines.speech").joinpath("utterances.opus")) as path:
        return np.asarray(decoded_speech(path, rate_hz=RATE_HZ).samples, np.float32)
