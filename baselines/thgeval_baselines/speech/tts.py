"""Text to speech with the time of every sound: espeak-ng through ``espeakng-loader``, the extra ``tts``.

    said = spoken_text("A map of the bay.", language="en-us")
    said.samples       # (samples,) float32 at 16 kHz
    said.phones        # Phone(name, start_s, end_s), IPA

espeak-ng is a separate program (GPL-3.0-or-later) and runs in a process of its own, a new one for each text: what it
says first is the same every time with the same version, but for voices that breathe (see ``espeak``).
"""

import importlib.util
import json
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from thgeval.errors import InputError, MissingExtra
from thgeval_baselines.speech.visemes import Phone

RATE_HZ = 16000
WORDS_PER_MINUTE = 150
LONGEST_TEXT = 10_000
"""Characters, about ten minutes."""

TIMEOUT_S = 120
STOPS = frozenset("pbtdkɡgqɢʔ")
STOP_GAP_S = 0.035
"""espeak-ng's event for a stop marks its release; its closure, about this long, is silent before it."""

VOICES = {"en-gb": "en", "zh": "cmn", "fr-fr": "fr", "no": "nb"}
"""Languages that espeak-ng calls otherwise."""

SCRIPTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "sr", "kk", "ky", "tt", "ba", "cv"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ur", "sd", "ug", "ku"), ("ARABIC",)),
    **dict.fromkeys(("hi", "mr", "ne", "kok"), ("DEVANAGARI",)),
    **dict.fromkeys(("bn", "as", "bpy"), ("BENGALI",)),
    **dict.fromkeys(("cmn", "zh", "hak", "yue"), ("CJK", "BOPOMOFO")),
    **dict.fromkeys(("am", "ti"), ("ETHIOPIC",)),
    **dict.fromkeys(("hy", "hyw"), ("ARMENIAN",)),
    **dict.fromkeys(("el", "grc"), ("GREEK",)),
    "he": ("HEBREW",),
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
    "ko": ("HANGUL",),
    "ka": ("GEORGIAN",),
    "gu": ("GUJARATI",),
    "kn": ("KANNADA",),
    "ml": ("MALAYALAM",),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "or": ("ORIYA",),
    "pa": ("GURMUKHI",),
    "si": ("SINHALA",),
    "th": ("THAI",),
    "my": ("MYANMAR",),
}
"""Scripts that a language is written in beside Latin letters; letters of another are spelt by their names."""


@dataclass(frozen=True, eq=False)
class Said:
    """Speech: ``samples`` (samples,) float32 in [-1, 1] at 16 kHz, its ``phones`` in order, and what was said."""

    samples: NDArray[np.float32]
    phones: tuple[Phone, ...]
    text: str = ""
    language: str = ""
    voice: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / RATE_HZ


def installed() -> bool:
    """Whether the extra ``tts`` is there."""
    return importlib.util.find_spec("espeakng_loader") is not None


def spoken_text(
    text: str,
    *,
    language: str = "en-us",
    words_per_minute: int = WORDS_PER_MINUTE,
    as_phonemes: bool = False,
) -> Said:
    """``text`` spoken; ``language`` is a BCP 47 name or a voice of espeak-ng's, such as ``en-us+f3``.

    With ``as_phonemes``, ``[[...]]`` in the text are espeak-ng's own names of phonemes. Raises ``MissingExtra`` without
    the extra ``tts``, and ``InputError`` for a text that can't be spoken or a language without a voice.
    """
    checked(text, language=language)
    answer, sound = _asked(
        {
            "text": unicodedata.normalize("NFC", text),
            "voices": candidates(language),
            "words_per_minute": words_per_minute,
            "as_phonemes": as_phonemes,
        }
    )
    if answer["voice"] is None:
        raise InputError(f"espeak-ng has no voice for the language {language}, name another", reason="language")
    samples = at_16_khz(np.frombuffer(sound, np.int16), answer["rate_hz"])
    events = [(str(name), float(start_s)) for name, start_s in answer["events"]]
    if not any(name for name, _ in events):
        raise InputError(f"the text {_short(text)} has nothing to say in it, give words", reason="text")
    phones = phones_of(events, len(samples) / RATE_HZ)
    return Said((samples / 32768).astype(np.float32), phones, text, language, answer["voice"])


def checked(text: str, *, language: str) -> None:
    """Raise ``InputError`` with its reason for a text that can't be spoken in ``language``."""
    if not text.strip():
        raise InputError("the text is empty, give words to speak", reason="text")
    if not any(character.isalnum() for character in text):
        raise InputError(f"the text {_short(text)} has nothing to say in it, give words", reason="text")
    if len(text) > LONGEST_TEXT:
        raise InputError(f"the text has {len(text)} characters, give at most {LONGEST_TEXT}", reason="text")
    scripts = ("LATIN", *SCRIPTS.get(language.lower().split("+")[0].split("-")[0], ()))
    for character in text:
        if not _speakable(character, scripts):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise InputError(
                f"the text has a character that {language} can't speak, {name}: leave it out", reason="text"
            )


def _speakable(character: str, scripts: tuple[str, ...]) -> bool:
    kind = unicodedata.category(character)
    if kind.startswith("L"):
        return kind == "Lm" or unicodedata.name(character, "").startswith(scripts)
    return kind[0] in "MNPZ" or kind in {"Sc", "Sm", "Sk"} or character in "\n\r\t°©®"


def candidates(language: str) -> list[str]:
    """Voices to try for a language: as it is, as espeak-ng calls it, and without its region; a variant stays."""
    name, plus, variant = language.strip().lower().partition("+")
    base = name.split("-")[0]
    tried = [VOICES.get(name, name), VOICES.get(base, base)]
    return [f"{each}{plus}{variant}" for each in dict.fromkeys(tried) if each]


def phones_of(events: Sequence[tuple[str, float]], end_s: float) -> tuple[Phone, ...]:
    """Phones of espeak-ng's events (name, begin in seconds): each ends where the next begins.

    A stop begins ``STOP_GAP_S`` before its event, or after half of what precedes it.
    """
    starts = [start_s for _, start_s in events]
    begins = [
        max(start_s - STOP_GAP_S, (start_s + before) / 2) if name and name[0] in STOPS else start_s
        for (name, start_s), before in zip(events, [0.0, *starts], strict=False)
    ]
    ends = [*begins[1:], max(end_s, begins[-1])] if begins else []
    return tuple(Phone(name, begin, end) for (name, _), begin, end in zip(events, begins, ends, strict=True))


def at_16_khz(samples: NDArray[np.int16], rate_hz: int) -> NDArray[np.int16]:
    """The same sound at 16 kHz."""
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = rate_hz
    parts = [part.to_ndarray()[0] for given in (frame, None) for part in resampler.resample(given)]
    return np.concatenate(parts)


def _asked(question: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The answer of a fresh process that holds espeak-ng."""
    if not installed():
        raise MissingExtra("speaking text with espeak-ng", extra="tts")
    command = [sys.executable, str(Path(__file__).with_name("espeak.py"))]
    try:
        done = subprocess.run(  # noqa: S603 - our own file
            command, input=json.dumps(question).encode(), capture_output=True, check=True, timeout=TIMEOUT_S
        )
    except subprocess.CalledProcessError as error:
        tail = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise InputError(f"espeak-ng failed: {' '.join(tail) or error.returncode}", reason="text") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(f"espeak-ng took more than {TIMEOUT_S} s, give a shorter text", reason="text") from error
    line, _, sound = done.stdout.partition(b"\n")
    answer: dict[str, Any] = json.loads(line)
    return answer, sound


def _short(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:20] + "...")
