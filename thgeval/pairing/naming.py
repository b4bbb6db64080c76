"""What a clip is called by: how the names of two folders become ids that are equal where clips belong together.

A name is a clip's path below its folder without the file's suffix, with ``/`` between its parts on every system. Only
its last part is looked into; the folders before it stay.
"""

import json
import re
import shlex
import subprocess
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from thgeval.errors import ProtocolError

GROUP = "id"
LONGEST_S = 20
"""How long a regular expression may take for all names of a run."""
SEARCH = """
import json, re, sys
pattern, flags, group, names = json.load(sys.stdin)
found = {name: re.search(pattern, name, flags) for name in names}
json.dump({name: match and match[group] for name, match in found.items()}, sys.stdout)
"""
"""Run by an interpreter of its own: a search that takes years can't be ended from within."""

Search = Callable[[str, int, Iterable[str]], Mapping[str, str | None]]


def named(id: str) -> str:
    """A clip's name in one of the Unicode forms that look the same (NFC): file systems differ in which they keep."""
    return unicodedata.normalize("NFC", id)


@dataclass(frozen=True)
class Naming:
    """How names of clips are read; by default as they are.

    pred_suffix  what generated names end with and their references' don't, such as ``_pred``
    match        a regular expression, searched in the names of both sides: the id is its group, or its group ``id``
    ignore_case  ids that differ in case alone are one; it is written as the reference's name has it
    recursive    clips of subfolders count too, and are paired by their path below the folder

    A name that lacks the suffix, or in which the expression isn't found, is its own id. ProtocolError for an expression
    that can't be used.
    """

    pred_suffix: str = ""
    match: str = ""
    ignore_case: bool = False
    recursive: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            if not isinstance(value := getattr(self, field.name), type(field.default)):
                kind = "True or False" if field.type is bool else "text"
                raise ProtocolError(f"{field.name} must be {kind}, not {value!r}")
        if "/" in self.pred_suffix:
            raise ProtocolError(
                f"pred_suffix is the end of a name, not of a path, so {self.pred_suffix!r} can't be one"
            )
        _group(self.match)

    def key(self, id: str) -> str:
        """What two ids have in common if they are one."""
        return named(named(id).casefold()) if self.ignore_case else id

    @property
    def flags(self) -> int:
        """With which ``match`` is searched."""
        return int(re.IGNORECASE) if self.ignore_case else 0

    @property
    def options(self) -> str:
        """The command-line options that say the same."""
        texts = {"--pred-suffix": self.pred_suffix, "--match": self.match}
        said = [_option(name, text) for name, text in texts.items() if text]
        marks = {"--ignore-case": self.ignore_case, "--recursive": self.recursive}
        return " ".join(said + [name for name, given in marks.items() if given])

    def __str__(self) -> str:
        """The value as Python writes it, without what is as ever."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return f"Naming({', '.join(f'{name}={value!r}' for name, value in given.items() if value)})"

    def ids(
        self, generated: Iterable[str], reference: Iterable[str], search: Search | None = None
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The ids of all names by name; ProtocolError where two clips would share one, or a setting does nothing."""
        search = search or searched
        ours, theirs = list(generated), list(reference)
        first = {name: self._without_suffix(name) for name in ours}
        if self.pred_suffix and ours and all(name == id for name, id in first.items()):
            said = (
                f"no generated clip's name ends with {self.pred_suffix}, such as {min(ours)} (without .mp4 or the like)"
            )
            raise ProtocolError(said)
        second = {name: name for name in theirs}
        if self.match:
            lasts = {_last(name) for name in (*first.values(), *theirs)}
            found = search(named(self.match), self.flags, sorted(lasts))
            if lasts and not any(found.values()):
                raise ProtocolError(f"{self.match!r} is found in no name, such as {min(lasts)}")
            first = {name: _with_last(id, found[_last(id)]) for name, id in first.items()}
            second = {name: _with_last(name, found[_last(name)]) for name in theirs}
        for side, ids in (("generated", first), ("reference", second)):
            self._check(side, ids)
        return first, second

    def _without_suffix(self, name: str) -> str:
        suffix = named(self.pred_suffix)
        kept = name[: len(name) - len(suffix)]
        has = self.key(name[len(kept) :]) == self.key(suffix)
        return kept if suffix and has and _last(kept) else name

    def _check(self, side: str, ids: Mapping[str, str]) -> None:
        taken: dict[str, str] = {}
        for name, id in sorted(ids.items()):
            other = taken.setdefault(self.key(id), name)
            if other != name:
                raise ProtocolError(
                    f"by {self.options} two {side} clips, {other} and {name}, would both be called {id}; each clip "
                    "needs an id of its own"
                )


def searched(pattern: str, flags: int, names: Iterable[str]) -> dict[str, str | None]:
    """What the group of an expression is in each name, or None; ProtocolError if that takes too long."""
    request = json.dumps([pattern, flags, _group(pattern), list(names)])
    try:
        done = subprocess.run(  # noqa: S603 - our own lines
            [sys.executable, "-I", "-S", "-c", SEARCH],
            input=request.encode(),
            capture_output=True,
            timeout=LONGEST_S,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise ProtocolError(
            f"{pattern!r} takes longer than {LONGEST_S} s on these names; write it without a repetition in a repetition"
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise ProtocolError(f"{pattern!r} can't be searched for: {error}") from None
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


def _group(pattern: str) -> int | str:
    """The group that is the id; ProtocolError if it isn't clear which one is, or the expression is none."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compiled: re.Pattern[Any] = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ProtocolError(f"{pattern!r} is not a valid regular expression: {error}") from None
    if GROUP in compiled.groupindex:
        return GROUP
    if compiled.groups == 0 and pattern:
        raise ProtocolError(f"{pattern!r} has no group: put the part of the name that is the id in (parentheses)")
    if compiled.groups > 1:
        raise ProtocolError(
            f"{pattern!r} has {compiled.groups} groups: call the one that is the id (?P<id>...), or begin the others "
            "with (?:"
        )
    return 1


def _option(name: str, text: str) -> str:
    return f"{name}={shlex.quote(text)}" if text.startswith("-") else f"{name} {shlex.quote(text)}"


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _with_last(name: str, last: str | None) -> str:
    """A name whose last part is another, or the name where there is none."""
    before, slash, _ = name.rpartition("/")
    return f"{before}{slash}{last}" if last else name
