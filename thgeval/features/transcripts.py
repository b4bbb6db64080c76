"""What was said in a clip, as somebody wrote it down; and what counts as a word of it.

A transcript is a text file in UTF-8 beside the clip (``face1.txt``), GRID's ``.align`` (start, end, word, of which
``sil`` and ``sp`` are silences), or words given with the pair. The files that come with LRS2 and LRS3, which begin with
``Text:``, are read as what follows that.

Two rules say what is compared:

``plain``     Unicode NFKC, case folded; everything but letters, digits and marks parts words, except an apostrophe
              inside one, which is made straight: ``It's`` is ``it's``, ``well-known`` two words. Numbers stay as they
              are written: ``2`` is not ``two``
``verbatim``  as written, parted at white space
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from thgeval.errors import InputError
from thgeval.feature import Grain, feature
from thgeval.features.companions import transcript
from thgeval.limits import check_file

SILENCES = ("sil", "sp")
LRS = "Text:"
APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


@feature(transcript, version=1, grain=Grain.CLIP)
def written(source: Path | str) -> str:
    """The text of the transcript, as it is written.

    Raises InputError: "unreadable transcript" for a file that is no text in UTF-8, or no alignment.
    """
    if isinstance(source, str):
        return source
    try:
        check_file(source, "text_bytes")
        text = source.read_text(encoding="utf-8-sig")
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


def _plain(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold().translate(APOSTROPHES)
    kept = "".join(c if unicodedata.category(c)[0] in "LNM" or c == "'" else " " for c in folded)
    words = (word.strip("'") for word in kept.split())
    return [word for word in words if word]


TEXTS: Mapping[str, Callable[[str], list[str]]] = MappingProxyType({"plain": _plain, "verbatim": str.split})
"""The words of a text under each rule, in order."""
