"""Word and character error rates: how much of what is said a named reader can't read."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from thgeval.feature import Feature
from thgeval.features.words.reading import NO_MODEL, READERS, WordAlignment, alignment, reading, said_in
from thgeval.features.words.transcripts import TEXTS, unparted
from thgeval.metric import Better, Metric, Needs, Preset, View, of_generated
from thgeval.parameter import parameter
from thgeval.states import Counts

AVERAGES = ("corpus", "clip-mean")
PRESETS: Mapping[str, Preset] = {
    "pocketsphinx": Preset({"reader": "pocketsphinx"}, "the recogniser that ships in its package listens"),
    "grid-landmarks": Preset({"reader": "grid-landmarks"}, "the embedded lip reader, for GRID clips alone"),
    "auto-avsr": Preset({"reader": "checkout", "model": "auto-avsr"}, "a checkout of mpc001/auto_avsr, for its lips"),
    "av-hubert": Preset({"reader": "checkout", "model": "av-hubert"}, "a checkout of AV-HuBERT, as TalkLip's WER1"),
    "whisper": Preset({"reader": "faster-whisper", "model": "whisper"}, "Whisper through faster-whisper listens"),
    "lipnet-overlap": Preset({"reader": "lipnet-overlap"}, "LipNet trained on all speakers of GRID"),
}


@dataclass(frozen=True)
class ErrorRate(Metric[Counts]):
    """What word and character error rates share."""

    reader: str = parameter(
        "lipnet-unseen",
        ("who reads: see the page on readers; without one of the same name and model, rates can't be compared"),
        of=READERS,
    )
    model: str = parameter(NO_MODEL, "the name of the reader's model, for readers that take one")
    text: str = parameter(
        "plain",
        "what counts as a word or a letter: ``plain`` (NFKC, case folded, punctuation and what isn't "
        "seen away, one space between words) or ``verbatim``",
        of=TEXTS,
    )
    average: str = parameter(
        "corpus",
        ("``corpus``: all errors over all words or letters; ``clip-mean``: the mean of the clips' rates"),
        of=AVERAGES,
    )

    version = 2
    range = (0.0, math.inf)
    better = Better.LOWER
    with_reference = True
    embedded = "grid-landmarks"
    unit_of_text: ClassVar[str]

    def check_together(self) -> None:
        """Refuse a model for a reader that takes none, and a reader without the one it takes."""
        reading(self.reader, self.model)

    @property
    def alignment(self) -> Feature[WordAlignment]:
        """What was read against what was said."""
        return alignment(reader=self.reader, model=self.model, text=self.text, unit=self.unit_of_text)

    @property
    def counts_events(self) -> bool:
        """Errors are, the mean of clips' rates is none."""
        return self.average == "corpus"

    @property
    def needs(self) -> Needs:
        """One alignment per clip."""
        return of_generated(self.alignment)

    def measure(self, view: View) -> Counts:
        """Errors over what was said in one clip, or their quotient over one clip."""
        errors, said, shown = view.generated[self.alignment]
        if self.average == "clip-mean":
            return Counts.of(view.clip, errors / said, 1, detail=shown)
        return Counts.of(view.clip, errors, said, detail=shown)

    def remark(self, state: Counts) -> str | None:
        """What must be known of the reader, and of transcripts that aren't parted into what is counted."""
        return "; ".join(said for said in (READERS[self.reader].note, *self.cautions(state)) if said) or None


@dataclass(frozen=True)
class WER(ErrorRate):
    """How many of the words that are said a named reader gets wrong.

    Reads    the transcript (``.txt`` or GRID's ``.align`` beside the clip, or words by a rule from its name), and what
             the reader makes of the clip: of its lips, or of its speech
    Returns  words substituted, deleted and inserted, over the words of the transcripts, all clips together: from 0, no
             unit, above 1 where the reader invents words. The reader makes errors on real clips too: its rate on the
             reference clips stands beside, and only the difference speaks of the generator
    Source   common practice since Vougioukas, Petridis, Pantic, IJCV 2020 (lip readers); jiwer for the arithmetic
    Departs  a clip whose transcript has no word is left out and counted. Scripts without spaces between words (Chinese,
             Japanese, Thai, Khmer, Lao, Burmese) need cer, or words parted beforehand; a note says so. What a listening
             reader hears is the driving speech where one is named, which says nothing of the lips
    """

    name = "wer"
    cites = ("vougioukas2020sda",)
    unit_of_text = "words"
    presets: ClassVar[Mapping[str, Preset]] = {
        **PRESETS,
        "lrw": Preset({"reader": "lrw-mstcn", "average": "clip-mean"}, "1 - word accuracy on LRW, 0 or 1 a clip"),
    }

    def cautions(self, state: Counts) -> Iterator[str]:
        """That sentences count as words where no spaces part them."""
        texts = [parts[0].detail for parts in state.parts.values()]
        if whole := sum(unparted(said_in(text)) for text in texts):
            yield (
                f"{whole} of {len(texts)} transcripts put no spaces between words, so that whole sentences count as "
                "one: use cer, or part the words of transcripts and of what is read"
            )


@dataclass(frozen=True)
class CER(ErrorRate):
    """How many of the letters that are said a named reader gets wrong, spaces between words among them.

    Reads    as wer: the transcript, and what the reader makes of the clip
    Returns  characters substituted, deleted and inserted, over the characters of the transcripts: from 0, no unit,
             above 1 where the reader invents text; the reader's rate on the reference clips stands beside
    Source   as wer; jiwer for the arithmetic
    Departs  as wer
    """

    name = "cer"
    cites = ("vougioukas2020sda",)
    unit_of_text = "characters"
    presets: ClassVar[Mapping[str, Preset]] = PRESETS
