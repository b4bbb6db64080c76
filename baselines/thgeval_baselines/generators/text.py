"""``ref-text``: words to speech and to the mouth that says it, both from one list of phones.

espeak-ng speaks the text and tells when each sound begins; dominance functions (``speech.lips``) make the mouth of the
sounds; the portrait is bent to it. So lips and voice belong together by construction. What it can't do: a natural
voice, emotion, a head that moves with what is said.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.talking import Talker, lacking, table
from thgeval_baselines.speech.lips import mouth
from thgeval_baselines.speech.tts import RATE_HZ, Said, checked, spoken_text
from thgeval_baselines.speech.utterances import LEAD_S, chained
from thgeval_baselines.speech.visemes import Phone

TAIL_S = 0.4
"""Silence after the last word."""


class Text(Generator):
    """Words in, speech and picture out."""

    id: ClassVar[str] = "ref-text"
    paradigm: ClassVar[Paradigm] = Paradigm.TEXT
    says: ClassVar[str] = "speech by espeak-ng, mouth by dominance functions of its phones, a bent portrait"
    needs: ClassVar[frozenset[str]] = frozenset({"source_image", "text"})
    extra: ClassVar[str] = "faces,tts"

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces", "espeakng_loader": "tts"})

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """The portrait speaking the text; ``frames`` cuts or lengthens it, with silence."""
        said = self.said(inputs)
        talker = Talker.of(inputs)
        frames = round(said.seconds * inputs.fps)
        seen = mouth(said.phones, fps=float(inputs.fps), frames=frames)
        return Generated(
            talker.frames(seen.aperture, seen.rounding, fps=inputs.fps, seed=seed),
            fps=inputs.fps,
            sound=said.samples,
            rate_hz=RATE_HZ,
            evidence={"curves.csv": table(seen.actions), "phones.csv": listed(said.phones)},
        )

    def said(self, inputs: Inputs) -> Said:
        """The speech with silence round it, a whole number of frames long."""
        if inputs.text is None:
            raise InputError(f"{inputs.item} has no text to speak", reason="text")
        checked(inputs.text, language=inputs.language)
        words = spoken_text(inputs.text, language=inputs.language)
        frames = inputs.frames or round((LEAD_S + words.seconds + TAIL_S) * inputs.fps)
        return chained([words], seconds=float(frames / inputs.fps))


def listed(phones: Iterable[Phone]) -> bytes:
    """Phones as CSV: begin and end in seconds, and the name."""
    return "".join(f"{start_s:.3f},{end_s:.3f},{name}\n" for name, start_s, end_s in phones).encode()
