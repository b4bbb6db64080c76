"""Speech for synthetic heads, and how a mouth moves that says it.

Four sentences ship as ``speech.opus`` (14 s, 54 kB) with the time of every phoneme in ``speech.json``; ``recording``
made both with espeak-ng. A mouth aims at one opening and rounding for each sound of a phoneme, see ``visemes``;
lips that must touch (b, m, p) do so a little early and part a little late. The aims are smoothed by a Gaussian of 30
ms, so that sound and picture belong together with no offset.

The voice is a machine's, and the sentences say nothing about anybody.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from thgeval.media.audio import decoded_speech
from thgeval_baselines.photo.portrait import Points
from thgeval_baselines.speech.visemes import IPA, VISEMES

RATE_HZ = 16000
CURVE_HZ = 200
LEAD_S, PAUSE_S = 0.3, 0.4
SMOOTHED_S, TOUCHING_S = 0.03, 0.025


@dataclass(frozen=True, eq=False)
class Spoken:
    """Sound and the mouth that makes it: ``samples`` at 16 kHz, ``aperture`` and ``rounding`` at 200 Hz, one length."""

    samples: NDArray[np.float32]
    aperture: Points
    rounding: Points


def spoken(first: int, *, seconds: float) -> Spoken:
    """So many seconds of the shipped sentences, one after another, beginning with number ``first`` of four.

    0.3 s of silence come before, 0.4 s between; both hold a dither below 1e-4, so that silence isn't exactly zero.
    """
    sound = np.random.default_rng(first).uniform(-5e-5, 5e-5, round(seconds * RATE_HZ))
    opened, rounded = np.zeros((2, round(seconds * CURVE_HZ) + 1))
    start, number = LEAD_S, first
    while start < seconds:
        sentence = _sentences()[number % len(_sentences())]
        for curve, part, rate_hz in (
            (sound, sentence.samples, RATE_HZ),
            (opened, sentence.aperture, CURVE_HZ),
            (rounded, sentence.rounding, CURVE_HZ),
        ):
            place = curve[round(start * rate_hz) :]
            place[: len(part)] += part[: len(place)]
        start += len(sentence.samples) / RATE_HZ + PAUSE_S
        number += 1
    smooth = (gaussian_filter1d(curve, SMOOTHED_S * CURVE_HZ, mode="nearest") for curve in (opened, rounded))
    return Spoken(sound.astype(np.float32), *smooth)


@cache
def _sentences() -> tuple[Spoken, ...]:
    """The shipped sentences with the aims of their mouths, not smoothed."""
    package = resources.files("thgeval_baselines.speech")
    records = json.loads(package.joinpath("speech.json").read_text(encoding="utf-8"))
    with resources.as_file(package.joinpath("speech.opus")) as path:
        samples = decoded_speech(path, rate_hz=RATE_HZ).samples
    return tuple(
        Spoken(samples[record["start"] : record["start"] + record["samples"]], *_aims(record)) for record in records
    )


def _aims(record: dict[str, Any]) -> tuple[Points, Points]:
    """Opening and rounding at 200 Hz that the mouth aims at through a sentence; closed where no phoneme is."""
    end_s = record["samples"] / RATE_HZ
    times_s = np.arange(round(end_s * CURVE_HZ)) / CURVE_HZ
    opened, rounded = np.zeros((2, len(times_s)))
    touching = np.zeros(len(times_s), bool)
    begins = [begin for begin, _ in record["phonemes"]] + [end_s]
    for (begin, name), end in zip(record["phonemes"], begins[1:], strict=True):
        bounds = np.linspace(begin, end, len(name) + 1)
        aim = VISEMES["rest"]
        for sound, after, before in zip(name, bounds, bounds[1:], strict=False):
            aim = aim if sound == "ː" else VISEMES[IPA[sound]]
            inside = (times_s >= after) & (times_s < before)
            opened[inside], rounded[inside] = aim.aperture, aim.rounding
            if aim.shut:
                touching |= (times_s >= after - TOUCHING_S) & (times_s < before + TOUCHING_S)
    opened[touching] = 0.0
    return opened, rounded
