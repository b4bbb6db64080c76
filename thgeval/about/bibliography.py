"""BibTeX of the papers behind the metrics, from the one file that holds them."""

import re
from functools import cache
from importlib.resources import files

from thgeval.errors import ProtocolError


@cache
def entries() -> dict[str, str]:
    """Every entry by its key, as it stands in ``references.bib``."""
    text = files("thgeval.about").joinpath("references.bib").read_text(encoding="utf-8")
    found = re.split(r"\n(?=@)", text)
    return {_key(entry): entry.strip() for entry in found if entry.strip()}


def entry(key: str) -> str:
    """One entry; ProtocolError if there is none."""
    if key not in entries():
        raise ProtocolError(f"the bibliography has no entry {key!r}")
    return entries()[key]


def _key(entry: str) -> str:
    match = re.match(r"@\w+\{([^,]+),", entry.strip())
    if match is None:
        raise ProtocolError(f"not a BibTeX entry: {entry[:40]!r}")
    return match.group(1)
