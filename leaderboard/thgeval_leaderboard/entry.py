"""An entry: one system on one board, who made it, and the whole run that its numbers come from.

An entry is one JSON file, read and reviewed as text. ``measured`` entries carry the run, so that every number can be
computed again and every two entries be compared clip by clip; ``reported`` ones carry numbers of a publication and are
never ranked beside them. Its history only grows: what is withdrawn stays, with the reason.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import fastjsonschema

from thgeval import schema
from thgeval.files import write_atomically
from thgeval.results import Run
from thgeval_leaderboard.untrusted import EntryError, decoded, read_json

SCHEMA = "thgeval.entry/1"
SUFFIX = ".json"
ROLES = ("system", "reference-baseline", "control", "ground-truth")
VERIFIED = ("none", "rerun", "authors")
EVENTS = ("added", "corrected", "verified", "marked-unreliable", "withdrawn")


@dataclass(frozen=True)
class Method:
    """Who made the clips. Links are ``https`` addresses or empty; ``trained_on`` are ids of data sets."""

    name: str
    paradigm: str
    version: str = ""
    also: tuple[str, ...] = ()
    role: str = "system"
    paper: str = ""
    code: str = ""
    licence: str = ""
    trained_on: tuple[str, ...] = ()
    says: str = ""


@dataclass(frozen=True)
class Board:
    """Where an entry stands: systems are ranked among those of the same data set, protocol and setting.

    ``status`` is that of the protocol: only ``official`` ones are ranked.
    """

    dataset: str
    protocol: str
    setting: str
    status: str = "official"

    @property
    def id(self) -> str:
        """As addresses name it: ``synth-v1-1.self-audio.native-1``."""
        return f"{self.task}.{self.protocol}".replace("@", "-").replace("#", "-")

    @property
    def task(self) -> str:
        """Data set and setting alone, as ids of entries name them: ``synth-v1-1.self-audio``."""
        return f"{self.dataset}.{self.setting}".replace("@", "-")


@dataclass(frozen=True)
class Event:
    """One line of an entry's history: a day (ISO 8601), what happened, and why."""

    date: str
    what: str
    why: str = ""


@dataclass(frozen=True)
class Reported:
    """A number as a publication prints it, in its words for metric and protocol; never ranked with measured ones."""

    metric: str
    value: float
    source: str
    where: str = ""
    protocol: str = ""


@dataclass(frozen=True, eq=False)
class Entry:
    """One system on one board; ``run`` is None where its numbers are reported."""

    id: str
    method: Method
    board: Board
    history: tuple[Event, ...]
    verified: str = "none"
    unreliable: str = ""
    run: Run | None = field(default=None, repr=False)
    reported: tuple[Reported, ...] = ()
    cost: Mapping[str, Any] | None = None

    @property
    def withdrawn(self) -> str:
        """Why it was withdrawn; empty where it stands."""
        return next((event.why for event in reversed(self.history) if event.what == "withdrawn"), "")

    @property
    def ranked(self) -> bool:
        """Whether its numbers compete: measured, standing, reliable, a system's, and under an official protocol."""
        competes = self.method.role in ("system", "reference-baseline")
        return bool(self.run and competes and not self.withdrawn and not self.unreliable) and self.official

    @property
    def official(self) -> bool:
        """Whether its protocol's clip list is published, so that others can score the same."""
        return self.board.status == "official"

    def after(self, event: Event) -> "Entry":
        """The same with one more line of history; nothing of it can be taken back."""
        return replace(self, history=(*self.history, event))

    def encoded(self) -> bytes:
        """The bytes of its file: a line for each score and each clip, so that a change shows as a change of a line."""
        data = {
            "schema": SCHEMA,
            "id": self.id,
            "method": asdict(self.method),
            "board": asdict(self.board),
            "verified": self.verified,
            "unreliable": self.unreliable,
            "history": [asdict(event) for event in self.history],
            "reported": [asdict(item) for item in self.reported],
            "cost": None if self.cost is None else dict(self.cost),
        }
        head = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).removesuffix("}").rstrip()
        run = "null" if self.run is None else schema.encoded(_slim(self.run).to_dict()).decode().strip()
        return f'{head},\n "run": {run}\n}}\n'.encode()

    def write(self, folder: Path) -> Path:
        """Write ``ID.json`` into a folder of entries in one step; its path."""
        path = folder / f"{self.id}{SUFFIX}"
        write_atomically(path, self.encoded())
        return path


def _slim(run: Run) -> Run:
    """A run without what neither a check nor a page needs: how files were encoded, and the paths of one machine."""
    clips = tuple(replace(clip, media={}, states="", details={}) for clip in run.clips)
    record = {name: value for name, value in run.record.items() if name not in ("folders", "command")}
    return replace(run, clips=clips, record=record, places={}, path=None)


@cache
def checks() -> Any:
    """The compiled schema of entries, ``entry.schema.json``."""
    text = files("thgeval_leaderboard").joinpath("entry.schema.json").read_text(encoding="utf-8")
    return fastjsonschema.compile(json.loads(text), use_default=False)


def read(path: Path) -> Entry:
    """The entry in a file of a stranger's; EntryError names the file and the field that is wrong."""
    return _entry(read_json(path), path.name)


def read_bytes(content: bytes, name: str) -> Entry:
    """The entry that a file called ``name`` would hold; EntryError as of ``read``."""
    return _entry(decoded(content, name), name)


def _entry(data: Mapping[str, Any], file: str) -> Entry:
    try:
        checks()({**data, "run": None})
    except fastjsonschema.JsonSchemaValueException as error:
        field = ".".join(str(part) for part in error.path[1:])
        meant = error.definition.get("description", "") if error.rule == "pattern" else ""
        said = str(error.message).removeprefix(f"{error.name} ")
        raise EntryError(file, field, f"{said}: {meant}".removesuffix(".") if meant else said) from None
    run = None
    if data["run"] is not None:
        try:
            run = Run.of_data(schema.taken(data["run"]))
        except ValueError as error:
            raise EntryError(file, "run", str(error)) from None
    method: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data["method"].items()
    }
    return Entry(
        id=data["id"],
        method=Method(**method),
        board=Board(**data["board"]),
        history=tuple(Event(**event) for event in data["history"]),
        verified=data["verified"],
        unreliable=data["unreliable"],
        run=run,
        reported=tuple(Reported(**item) for item in data["reported"]),
        cost=data["cost"],
    )


def read_all(folder: Path) -> tuple[list[Entry], list[EntryError]]:
    """Every entry of a folder in the order of their ids, and what is wrong with the files that are none."""
    entries: dict[str, Entry] = {}
    wrong: list[EntryError] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            entry = read(path)
            if entry.id != path.name.removesuffix(SUFFIX):
                raise EntryError(path.name, "id", f"{entry.id!r} is not the file's name")
        except EntryError as error:
            wrong.append(error)
            continue
        entries[entry.id] = entry
    return list(entries.values()), wrong


def of_run(run: Run, *, id: str, method: Method, board: Board, date: str, reasons: Sequence[str] = ()) -> Entry:
    """A new entry of a run, as ``thgeval leaderboard add`` makes it."""
    return Entry(id=id, method=method, board=board, history=(Event(date, "added", "; ".join(reasons)),), run=run)


def identified(method: Method, board: Board) -> str:
    """The id of an entry by its method and task: ``ref-2d.synth-v1-1.self-audio``."""
    name = re.sub(r"[^a-z0-9]+", "-", method.name.lower()).strip("-") or "method"
    return f"{name}.{board.task}"
