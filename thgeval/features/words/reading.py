"""What a reader makes of a clip, and how it compares with what was said, word by word.

Who reads decides the number, so the reader stands in every signature: ``READERS`` names them all. Some listen to the
speech, others look at the lips; some know any English sentence, others a few words. They give the text they read, which
is empty where they read nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from thgeval.errors import InputError, ProtocolError
from thgeval.feature import Feature, Grain, chosen_from, feature
from thgeval.features.words.grid_reading import NOTE, grid_reading
from thgeval.features.words.lip_reading import lipnet_reading, lrw_reading
from thgeval.features.words.pocketsphinx import pocketsphinx_hearing
from thgeval.features.words.program_reading import checkout_reading
from thgeval.features.words.transcripts import TEXTS, written
from thgeval.features.words.whisper import faster_whisper_hearing, transformers_whisper_hearing
from thgeval.requirements import Package, programs
from thgeval.version import release

NO_MODEL = "none"


@dataclass(frozen=True)
class Reader:
    """A reader: the feature that is its text, and the package whose release is one of its parameters.

    ``takes_model`` says that the name of a model is another. ``single`` readers read one word whatever is said;
    ``note`` is what must be known of every number that rests on it.
    """

    text: Callable[..., Feature[str]]
    package: str = ""
    takes_model: bool = False
    single: bool = False
    note: str = ""


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "pocketsphinx": Reader(pocketsphinx_hearing, "pocketsphinx"),
        "grid-landmarks": Reader(grid_reading, note=NOTE),
        "lipnet-unseen": Reader(partial(lipnet_reading, port="unseen")),
        "lipnet-overlap": Reader(partial(lipnet_reading, port="overlap")),
        "lrw-mstcn": Reader(lrw_reading, single=True),
        "faster-whisper": Reader(faster_whisper_hearing, "faster-whisper", takes_model=True),
        "transformers-whisper": Reader(transformers_whisper_hearing, "transformers", takes_model=True),
        "checkout": Reader(checkout_reading, takes_model=True),
    }
)


class WordAlignment(NamedTuple):
    """How many units were wrong, of how many that were said, and the two texts one above the other."""

    errors: int
    said: int
    shown: str


def reading(reader: str, model: str) -> Feature[str]:
    """The text that a reader reads; ProtocolError for a reader there isn't, or a model it doesn't take."""
    row = chosen_from(READERS, reader=reader)
    if row.takes_model != (model != NO_MODEL):
        lacks = "needs the name of a model" if model == NO_MODEL else f"takes no model, so not {model!r} either"
        raise ProtocolError(f"the reader {reader} {lacks}")
    parameters = {"release": release(row.package)} if row.package else {}
    if row.takes_model:
        _ = programs.folder(model)
        parameters["model"] = model
    return row.text(**parameters)


@feature(
    written(),
    lambda reader, model, **_: reading(reader, model),
    version=2,
    grain=Grain.CLIP,
    requires=(Package("jiwer", extra="speech"),),
)
def alignment(said: str, read: str, *, reader: str, model: str, text: str, unit: str) -> WordAlignment:
    """The reader's text set against the transcript with the fewest insertions, deletions and substitutions.

    Raises InputError: "empty transcript" where the transcript has no word, "several words" where it has more than the
    reader can read.
    """
    wanted, found = TEXTS[text](said), TEXTS[text](read)
    if not wanted:
        raise InputError(
            "the transcript has no word to compare with; leave it out, or write down what is said",
            reason="empty transcript",
        )
    if READERS[reader].single and len(wanted) > 1:
        raise InputError(
            f"{reader} reads single words; the transcript has {len(wanted)}: {' '.join(wanted)[:60]!r}",
            reason="several words",
        )
    return compared(" ".join(wanted), " ".join(found), unit)


def compared(wanted: str, found: str, unit: str) -> WordAlignment:
    """Two texts of words parted by single spaces, set against each other by words, or by characters with the spaces."""
    import jiwer

    compare: Any = jiwer.process_words if unit == "words" else jiwer.process_characters
    outcome = compare(wanted, found)
    errors = outcome.substitutions + outcome.deletions + outcome.insertions
    lines = jiwer.visualize_alignment(outcome, show_measures=False, skip_correct=False).splitlines()[2:]
    shown = "\n".join(line.rstrip() for line in lines if line.strip())
    return WordAlignment(errors, outcome.substitutions + outcome.deletions + outcome.hits, shown)


def said_in(shown: str) -> list[str]:
    """The words of the transcript in an alignment that is shown; none if nothing is."""
    first = shown.partition("\n")[0]
    return [word for word in first.split()[1:] if word.strip("*")]
