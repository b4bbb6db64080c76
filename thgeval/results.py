"""Scores as objects, and the result file that holds them.

A score is never a bare number: it carries its interval, its coverage (clips and frames scored, what was left out and
why) and its signature. The file is one JSON object under a published, versioned schema, ``result.schema.json``.

Numbers that JSON can't hold are text: a score that is infinite throughout is ``"inf"``; a score that does not exist is
``null``, with the reason under ``unscored``.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thgeval import schema
from thgeval.errors import MissingExtra, ProtocolError
from thgeval.files import opened, write_atomically
from thgeval.metric import Better
from thgeval.statistics import Group, Interval, Pair

SUFFIX = ".json"
STATES = ".states"


@dataclass(frozen=True)
class Value:
    """A number with its 95 % interval over clips, or None where there is none, and how many clips it rests on."""

    value: float
    interval: Interval | None
    clips: int


@dataclass(frozen=True)
class Score:
    """One metric's number and everything needed to read it.

    ``left_out`` counts clips and ``frames_left_out`` frames, by reason; ``reference`` is the reference clips' own value
    for metrics that say nothing without it, of the clips that are in the score; ``reference_clips`` is how many
    reference clips a distance of sets without pairs rests on, where ``clips`` counts generated ones; ``unscored`` is
    the reason where there is no value, ``note`` what a reader must know of one that there is. ``interval_note`` says
    what to know of the interval, or why there is none; ``groups`` are the clips that metrics of sets leave out together
    for theirs, ``pairs`` groups that were left out two at a time.
    """

    key: str
    value: float | None
    interval: Interval | None
    unit: str
    better: Better
    range: tuple[float, float]
    clips: int
    frames: int
    left_out: Mapping[str, int]
    frames_left_out: Mapping[str, int]
    signature: str
    reference: Value | None = None
    reference_clips: int | None = None
    unscored: str | None = None
    note: str | None = None
    interval_note: str | None = None
    groups: tuple[Group, ...] = field(default=(), repr=False)
    pairs: tuple[Pair, ...] = field(default=(), repr=False)

    @property
    def reference_share(self) -> str:
        """On how many of the score's clips the reference's value rests, as ``1/2``; empty where it is all of them."""
        if self.reference is None or self.reference.clips == self.clips:
            return ""
        return f"{self.reference.clips}/{self.clips}"

    def to_dict(self) -> dict[str, Any]:
        """The score as the result file holds it."""
        return {
            "value": to_json(self.value),
            "interval": None if self.interval is None else [to_json(bound) for bound in self.interval],
            "unit": self.unit,
            "direction": self.better.value,
            "range": [to_json(bound) for bound in self.range],
            "clips": self.clips,
            "frames": self.frames,
            "left_out": dict(self.left_out),
            "frames_left_out": dict(self.frames_left_out),
            "reference": None
            if self.reference is None
            else {
                "value": to_json(self.reference.value),
                "interval": None if self.reference.interval is None else list(self.reference.interval),
                "clips": self.reference.clips,
            },
            "reference_clips": self.reference_clips,
            "signature": self.signature,
            "unscored": self.unscored,
            "note": self.note,
            "interval_note": self.interval_note,
            "groups": [{"clips": list(group.clips), "without": group.without} for group in self.groups],
            "pairs": [{"groups": list(pair.groups), "without": pair.without} for pair in self.pairs],
        }

    @classmethod
    def from_dict(cls, key: str, data: Mapping[str, Any]) -> "Score":
        """The inverse of ``to_dict``."""
        reference = data["reference"]
        low, high = (from_json(bound) for bound in data["range"])
        return cls(
            key=key,
            value=from_json(data["value"]),
            interval=None if data["interval"] is None else Interval(*data["interval"]),
            unit=data["unit"],
            better=Better(data["direction"]),
            range=(low if low is not None else -math.inf, high if high is not None else math.inf),
            clips=data["clips"],
            frames=data["frames"],
            left_out=data["left_out"],
            frames_left_out=data["frames_left_out"],
            signature=data["signature"],
            reference=None
            if reference is None
            else Value(
                from_json(reference["value"]) or 0.0,
                None if reference["interval"] is None else Interval(*reference["interval"]),
                reference["clips"],
            ),
            reference_clips=data.get("reference_clips"),
            unscored=data["unscored"],
            note=data.get("note"),
            interval_note=data.get("interval_note"),
            groups=tuple(Group(tuple(item["clips"]), float(item["without"])) for item in data.get("groups", ())),
            pairs=tuple(
                Pair((item["groups"][0], item["groups"][1]), float(item["without"])) for item in data.get("pairs", ())
            ),
        )


@dataclass(frozen=True)
class Run:
    """Everything one run found out: scores by metric key, and a record of every clip expected.

    ``expected`` counts pairs; in a run without pairs generated clips, and ``expected_references`` reference clips.
    ``environment`` names versions, ``record`` says when, where, by which command and at what cost the run was made.
    ``places`` are the folders that the clips of either side were found in; files name clips by their path below them.
    """

    scores: Mapping[str, Score]
    clips: tuple[Mapping[str, Any], ...]
    protocol: Mapping[str, Any]
    environment: Mapping[str, str] = field(compare=False)
    options: Mapping[str, Any]
    expected: int
    record: Mapping[str, Any] = field(default_factory=dict, compare=False)
    places: Mapping[str, Path] = field(default_factory=dict, compare=False)
    path: Path | None = field(default=None, compare=False)

    @property
    def signature(self) -> dict[str, str]:
        """The signature of every score, by metric key."""
        return {key: score.signature for key, score in self.scores.items()}

    @property
    def expected_references(self) -> int:
        """How many reference clips that stand alone a complete run would measure; 0 where clips come in pairs."""
        return sum(side_of(clip) == "reference" for clip in self.clips)

    @property
    def failures(self) -> tuple[Mapping[str, Any], ...]:
        """Records of the clips that could not be scored as asked."""
        return tuple(clip for clip in self.clips if clip["failure"] is not None)

    def __getitem__(self, key: str) -> Score:
        return self.scores[key]

    def to_dict(self) -> dict[str, Any]:
        """The run as the result file holds it."""
        data: dict[str, Any] = {
            "schema": schema.SCHEMA,
            "scores": {key: score.to_dict() for key, score in self.scores.items()},
            "expected": self.expected,
            "protocol": dict(self.protocol),
            "options": dict(self.options),
            "clips": [dict(clip) for clip in self.clips],
            schema.RECORD: {"environment": dict(self.environment), **self.record},
        }
        named: dict[str, Any] = self._nameless(data) if self.places else data
        return named

    def _nameless(self, value: Any) -> Any:
        """Data without the names of this machine's folders: those of clips are called by their sides."""
        if isinstance(value, Mapping):
            return {key: item if key == schema.RECORD else self._nameless(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._nameless(item) for item in value]
        if isinstance(value, str):
            for side, place in self.places.items():
                if place.is_absolute():
                    value = value.replace(f"{place}{os.sep}", f"{side}/").replace(str(place), side)
        return value

    @property
    def canonical(self) -> bytes:
        """What the file holds but for the run record: equal bytes for equal clips, however the work was shared out."""
        return schema.canonical(self.to_dict())

    def to_frame(self) -> Any:
        """Scores per clip as a pandas DataFrame: one row a clip, one column a metric."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtra("a data frame", extra="frame") from None
        rows = {clip["id"]: {key: from_json(value) for key, value in clip["scores"].items()} for clip in self.clips}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.scores), dtype=float)

    def write(self, path: str | Path) -> None:
        """Write the result file in one step; OutputError if that is impossible."""
        path = Path(path)
        folders = {side: Path(os.path.relpath(place, path.parent)).as_posix() for side, place in self.places.items()}
        written = replace(self, record={**self.record, "folders": folders} if folders else self.record)
        write_atomically(path, schema.encoded(written.to_dict()))

    @classmethod
    def read(cls, path: str | Path) -> "Run":
        """Read a result file; ProtocolError if it isn't one this version understands."""
        path = Path(path)
        try:
            with opened(path) as file:
                found = cls.of_bytes(file.read())
        except OSError as error:
            raise ProtocolError(f"the result file {path} can't be read: {error.strerror or error}") from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise ProtocolError(f"{path} is not a thgeval result file ({error})") from None
        places = {side: path.parent / place for side, place in found.record.get("folders", {}).items()}
        return replace(found, places=places, path=path)

    @classmethod
    def of_bytes(cls, content: bytes) -> "Run":
        """The run that the bytes of a result file hold, wherever they lie; ValueError says what is wrong with them."""
        data = schema.decoded(content)
        record = data[schema.RECORD]
        return cls(
            scores={key: Score.from_dict(key, score) for key, score in data["scores"].items()},
            clips=tuple(data["clips"]),
            protocol=data["protocol"],
            environment=record.pop("environment"),
            options=data["options"],
            expected=data["expected"],
            record=record,
        )

    def place(self, clip: Mapping[str, Any], side: str) -> Path | None:
        """Where a clip of a record was found: ``generated`` or ``reference``; None for frames from memory."""
        name = clip[side]
        if name is None:
            return None
        own = side_of(clip) or side
        return self.places[own] / name if own in self.places else Path(name)


def usual_note(run: Run) -> str | None:
    """The sentence about intervals that most scores share, to be said once for all of them; None if none is."""
    notes = [score.interval_note for score in run.scores.values() if score.value is not None]
    return next((note for note in dict.fromkeys(notes) if note and 2 * notes.count(note) > len(notes) > 1), None)


def side_of(clip: Mapping[str, Any]) -> str:
    """The side that a clip without a partner is from, by its record: ``generated``, ``reference``, or "" for pairs."""
    return str(clip.get("side", ""))


def states_folder(result: Path) -> Path:
    """Where the states of a result file live: beside it."""
    return result.with_name(result.stem + STATES)


def to_json(value: float | None) -> float | str | None:
    """A number as strict JSON can hold it."""
    if value is None or math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return float(value)


def from_json(value: float | str | None) -> float | None:
    """The inverse of ``to_json``."""
    return None if value is None else float(value)
