"""Phones heard in speech, with their times: CMU PocketSphinx's phone loop, whose model its package ships.

It knows the sounds of American English and takes every other language for that; about half of what it hears is right,
and most of the rest has the same mouth. With the same package the same sound gives the same phones.

Source: Huggins-Daines et al., ICASSP 2006; the package pocketsphinx (the extra ``speech``).
"""

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import MissingExtra
from thgeval_baselines.speech.visemes import Phone

FRAME_S = 0.01
PRUNING, PHONES_COUNT = 1e-20, 2.0
"""Beam of the search, and how much the succession of phones counts against their sound."""


def heard(samples: NDArray[np.float32]) -> tuple[Phone, ...]:
    """The phones (ARPABET) in speech (samples,) in [-1, 1] at 16 kHz, in order; none where it is silent throughout."""
    if find_spec("pocketsphinx") is None:
        raise MissingExtra("hearing the phones of speech", extra="speech")
    from pocketsphinx import Decoder, get_model_path

    pcm = np.rint(32767 * np.clip(samples, -1, 1)).astype("<i2")
    if not pcm.any():
        return ()
    decoder = Decoder(
        hmm=get_model_path("en-us/en-us"),
        allphone=get_model_path("en-us/en-us-phone.lm.bin"),
        lw=PHONES_COUNT,
        beam=PRUNING,
        pbeam=PRUNING,
        samprate=16000,
        loglevel="FATAL",
    )
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()
    segments = decoder.seg() or ()
    return tuple(Phone(seg.word, seg.start_frame * FRAME_S, (seg.end_frame + 1) * FRAME_S) for seg in segments)
