r"""Data sets: how each names its clips, whoever is seen in them, and what is known of it.

A data set is a file ``datasets/NAME.toml``. Copies of one data set lie on disks in different layouts; each layout is a
regular expression, searched in a clip's path below the folder without its suffix, and a form that makes one id of its
groups, equal in all layouts:

    match = '(?:^|/)(?P<person>[MW]\d{3})_(?P<emotion>[a-z]+)_(?P<level>[123])_(?P<clip>\d+)$'
    id = "{person}_{emotion:.3}_{level}_{clip:0>3}"

In a form, ``{name}`` is what the group found, ``{name:.3}`` its first three characters, and ``{name:0>3}`` itself with
zeros before it; nothing else.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from thgeval.errors import ProtocolError
from thgeval.protocols import tables
from thgeval.protocols.lists import shipped_ids

PLACEHOLDER = re.compile(r"\{(?P<name>[a-z_]+)(?::(?:\.(?P<first>\d)|0>(?P<width>\d)))?\}")


@dataclass(frozen=True)
class DatasetFound:
    """What a clip's name says: its id in the data set, the person seen in it ("" if unknown), and all groups."""

    id: str
    person: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FolderLayout:
    """One way in which copies of a data set lie on disks, with examples: names and the ids that they have."""

    says: str
    match: str
    id: str
    person: str = ""
    examples: Mapping[str, str] = field(default_factory=dict)

    def found(self, name: str) -> DatasetFound | None:
        """What is said by the name of a clip below its folder, without suffix; None if it is of another layout."""
        match = re.search(self.match, name)
        if match is None:
            return None
        labels = {key: value for key, value in match.groupdict().items() if value is not None}
        return DatasetFound(formed(self.id, labels), formed(self.person, labels), labels)


@dataclass(frozen=True)
class DataSet:
    """One data set: its layouts in the order in which they are tried, and what is known, with the source of each fact.

    ``universe`` names the list of all its clips where that is shipped; a name that lacks the part which tells subsets
    apart is then completed to the only id that ends with it.
    """

    name: str
    title: str
    says: str
    layouts: tuple[FolderLayout, ...]
    home: str = ""
    licence: str = ""
    clips: int | None = None
    people: int | None = None
    split: str = ""
    person: str = ""
    universe: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    unverified: tuple[str, ...] = ()

    def found(self, name: str) -> DatasetFound | None:
        """What a clip's name says in the first layout that it is of; None if it is of none."""
        found = next((said for layout in self.layouts if (said := layout.found(name)) is not None), None)
        return found if found is None or not self.universe else self._completed(found)

    def _completed(self, found: DatasetFound) -> DatasetFound:
        known = shipped_ids(self.universe)
        if found.id in known:
            return found
        ends = [id for id in known if id.endswith(f"_{found.id}")]
        whole = self.found(ends[0]) if len(ends) == 1 else None
        return whole or found


LAYOUT = {"says": tables.TEXT, "match": tables.TEXT, "id": tables.TEXT, "person": tables.TEXT}
LAYOUT |= {"examples": tables.NAMED_TEXTS}
WHOLE_NUMBERS = ("clips", "people")
FIELDS = {
    item.name: tables.WHOLE if item.name in WHOLE_NUMBERS else tables.TEXT
    for item in fields(DataSet)
    if item.name != "layouts"
} | {"sources": tables.NAMED_TEXTS, "unverified": tables.TEXTS, "layout": tables.TABLES}


def data_set(data: dict[str, Any]) -> DataSet:
    """The data set that a table describes; ProtocolError names the field that is wrong."""
    tables.check(data, FIELDS, "a data set")
    if lacking := next((name for name in ("name", "title", "says", "layout") if name not in data), None):
        raise ProtocolError(f"a data set needs {lacking}")
    layouts = tuple(_layout(table, f"layout {number}") for number, table in enumerate(data["layout"], 1))
    given = {name: value for name, value in data.items() if name != "layout"}
    return DataSet(**given | {"layouts": layouts, "unverified": tuple(data.get("unverified", ()))})


def _layout(data: dict[str, Any], what: str) -> FolderLayout:
    tables.check(data, LAYOUT, what)
    if lacking := next((name for name in ("says", "match", "id") if name not in data), None):
        raise ProtocolError(f"{what} needs {lacking}")
    try:
        groups = re.compile(data["match"]).groupindex.keys()
    except (re.error, OverflowError, RecursionError) as error:
        raise ProtocolError(f"match of {what} is not a valid regular expression: {error}") from None
    for name in ("id", "person"):
        _check_form(data.get(name, ""), groups, f"{name} of {what}")
    return FolderLayout(**data)


def _check_form(form: str, groups: Any, what: str) -> None:
    if rest := re.search(r"[{}]", PLACEHOLDER.sub("", form)):
        raise ProtocolError(f"{what} has a {rest[0]!r} that is no part of {{name}}, {{name:.3}} or {{name:0>3}}")
    if unknown := [match["name"] for match in PLACEHOLDER.finditer(form) if match["name"] not in groups]:
        raise ProtocolError(f"{what} names {unknown[0]}, which is no group of its expression")


def formed(form: str, labels: Mapping[str, str]) -> str:
    """A form with what groups found in place of their names; a group that found nothing is empty."""

    def part(match: re.Match[str]) -> str:
        value = labels.get(match["name"], "")
        if match["first"]:
            return value[: int(match["first"])]
        return value.rjust(int(match["width"]), "0") if match["width"] else value

    return PLACEHOLDER.sub(part, form)


@cache
def datasets() -> dict[str, DataSet]:
    """Every data set that ships, by name."""
    folder = files("thgeval").joinpath("protocols/datasets")
    found = [
        data_set(tomllib.loads(item.read_text(encoding="utf-8")))
        for item in folder.iterdir()
        if item.name.endswith(".toml")
    ]
    return {item.name: item for item in sorted(found, key=lambda item: item.name)}


def dataset(name: str) -> DataSet:
    """The data set called so; ProtocolError names one that is spelled alike, or all there are."""
    known = datasets()
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
    raise ProtocolError(f"no data set is called {name!r}{hint}")
