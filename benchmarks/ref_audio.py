"""``ref-audio`` beside the truth: on GRID clips that it never saw, on the sentences in the package, and its time.

    THGEVAL_GRID=DIR python benchmarks/run.py ref_audio

``DIR`` is what ``baselines/training/train_audio.py`` reads; without it (or without torch, which that script imports)
rows of GRID are left out. Rows compare the opening of the lips with the true one: of GRID, what dlib reads in the
speaker's video; of sentences, the curve that dominance functions make of the very phones that were spoken. Rows called
read are what dlib reads in the encoded video of ``ref-audio``.

``closures`` are the m, b and p that the true curve meets (``speech.lips.closures_met``, a share of all of them in
``truth meets``); ``by chance`` is how many ours meets where closures are moved to random times. ``lag`` is by how many
frames our curve is late at its largest correlation with the true one, the furthest clip's; ``lag to loudness`` is that
of our curve and of the true one to the decibels of the sound, over all clips together, and nothing was trained on
either.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FPS, SECONDS = 25, 5.0
FURTHEST, LOUDNESS_WINDOW = 8, 640
DRAWS = 40
ROOT = Path(__file__).parents[1]
MINUTES = (1, 5)


class Case(NamedTuple):
    """One clip: our opening and the true one (frames,), closures (n, 2) s, and decibels (frames,) of the sound."""

    ours: Any
    true: Any
    closures_s: Any
    decibels: Any


def measurements() -> list[dict[str, Any]]:
    """All rows; nothing of the network's choice rests on the rows called held out."""
    rows = [compared(what, list(cases)) for what, cases in groups()]
    with tempfile.TemporaryDirectory() as folder:
        rows.append(compared("12 sentences, read in the encoded video", list(_read(Path(folder)))))
        rows.append(_timed(Path(folder)))
        rows += [_long(Path(folder), minutes) for minutes in MINUTES]
    return rows


def groups() -> Iterator[tuple[str, Iterable[Case]]]:
    """Clips by what they are."""
    from thgeval_baselines.speech.utterances import ids

    if os.environ.get("THGEVAL_GRID"):
        sys.path.insert(0, str(ROOT / "baselines" / "training"))
        import train_audio

        clips = train_audio.read(Path(os.environ["THGEVAL_GRID"]), None)
        yield f"GRID s1, {len(clips['test'])} clips held out", [_grid(clip) for clip in clips["test"]]
        yield f"GRID s1, {len(clips['train'])} clips trained on", [_grid(clip) for clip in clips["train"]]
    yield "12 sentences of the package", [said(name) for name in ids("utterance")]
    yield "4 sentences of the demo, held out", [_demo(number) for number in range(4)]
    yield "2 stress clips, held out", [said(name) for name in ids("stress")]
    for name in ids("utterance"):
        yield f"sentence {name}", [said(name)]


def compared(what: str, cases: list[Case]) -> dict[str, Any]:
    """One row."""
    from thgeval_baselines.speech.lips import closures_met

    rng = np.random.default_rng(0)
    r = [float(np.corrcoef(case.ours, case.true)[0, 1]) for case in cases]
    met, meetable, chance = [], [], []
    for case in cases:
        true = closures_met(case.true, case.closures_s, fps=FPS)
        met.append(closures_met(case.ours, case.closures_s, fps=FPS)[true])
        meetable.append(true)
        seconds = len(case.ours) / FPS
        for _ in range(DRAWS):
            moved = case.closures_s + rng.uniform(0, seconds, (len(case.closures_s), 1))
            moved = np.where(moved[:, 1:] > seconds, moved - seconds, moved)
            chance.append(closures_met(case.ours, moved, fps=FPS))
    lags = [_lag([case.ours], [case.true]) for case in cases]
    heard = [case.decibels for case in cases]
    return {
        "what": what,
        "clips": len(cases),
        "r": float(np.mean(r)),
        "least r": min(r),
        "closures": int(sum(map(len, met))),
        "truth meets": _share(meetable),
        "ours of those": _share(met),
        "by chance": _share(chance),
        "lag": max(lags, key=abs),
        "clips within a frame": int(np.sum(np.abs(lags) <= 1)),
        "lag to loudness": _lag([case.ours for case in cases], heard),
        "true lag to loudness": _lag([case.true for case in cases], heard),
    }


def _share(parts: list[Any]) -> float:
    whole = np.concatenate(parts)
    return float(whole.mean()) if len(whole) else float("nan")


def _lag(late: list[Any], early: list[Any]) -> int:
    """By how many frames the first curves follow the second, over all clips together."""
    inside = slice(FURTHEST, -FURTHEST)
    found = []
    for shift in range(-FURTHEST, FURTHEST + 1):
        pairs = [
            np.corrcoef(np.roll(mine, -shift)[inside], other[inside])[0, 1]
            for mine, other in zip(late, early, strict=True)
        ]
        found.append(np.mean(pairs))
    return int(np.argmax(found)) - FURTHEST


def _decibels(samples: Any, frames: int) -> Any:
    from thgeval.kernels import mel

    levels = mel.loudness(np.asarray(samples, np.float32), window=LOUDNESS_WINDOW)[::4][:frames]
    levels = np.pad(levels, (0, frames - len(levels)))
    return 20 * np.log10(np.maximum(levels, 1e-3))


def _of(samples: Any, phones: Any, frames: int) -> Any:
    """Our opening of speech, as the generator has it: from a file."""
    from thgeval_baselines.speech.listening import listened

    with tempfile.TemporaryDirectory() as folder:
        return listened(wav(Path(folder) / "speech.wav", samples), fps=float(FPS), frames=frames).aperture


