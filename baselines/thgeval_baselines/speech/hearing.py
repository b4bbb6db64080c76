"""Which sounds are in speech, and when: CMU PocketSphinx's phone loop, American English (extra ``speech``).

It was made for read American speech; in other languages it hears the nearest American sounds. Timing is good to a few
hundredths of a second.

Source: Huggins-Daines et al., ICASSP 2006; the package pocketsphinx, whose models ship in it.
"""

from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError, MissingExtra
from thgeval.media.audio import Audio, decoded_speech
from thgeval_baselines.speech.visemes import Phone

RATE_HZ = 16000
FRAME_S = 0.01
DITHER = 2
"""Noise of this many of 32768 levels: a synthetic voice's silence is exactly zero, which the model has never heard."""

LONGEST_S = 600.0
BEYOND_S = 1.0
"""How much after the wanted frames is heard too: what comes next colours the last sounds."""


def installed() -> bool:
    """Whether the recogniser is there."""
    return find_spec("pocketsphinx") is not None


def heard(samples: NDArray[np.float32]) -> tuple[Phone, ...]:
    """The phones of speech (samples,) in [-1, 1] at 16 kHz, by ARPABET names; silence is ``SIL``, noises ``+NSN+``.

    Raises ``MissingExtra`` without pocketsphinx.
    """
    if not installed():
        raise MissingExtra("hearing phones", extra="speech")
    decoder = _decoder(allphone=str(_models() / "en-us-phone.lm.bin"), lw=2.0, beam=1e-20, pbeam=1e-20)
    _spoken_to(decoder, _levels(samples))
    segments = [(each.word, each.start_frame, each.end_frame) for each in decoder.seg() or ()]
    return tuple(Phone(str(word), first * FRAME_S, (last + 1) * FRAME_S) for word, first, last in segments)


def heard_in(path: Path, *, fps: Fraction, frames: int | None) -> tuple[tuple[Phone, ...], int]:
    """The phones of a file's speech, and the number of frames in which it is shown: ``frames``, or all that it lasts.

    Raises ``InputError``, "too long" where that is more than ``LONGEST_S``; what follows the wanted frames is left out.
    """
    sound, count = sound_in(path, fps=fps, frames=frames)
    return heard(sound.samples), count


def sound_in(path: Path, *, fps: Fraction, frames: int | None) -> tuple[Audio, int]:
    """The same for the sound itself, at 16 kHz."""
    most_s = LONGEST_S if frames is None else float(frames / fps)
    sound = decoded_speech(path, rate_hz=RATE_HZ, seconds=most_s + BEYOND_S)
    lasting_s = sound.duration_s if frames is None else most_s
    if lasting_s > LONGEST_S:
        raise InputError(
            f"{path}: more than {LONGEST_S:.0f} s are to be shown; cut the sound, or ask for fewer frames",
            reason="too long",
        )
    return sound, frames or max(1, round(lasting_s * fps))


def _levels(samples: NDArray[np.float32]) -> bytes:
    """16-bit samples with a dither."""
    noise = np.random.default_rng(0).integers(-DITHER, DITHER + 1, len(samples))
    return np.clip(np.rint(samples * 32767) + noise, -32768, 32767).astype("<i2").tobytes()


def _spoken_to(decoder: Any, levels: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(levels, full_utt=True)
    decoder.end_utt()


def _models() -> Path:
    import pocketsphinx

    return Path(pocketsphinx.__file__).parent / "model" / "en-us"


def _decoder(**settings: Any) -> Any:
    """A recogniser of its own for each speech: what was heard before would change what is heard now."""
    import pocketsphinx

    given = {"lm": None, "dict": None} | settings
    return pocketsphinx.Decoder(hmm=str(_models() / "en-us"), samprate=RATE_HZ, loglevel="FATAL", **given)
