"""What a protocol says beside the preparation of clips: of which data set, which clips, and who reported what under it.

Facts come with their source: ``sources`` has one for each field, and ``unverified`` names the fields whose source was
not seen. How far a protocol is settled is its status:

    own        thgeval's
    list       the list of its clips is in a public repository
    author     an author of the paper says so in public
    rule       a rule that was read in public code
    secondary  a paper or a third party says so, without a list
    recall     known in general, and not checked

Under ``own``, ``list`` and ``author`` others can score the same; the rest is experimental: shown, never ranked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

from thgeval.errors import ProtocolError
from thgeval.protocols import tables
from thgeval.protocols.datasets import dataset
from thgeval.protocols.lists import LIST_FORMATS, shipped_ids

OWN = "own"
STATUSES = (OWN, "list", "author", "rule", "secondary", "recall")
RANKED = (OWN, "list", "author")
SETTINGS = ("reconstruction", "cross-identity", "cross-audio", "novel-view")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Listing:
    """A list of clips that is not passed on here, as its terms don't allow that: to be given by whoever scores.

    ``where`` is the place it is public in, ``sha256`` what its bytes must hash to, or "" where that is not known; then
    the hash of what was given stands in signatures. ``format`` is one of ``FORMATS``, ``clips`` how many it names.
    """

    file: str
    where: str
    format: str
    clips: int
    sha256: str = ""


@dataclass(frozen=True)
class Draw:
    """A rule that draws clips from a list that ships: by the sha256 of ``salt``, a colon and the id, lowest first.

    Of each person one clip is kept, the first, until there are ``clips``.
    """

    of: str
    salt: str
    clips: int


@dataclass(frozen=True)
class Benchmark:
    """A data set, a choice of its clips, and what was reported of them.

    dataset      how names are read (``thgeval ls datasets``); "" takes them as they are
    setting      what drives a clip: itself (``reconstruction``), another person, other speech; or another camera
    people       those whose clips are all scored
    clips        how many clips there are, where they are not named one by one
    listing      the list that names them, where it isn't passed on here
    draw         the rule that draws them
    driver       the one clip that drives all others, and is the reference of all
    cross        ``next``: each is driven by the next in the order of ids, the last by the first
    unscorable   why it can be told of, and not scored
    reports      the metrics that were reported under it, in the words of the paper
    """

    status: str = OWN
    dataset: str = ""
    setting: str = "reconstruction"
    people: tuple[str, ...] = ()
    clips: int | None = None
    listing: Listing | None = None
    draw: Draw | None = None
    driver: str = ""
    cross: str = ""
    unscorable: str = ""
    reports: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, hash=False)
    unverified: tuple[str, ...] = ()

    @property
    def selects(self) -> bool:
        """Whether it says more than how names are read: which clips, or what drives them."""
        return bool(self.dataset or self.driver or self.cross or self.determined)

    @property
    def determined(self) -> bool:
        """Whether it says which clips, or how many, so that two people score the same; names of clips stand apart."""
        return bool(self.people or self.clips or self.listing or self.draw)


LISTING = {"file": tables.TEXT, "where": tables.TEXT, "format": tables.TEXT, "clips": tables.WHOLE}
LISTING |= {"sha256": tables.TEXT}
DRAW = {"of": tables.TEXT, "salt": tables.TEXT, "clips": tables.WHOLE}
LISTS = ("people", "reports", "unverified")
WRITTEN_AS = {"clips": "count", "listing": "list", "draw": "draw"}
"""Fields whose name in files is another: there, ``clips`` are the ids themselves."""
KINDS = {"sources": tables.NAMED_TEXTS, "clips": tables.WHOLE, "listing": tables.TABLE, "draw": tables.TABLE}
KINDS |= dict.fromkeys(LISTS, tables.TEXTS)
FIELDS = {WRITTEN_AS.get(item.name, item.name): KINDS.get(item.name, tables.TEXT) for item in fields(Benchmark)}
CHOICES = {"status": STATUSES, "setting": SETTINGS, "cross": ("", "next")}


def benchmark(data: Mapping[str, Any]) -> Benchmark:
    """What the fields of a protocol's table say that are a benchmark's; ProtocolError names the field that is wrong."""
    names = {written: name for name, written in WRITTEN_AS.items()}
    given = {names.get(name, name): value for name, value in data.items() if name in FIELDS}
    given |= {name: tuple(value) for name, value in given.items() if name in LISTS}
    if "listing" in given:
        given["listing"] = _listing(given["listing"])
    if "draw" in given:
        given["draw"] = _draw(given["draw"])
    found = Benchmark(**given)
    for name, allowed in CHOICES.items():
        if getattr(found, name) not in allowed:
            said = ", ".join(value for value in allowed if value)
            raise ProtocolError(f"{name} must be one of {said}, not {getattr(found, name)!r}")
    if found.dataset:
        dataset(found.dataset)
    if found.clips is not None and found.clips < 1:
        raise ProtocolError(f"count must be at least 1, not {found.clips}")
    _check_choice(found, named="clips" in data)
    return found


def _check_choice(found: Benchmark, *, named: bool) -> None:
    """One way to choose clips, and what each way needs."""
    ways = {"clips": named, "people": found.people, "list": found.listing, "draw": found.draw}
    if len(several := [name for name, given in ways.items() if given]) > 1:
        raise ProtocolError(f"{' and '.join(several)} both choose the clips; one of them can")
    if found.people and not found.dataset:
        raise ProtocolError("people needs a dataset, whose names say who is seen")
    if found.driver and found.cross:
        raise ProtocolError("driver and cross both say what drives a clip; one of them can")
    if found.listing and (found.driver or found.cross):
        raise ProtocolError("list says itself what drives a clip, so driver and cross can't")
    if found.draw and found.dataset != found.draw.of:
        raise ProtocolError(f"draw.of must be the dataset, {found.dataset!r}, not {found.draw.of!r}")


def _listing(data: Mapping[str, Any]) -> Listing:
    tables.check(data, LISTING, "list")
    if lacking := next((name for name in ("file", "where", "format", "clips") if name not in data), None):
        raise ProtocolError(f"list needs {lacking}")
    if PurePosixPath(data["file"]).name != data["file"] or "\\" in data["file"]:
        raise ProtocolError(f"list.file must be the name of a file without folders, not {data['file']!r}")
    if data["format"] not in LIST_FORMATS:
        raise ProtocolError(f"list.format must be one of {', '.join(LIST_FORMATS)}, not {data['format']!r}")
    if "sha256" in data and not SHA256.fullmatch(data["sha256"]):
        raise ProtocolError(f"list.sha256 must be 64 digits of 0-9 and a-f, not {data['sha256']!r}")
    if data["clips"] < 1:
        raise ProtocolError(f"list.clips must be at least 1, not {data['clips']}")
    return Listing(**data)


def _draw(data: Mapping[str, Any]) -> Draw:
    tables.check(data, DRAW, "draw")
    if lacking := next((name for name in DRAW if name not in data), None):
        raise ProtocolError(f"draw needs {lacking}")
    known = dataset(data["of"]).universe
    if not known:
        raise ProtocolError(f"draw.of can't be {data['of']!r}: no list of all its clips ships")
    if not 1 <= data["clips"] <= len(shipped_ids(known)):
        raise ProtocolError(f"draw.clips must be in 1..{len(shipped_ids(known))}, not {data['clips']}")
    return Draw(**data)
