"""What CMU PocketSphinx hears in the speech of a clip, with the American English model that its package ships.

A small recogniser of read speech with a vocabulary of newspapers: on anything else it makes many errors, which is why
its number on the reference clips belongs beside every other. Acoustic model, dictionary and trigrams are the package's
own, so the package's release names them all. Sound that is zero throughout is not given to it, as it hears a word in
that.

Source: Huggins-Daines et al., ICASSP 2006; the package pocketsphinx.
"""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from thgeval.feature import Grain, feature
from thgeval.features.sync.speech import pcm
from thgeval.requirements import Package

_listening = Lock()


@feature(pcm(), version=1, grain=Grain.CLIP, requires=(Package("pocketsphinx", extra="speech"),))
def pocketsphinx_hearing(samples: NDArray[np.int16], *, release: str) -> str:
    """The words heard in the speech at 16 kHz, parted by spaces; empty where there are none."""
    from pocketsphinx import Decoder

    if not samples.any():
        return ""
    with _listening:  # a decoder of its own for each clip: what was heard before must not change what is heard now
        decoder = Decoder(loglevel="FATAL", samprate=16000)
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
    return "" if heard is None else str(heard.hypstr)
