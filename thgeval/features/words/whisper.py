"""What Whisper hears in the speech of a clip, through faster-whisper or transformers, with a model of the user's own.

The model is a folder in ``THGEVAL_HOME/checkouts`` as the library saves it; neither library is given a name that it
could fetch. Both take the likeliest words with a temperature of 0, and find out the language themselves. The two differ
in their arithmetic and in how they cut up long sound, so they are two readers.

Source: Radford et al., ICML 2023; faster-whisper 1.x, transformers 4.45 and later.
"""

from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.sync.speech import speech
from thgeval.networks import TORCH, alone
from thgeval.requirements import Package, Program, programs

RATE_HZ = 16000
LONGEST_S = 30
BEAMS = 5
_listening = Lock()


@feature(
    speech(),
    version=1,
    grain=Grain.CLIP,
    requires=lambda model, **_: (Package("faster_whisper", extra="whisper"), Program(model)),
)
def faster_whisper_hearing(samples: NDArray[np.float32], *, model: str, release: str) -> str:
    """The text heard by faster-whisper, with five beams and nothing carried over from one half minute to the next."""
    with _listening:
        segments, _ = _faster(model, programs.token(model)).transcribe(
            samples, beam_size=BEAMS, temperature=0.0, condition_on_previous_text=False
        )
        return " ".join(segment.text.strip() for segment in segments)


@feature(
    speech(),
    version=1,
    grain=Grain.CLIP,
    requires=lambda model, **_: (Package("transformers", extra="whisper"), TORCH, Program(model)),
)
def transformers_whisper_hearing(samples: NDArray[np.float32], *, model: str, release: str) -> str:
    """The text heard by transformers' Whisper, the likeliest token at a time; InputError "too long" above 30 s."""
    if len(samples) > LONGEST_S * RATE_HZ:
        raise InputError(
            f"transformers-whisper hears at most {LONGEST_S} s, not {len(samples) / RATE_HZ:.1f}", reason="too long"
        )
    processor, network = _transformers(model, programs.token(model))
    with _listening, alone():
        heard = processor(samples, sampling_rate=RATE_HZ, return_tensors="pt")
        tokens = network.generate(heard.input_features, num_beams=1, do_sample=False)
        return str(processor.batch_decode(tokens, skip_special_tokens=True)[0])


@cache
def _faster(model: str, token: str) -> Any:
    from faster_whisper import WhisperModel

    place = str(programs.folder(model))
    return WhisperModel(place, device="cpu", compute_type="float32", cpu_threads=1, local_files_only=True)


@cache
def _transformers(model: str, token: str) -> tuple[Any, Any]:
    from transformers import AutoProcessor, WhisperForConditionalGeneration

    place = programs.folder(model)
    network = WhisperForConditionalGeneration.from_pretrained(place, local_files_only=True)
    return AutoProcessor.from_pretrained(place, local_files_only=True), network.eval()
