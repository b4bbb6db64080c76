"""Which sounds are in speech, and when: CMU PocketSphinx's phone loop, American English (extra ``speech``).

It was made for read American speech; in other languages it hears the nearest American sounds. Timing is good to a few
hundredths of a second.

Source: Huggins-Daines et al., ICASSP 2006; the package pocketsphinx, whose models ship in it.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import MissingExtra
from thgeval_baselines.speech.visemes import Phone

RATE_HZ = 16000
FRAME_S = 0.01
DITHER = 2
"""Noise of this many of 32768 levels: a synthetic voice's silence is exactly zero, which the model has never heard."""


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
