"""The mouth that belongs to a voice: a small temporal network from log-mel and heard phones to lips, in numpy.

    seen = listened(Path("speech.wav"), fps=25.0, frames=None)
    seen.aperture, seen.rounding       # (frames,), see ``photo.geometry.Parameters``

It sees 40 log-mel bands every 10 ms, less the voice's own mean, and the visemes of the phones that PocketSphinx hears
(``hearing``); five convolutions along time give the opening, the rounding, and whether lips touch. Lips that touch are
shut, and so are those of an m, b or p that is heard; sound far below the voice's level leaves the mouth at rest.
``baselines/training/train_audio.py`` trained it on GRID (``baselines/training/ref_audio.md`` says on which clips);
nothing here needs torch.

The sound is read twice in windows of 20 s, so that an hour takes no more memory than a minute.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import ProtocolError
from thgeval.kernels import mel
from thgeval_baselines.speech.hearing import heard
from thgeval_baselines.speech.lips import closures, parting
from thgeval_baselines.speech.sound import windows
from thgeval_baselines.speech.visemes import VISEMES, Phone, visemes

Floats = NDArray[np.float32]

WEIGHTS = "ref_audio.npz"
SHA256 = "6cb46fc78aa358faed72ba67cf753330ab309514c4226a267cd36ded92214fc2"
BANDS = 40
COLUMN_S, HOP = 0.01, 160
SPREAD = 3.0
"""What log-mel less its mean is divided by."""

DILATIONS = (1, 2, 4, 8)
OUTPUTS = ("aperture", "rounding", "touching")
LEVELS = np.arange(-24.0, 12.0, 0.25)
"""Bins of a column's level, the mean of its log-mel bands."""

BELOW_VOICE = 6.0
"""Columns that are no further below the loud ones belong to the voice, in nats (26 dB)."""

SILENT, QUIET = -15.0, 9.0
"""The level that nothing but noise of the last bits reaches; and how far below the voice the mouth is at rest."""

TOUCHING = 0.2
"""The probability of a closure from which lips are shut. Chosen on the clips trained on and the sentences to fit to."""

SURE = 20.0
"""The logit of a closure that is heard."""

PARTING_S = 0.03
REST_COLUMNS = 15
"""Half the columns round each that must be quiet before the mouth is at rest."""
ALONG = {name: number for number, name in enumerate(VISEMES)}


@dataclass(frozen=True, eq=False)
class Voice:
    """What is true of a whole sound: its ``mean`` (bands,) where somebody speaks, the ``level`` of its loud columns,
    and how many ``columns`` of 10 ms it has.
    """

    mean: Floats
    level: float
    columns: int

    @property
    def silent(self) -> bool:
        """Whether nothing is to be heard."""
        return self.level < SILENT


@dataclass(frozen=True, eq=False)
class Lips:
    """A mouth over time, (frames,) each."""

    aperture: NDArray[np.float64]
    rounding: NDArray[np.float64]


def listened(path: Path, *, fps: float, frames: int | None) -> Lips:
    """The lips of the speech in a file: ``frames`` of them, or as many as the sound is long.

    Raises ``InputError`` for a file without sound, and ``MissingExtra`` without PocketSphinx.
    """
    voice = voice_of(columns[core] for _, columns, core in _windows(path))
    count = frames if frames is not None else max(1, round(voice.columns * COLUMN_S * fps))
    if voice.silent:
        return Lips(np.zeros(count), np.zeros(count))
    made = [
        (outputs_of(columns, heard(samples), voice, weights())[core], level(columns[core]))
        for samples, columns, core in _windows(path)
    ]
    outputs, levels = (np.concatenate(parts) for parts in zip(*made, strict=True))
    return shown(outputs, levels, voice, fps=fps, frames=count)


