"""What was said in a clip, as somebody wrote it down; and what counts as a word of it.

A transcript is a text file in UTF-8 beside the clip (``face1.txt``), GRID's ``.align`` (start, end, word, of which
``sil`` and ``sp`` are silences), or words given with the pair. The files that come with LRS2 and LRS3, which begin with
``Text:``, are read as what follows that.

Two rules say what is compared:

``plain``     Unicode NFKC, case folded; characters that nobody sees are taken out, and whatever is typed for an
              apostrophe is one; everything but letters, digits and marks parts words, except an apostrophe inside one:
              ``It's`` is ``it's``, ``well-known`` two words. Numbers stay as they are written: ``2`` is not ``two``
``verbatim``  as written, parted at white space
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

from thgeval import limits
from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.frames.offered import transcript

SILENCES = ("sil", "sp")
LRS = "Text:"
APOSTROPHES = (
    "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u0374\u0384\u055a\u05f3\u07f4\u1fbd\u1fbf\u1fef\u1ffd"
    "\u2018\u2019\u201b\u2032\u2035\u275b\u275c\ua78b\ua78c\uff07\uff40"
)
"""What is typed, or put by programs, where an apostrophe is meant: accents that stand alone, which
normal forms make a space and a mark, quotes, primes, letters."""

UNSEEN = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u0640\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Unicode's default ignorables (soft hyphens, joiners, marks of direction and byte order among them), control
characters but for white space, and the stroke that stretches Arabic words."""

UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaadf\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Scripts with no space between words: Thai, Lao, Tibetan, Burmese, Khmer, of Tai languages, Chinese, Japanese."""

LONGEST_MEAN = 6.0
"""Letters a word; texts of such scripts that have more on average are sentences that nobody parted into words."""

_seen = partial(re.compile(f"[{UNSEEN}]").sub, "")
_straight = partial(re.compile(f"[{APOSTROPHES}]| [\u0300\u0301\u0313]").sub, "'")


@feature(transcript, version=1, grain=Grain.CLIP)
def written(source: Path | str) -> str:
    """The text of the transcript, as it is written.

    Raises InputError: "unreadable transcript" for a file that is no text in UTF-8, or no alignment.
    """
    if isinstance(source, str):
        return source
    try:
        text = limits.text(source, "text_bytes", "utf-8-sig")
    except InputError as error:
        raise _unreadable(source, f"can't be read: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(source, f"can't be read as text in UTF-8 ({error})") from None
    if source.suffix.lower() == ".align":
        return _aligned(text, source)
    first, _, _ = text.partition("\n")
    return first.removeprefix(LRS) if text.startswith(LRS) else text


def _aligned(text: str, source: Path) -> str:
    rows = [line.split() for line in text.splitlines() if line.strip()]
    for row in rows:
        if len(row) != 3 or not all(re.fullmatch(r"\d+(\.\d+)?", time) for time in row[:2]):
            raise _unreadable(source, f"has a line that is not start, end and word: {' '.join(row)[:60]!r}")
    return " ".join(word for _, _, word in rows if word not in SILENCES)


def _unreadable(source: Path, problem: str) -> InputError:
    return InputError(f"the transcript {source} {problem}", reason="unreadable transcript")


def unparted(words: Sequence[str]) -> bool:
    """Whether what passes for words are sentences, in a script that puts no spaces between words."""
    letters = [sum(unicodedata.category(c)[0] == "L" for c in word) for word in words]
    within = sum(unicodedata.category(c)[0] == "L" for word in words for c in UNSPACED.findall(word))
    return within > sum(letters) / 2 and sum(letters) >= LONGEST_MEAN * len(words)


def _plain(text: str) -> list[str]:
    folded = unicodedata.normalize("NFD", _straight(_seen(text))).casefold()
    even = _straight(_seen(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())))
    kept = "".join(c if _in_words(c) else " " for c in even.replace("i\u0307", "i"))
    return [word for word in map(_bare, kept.split()) if word]


def _in_words(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LNM"


def _bare(word: str) -> str:
    """A word without apostrophes at its ends, and without marks that stand on no letter."""
    begins = next((at for at, c in enumerate(word) if unicodedata.category(c)[0] in "LN"), len(word))
    return word[begins:].rstrip("'")


TEXTS: Mapping[str, Callable[[str], list[str]]] = MappingProxyType({"plain": _plain, "verbatim": str.split})
"""The words of a text under each rule, in order."""