def _grid(clip: Any) -> Case:
    from thgeval_baselines.speech import listening

    voice = listening.voice_of([clip.columns])
    outputs = listening.outputs_of(clip.columns, clip.phones, voice, listening.weights())
    frames = len(clip.aim)
    lips = listening.shown(outputs, listening.level(clip.columns), voice, fps=FPS, frames=frames)
    decibels = 10 / np.log(10) * listening.level(clip.columns)[::4]
    decibels = np.pad(decibels, (0, max(0, frames - len(decibels))), "edge")[:frames]
    return Case(lips.aperture, clip.aim[:, 0].astype(float), clip.closures_s, decibels)


def said(name: str) -> Case:
    """A sentence of the package, in ``SECONDS``."""
    from thgeval_baselines.speech.utterances import chained, utterance

    said = chained([utterance(name)], seconds=SECONDS)
    return _case(said.samples, said.phones)


def _case(samples: Any, phones: Any) -> Case:
    from thgeval_baselines.speech.lips import closures, mouth

    frames = round(len(samples) / 16000 * FPS)
    true = mouth(phones, fps=FPS, frames=frames).aperture
    return Case(_of(samples, phones, frames), true, closures(phones), _decibels(samples, frames))


def _demo(number: int) -> Case:
    """A sentence of ``speech.json``, which nothing was chosen on."""
    import json
    from importlib import resources

    from thgeval.media.audio import decoded_speech
    from thgeval_baselines.speech.visemes import Phone

    package = resources.files("thgeval_baselines.speech")
    record = json.loads(package.joinpath("speech.json").read_text(encoding="utf-8"))[number]
    with resources.as_file(package.joinpath("speech.opus")) as path:
        samples = decoded_speech(path, rate_hz=16000).samples[record["start"] :][: record["samples"]]
    ends = [begin for begin, _ in record["phonemes"][1:]] + [record["samples"] / 16000]
    phones = [Phone(name, a, b) for (a, name), b in zip(record["phonemes"], ends, strict=True)]
    return _case(samples, phones)


def _read(folder: Path) -> Iterator[Case]:
    """Openings as dlib reads them in the videos."""
    from thgeval.clip import Clip
    from thgeval.features.faces import dlib_models
    from thgeval.media import decode
    from thgeval.media.encode import write_video
    from thgeval_baselines.generators.audio import Audio
    from thgeval_baselines.speech.utterances import ids

    for name in ids("utterance"):
        made = Audio().generate(_inputs(folder, name), seed=0, fitted=None)
        write_video(folder / f"{name}.mp4", made.frames, fps=FPS, crf=18)
        with decode(Clip(name, folder / f"{name}.mp4"), chunk=64) as batches:
            shown = np.concatenate([batch.new for batch in batches])
        box = dlib_models.detected(shown[0]).boxes[:1]
        marks = np.stack([dlib_models.landmarks68(frame, box)[0] for frame in shown])
        gap = np.linalg.norm(marks[:, [61, 62, 63]] - marks[:, [67, 66, 65]], axis=2).mean(axis=1)
        case = said(name)
        yield case._replace(ours=gap / np.linalg.norm(marks[:, 36] - marks[:, 45], axis=1))


def _inputs(folder: Path, name: str) -> Any:
    from PIL import Image

    from thgeval_baselines.generator import Inputs
    from thgeval_baselines.sets.synth import head_of, rest
    from thgeval_baselines.speech.utterances import chained, utterance

    if not (folder / "face.png").exists():
        Image.fromarray(head_of(0, seed=0).frame(rest(own=False))).save(folder / "face.png")
    audio = wav(folder / f"{name}.wav", chained([utterance(name)], seconds=SECONDS).samples)
    return Inputs(name, fps=Fraction(FPS), source_image=folder / "face.png", audio=audio)


def wav(path: Path, samples: Any) -> Path:
    """The samples at 16 kHz in a file."""
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(np.clip(np.rint(np.asarray(samples) * 32767), -32768, 32767).astype("<i2").tobytes())
    return path


def _timed(folder: Path) -> dict[str, Any]:
    """Seconds for 5 s of 256 px at 25 frames per second, frames made but not encoded; the median of five, warm."""
    from thgeval_baselines.generators.audio import Audio

    inputs, took = _inputs(folder, "e01"), []
    for _ in range(6):
        begun = time.perf_counter()
        frames = sum(1 for _ in Audio().generate(inputs, seed=0, fitted=None).frames)
        took.append(time.perf_counter() - begun)
    return {"what": f"{frames} frames of 256 px", "seconds": float(np.median(took[1:])), "first": took[0]}


def _long(folder: Path, minutes: int) -> dict[str, Any]:
    """Seconds and the largest memory of a process that hears so many minutes."""
    from thgeval_baselines.speech.utterances import fitting_speech

    path = wav(folder / "long.wav", np.tile(fitting_speech(0, seconds=30.0).samples, 2 * minutes))
    begun = time.perf_counter()
    peak = subprocess.run(
        [sys.executable, str(Path(__file__)), str(path)], check=True, capture_output=True, text=True
    ).stdout
    seconds = time.perf_counter() - begun
    return {"what": f"hearing {minutes} min of speech", "seconds": seconds, "largest memory, MB": int(peak) // 1024}


if __name__ == "__main__":
    from thgeval_baselines.speech.listening import listened

    listened(Path(sys.argv[1]), fps=float(FPS), frames=None)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