def _windows(path: Path) -> Iterator[tuple[Floats, Floats, slice]]:
    """Windows of a sound: samples, their log-mel columns (columns, 40), and which of those are the window's own."""
    for samples, before, after in windows(path):
        columns = mel.log_mel(samples, bands=BANDS).astype(np.float32)
        own = (len(samples) - before - after) // HOP if after else len(columns)
        yield samples, columns, slice(before // HOP, min(before // HOP + own, len(columns)))


def level(columns: Floats) -> Floats:
    """The level of columns (n, bands), in nats: (n,)."""
    return np.asarray(columns.mean(axis=1))


def voice_of(parts: Iterable[Floats]) -> Voice:
    """What is true of a sound, from its columns in parts."""
    count, sums = np.zeros(len(LEVELS) + 1), np.zeros((len(LEVELS) + 1, BANDS))
    for columns in parts:
        place = np.searchsorted(LEVELS, level(columns))
        np.add.at(count, place, 1)
        np.add.at(sums, place, columns)
    shares = np.cumsum(count) / max(count.sum(), 1)
    loud = float(LEVELS[min(int(np.searchsorted(shares, 0.95)), len(LEVELS) - 1)])
    spoken = np.append(LEVELS, np.inf) >= loud - BELOW_VOICE
    mean = sums[spoken].sum(axis=0) / max(count[spoken].sum(), 1)
    return Voice(mean.astype(np.float32), loud, int(count.sum()))


def outputs_of(columns: Floats, phones: Sequence[Phone], voice: Voice, tensors: Mapping[str, Floats]) -> Floats:
    """Opening, rounding and the logit of a closure (n, 3) in columns (n, bands), with the phones heard in them.

    The network has learnt closures of one speaker; those of the phones heard are closures too, whatever it makes of
    them.
    """
    outputs = network(features(columns, phones, voice), tensors)
    for start_s, end_s in closures(phones):
        outputs[round(start_s / COLUMN_S) : round(end_s / COLUMN_S), OUTPUTS.index("touching")] = SURE
    return outputs


def features(columns: Floats, phones: Iterable[Phone], voice: Voice) -> Floats:
    """What the network sees of (n, bands) columns and the phones heard in them: (n, bands and visemes)."""
    said = np.zeros((len(columns), len(ALONG)), np.float32)
    for phone in phones:
        start_s = phone.start_s
        for viseme, share in visemes(phone.name):
            end_s = start_s + share * (phone.end_s - phone.start_s)
            said[round(start_s / COLUMN_S) : round(end_s / COLUMN_S), _number(viseme)] = 1
            start_s = end_s
    return np.concatenate([(columns - voice.mean) / SPREAD, said], axis=1, dtype=np.float32)


def _number(viseme: object) -> int:
    return next(number for number, each in enumerate(VISEMES.values()) if each is viseme)


def network(seen: Floats, tensors: Mapping[str, Floats]) -> Floats:
    """Opening, rounding and the logit of a closure in every column, (n, 3), of features (n, channels)."""
    x = np.maximum(_convolved(seen, tensors["into.weight"], tensors["into.bias"], 1), 0)
    for number, step in enumerate(DILATIONS):
        x = x + np.maximum(_convolved(x, tensors[f"layers.{number}.weight"], tensors[f"layers.{number}.bias"], step), 0)
    return _convolved(x, tensors["out.weight"], tensors["out.bias"], 1)


def _convolved(x: Floats, weight: Floats, bias: Floats, step: int) -> Floats:
    """A dilated convolution along time of (n, in) by (out, in, taps), zeros beyond the ends."""
    taps = weight.shape[2]
    beside = step * (taps // 2)
    padded = np.pad(x, ((beside, beside), (0, 0)))
    made = sum(padded[step * tap : step * tap + len(x)] @ weight[:, :, tap].T for tap in range(taps))
    return np.asarray(made + bias, np.float32)


def shown(outputs: Floats, levels: Floats, voice: Voice, *, fps: float, frames: int) -> Lips:
    """The lips at frames' times of the network's outputs (columns, 3): shut where they touch, at rest in silence."""
    times_s, at_s = np.arange(len(outputs)) * COLUMN_S, np.arange(frames) / fps
    aperture, rounding = (np.interp(at_s, times_s, np.clip(outputs[:, number], 0, 1)) for number in (0, 1))
    awake = np.clip((levels - (voice.level - QUIET)) / 2, 0, 1)
    nearby = np.ones(2 * REST_COLUMNS + 1) / (2 * REST_COLUMNS + 1)
    awake = np.convolve(awake, nearby)[REST_COLUMNS:-REST_COLUMNS]
    speaking = np.interp(at_s, times_s, np.clip(2 * awake, 0, 1), right=0)
    spans = touching_spans(outputs[:, 2], shortest_s=1 / fps)
    apart = parting(spans, at_s, over_s=PARTING_S)
    return Lips(aperture * apart * speaking, rounding * speaking)


def touching_spans(logits: Floats, *, shortest_s: float) -> NDArray[np.float64]:
    """When lips touch, (closures, 2) s, each ``shortest_s`` long at least, by the logit of a closure in each column."""
    inside = np.concatenate([[False], logits > np.log(TOUCHING / (1 - TOUCHING)), [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1]).reshape(-1, 2) * COLUMN_S
    wider = np.maximum(0, shortest_s * (1 + 1e-6) - np.ptp(edges, axis=1)) / 2
    return np.asarray(edges + np.stack([-wider, wider], axis=1))


@cache
def weights() -> dict[str, Floats]:
    """The network's tensors as they ship. Raises ``ProtocolError`` for a file that isn't the one that was trained."""
    content = resources.files("thgeval_baselines.speech").joinpath(WEIGHTS).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise ProtocolError(f"{WEIGHTS} of thgeval_baselines is not what was published, install the package again")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}
