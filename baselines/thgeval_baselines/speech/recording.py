"""How the demo's speech was made: four sentences of ours, spoken by espeak-ng, with the time of every phoneme.

    python -m thgeval_baselines.speech.recording FOLDER

writes ``speech.opus`` (mono, 16 kHz before encoding) and ``speech.json`` beside it, as they ship in this package. Needs
the installed espeak-ng (GPL-3.0-or-later, a separate program; libespeak-ng 1.51 made the shipped files). Each
sentence is spoken in a fresh process, because espeak-ng's sound depends on what it said before. Other versions of it
sound different: the shipped files are the reference, and nothing makes them anew by itself.
"""

import ctypes
import json
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import click
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

RATE_HZ = 16000
BIT_RATE = 32000
PAUSE_S = 0.4
SPEED_WPM = 150

SENTENCES = (
    ("en-us", "Every morning a small boat moves over the quiet water."),
    ("en-gb", "Please remember to bring warm bread and a map for the walk."),
    ("en-us+f3", "Five brown foxes jump above my open window while we wait."),
    ("en-gb+m3", "The weather may improve before people arrive from the village."),
)
"""Voice and text; written for this purpose, about nobody."""

_SYNCHRONOUS, _PHONEME_EVENTS, _IPA, _RATE, _UTF8, _PHONEME = 2, 1, 2, 1, 1, 7


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


def said(voice: str, text: str) -> tuple[NDArray[np.int16], int, list[tuple[float, str]]]:
    """One sentence: samples, their rate, and when each phoneme begins, in seconds, by its IPA name."""
    library = ctypes.CDLL("libespeak-ng.so.1")
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS | _IPA)
    blocks: list[NDArray[np.int16]] = []
    phonemes: list[tuple[float, str]] = []

    def receive(samples: Any, count: int, events: Any) -> int:
        if samples:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type:
            if events[index].type == _PHONEME:
                name = bytes(events[index].name).split(b"\0")[0].decode()
                phonemes.append((round(events[index].sample / rate_hz, 4), name))
            index += 1
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
    callback = kind(receive)  # held by this name, or it would be gone before the library calls it
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(voice.encode())
    library.espeak_SetParameter(_RATE, SPEED_WPM, 0)
    encoded = text.encode()
    library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 0, 0, _UTF8, None, None)
    return np.concatenate(blocks), rate_hz, phonemes


def at_16_khz(samples: NDArray[np.int16], rate_hz: int) -> NDArray[np.int16]:
    """The same sound at 16 kHz."""
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate_hz
    parts = [part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)]
    return np.concatenate(parts)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Speak the sentences and write them and their phonemes into FOLDER."""
    sentences, pieces, start = [], [], 0
    silence = np.zeros(round(PAUSE_S * RATE_HZ), np.int16)
    for voice, text in SENTENCES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            samples, rate_hz, phonemes = process.submit(said, voice, text).result()
        samples = at_16_khz(samples, rate_hz)
        record = {"voice": voice, "text": text, "start": start, "samples": len(samples), "phonemes": phonemes}
        sentences.append(record)
        pieces += [samples, silence]
        start += len(samples) + len(silence)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in sentences)
    (folder / "speech.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    _encode(folder / "speech.opus", np.concatenate(pieces))
    for name in ("speech.json", "speech.opus"):
        click.echo(f"{folder / name}: {(folder / name).stat().st_size} bytes")


def _encode(path: Path, samples: NDArray[np.int16]) -> None:
    with av.open(str(path), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=RATE_HZ, layout="mono", bit_rate=BIT_RATE)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for given in (frame, None):
            container.mux(stream.encode(given))


if __name__ == "__main__":
    main()
