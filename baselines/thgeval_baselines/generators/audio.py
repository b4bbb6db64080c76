"""``ref-audio``: speech in, the mouth that says it out, by a small temporal network that has heard one speaker of GRID.

The network (``speech.listening``) sees log-mel bands and the phones that PocketSphinx hears, and gives how far lips
open, how round they are, and whether they touch; the portrait is bent to it. Silence is a still mouth; the face blinks
and sways all the same. What it can't do: teeth and tongue by the sound, emotion, a head that moves with what is said.
"""

from pathlib import Path
from typing import ClassVar

from thgeval.errors import InputError
from thgeval_baselines.generator import Generated, Generator, Inputs, Paradigm
from thgeval_baselines.generators.talking import Talker, lacking, table
from thgeval_baselines.speech.listening import WEIGHTS, listened


class Audio(Generator):
    """A portrait and speech in, picture out."""

    id: ClassVar[str] = "ref-audio"
    paradigm: ClassVar[Paradigm] = Paradigm.AUDIO
    says: ClassVar[str] = "mouth by a temporal network of log-mel and heard phones, a bent portrait"
    needs: ClassVar[frozenset[str]] = frozenset({"source_image", "audio"})
    version: ClassVar[int] = 2
    extra: ClassVar[str] = "faces,speech"
    trained_on: ClassVar[tuple[str, ...]] = ("grid-s1-ref-audio",)
    weights: ClassVar[tuple[str, ...]] = (f"speech/{WEIGHTS}",)

    def problems(self) -> list[str]:
        """What isn't installed."""
        return lacking({"dlib": "faces", "pocketsphinx": "speech"})

    def generate(self, inputs: Inputs, *, seed: int, fitted: Path | None) -> Generated:
        """The portrait speaking; ``frames`` cuts or lengthens it, at rest after the sound. The seed moves the head."""
        if inputs.audio is None:
            raise InputError(f"{inputs.item} has no audio to speak", reason="audio")
        talker = Talker.of(inputs)
        seen = listened(inputs.audio, fps=float(inputs.fps), frames=inputs.frames)
        return Generated(
            talker.frames(seen.aperture, seen.rounding, fps=inputs.fps, seed=seed),
            fps=inputs.fps,
            evidence={"curves.csv": table({"aperture": seen.aperture, "rounding": seen.rounding})},
        )
