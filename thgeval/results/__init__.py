"""Scores as objects, and the result file that holds them.

A score is never a bare number: it carries its interval, its coverage (clips and frames scored, what was left out and
why) and its signature. The file is one JSON object under a published, versioned schema, ``result.schema.json``.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thgeval import registry, schema
from thgeval.errors import MissingExtra, ProtocolError, ThgevalError
from thgeval.files import opened, write_atomically
from thgeval.remote.addresses import is_address
from thgeval.results.clip import ClipResult
from thgeval.results.score import Score, Value

__all__ = ["STATES", "SUFFIX", "ClipResult", "Run", "Score", "Value", "states_folder", "usual_note"]

SUFFIX = ".json"
STATES = ".states"


@dataclass(frozen=True)
class Run:
    """Everything one run found out: scores by metric key, and what became of every clip expected.

    ``expected`` counts pairs; in a run without pairs generated clips, and ``expected_references`` reference clips.
    ``environment`` names versions, ``record`` says when, where, by which command and at what cost the run was made.
    ``places`` are the folders that the clips of either side were found in; files name clips by their path below them.
    ``addresses`` are those of sides that lie elsewhere, as they may be shown.
    """

    scores: Mapping[str, Score]
    clips: tuple[ClipResult, ...]
    protocol: Mapping[str, Any]
    environment: Mapping[str, str] = field(compare=False)
    options: Mapping[str, Any]
    expected: int
    record: Mapping[str, Any] = field(default_factory=dict, compare=False)
    places: Mapping[str, Path] = field(default_factory=dict, compare=False)
    addresses: Mapping[str, str] = field(default_factory=dict, compare=False)
    path: Path | None = field(default=None, compare=False)

    @property
    def signature(self) -> dict[str, str]:
        """The signature of every score, by metric key."""
        return {key: score.signature for key, score in self.scores.items()}

    @property
    def expected_references(self) -> int:
        """How many reference clips that stand alone a complete run would measure; 0 where clips come in pairs."""
        return sum(clip.side == "reference" for clip in self.clips)

    @property
    def part(self) -> str | None:
        """Which part of the clips was scored, where it was one, and the option that asked for it."""
        said = []
        if (limit := self.options.get("limit")) is not None:
            said.append(f"its first {limit} clip{'s' * (limit > 1)} alone (--limit)")
        if (shard := self.options.get("shard")) is not None:
            said.append(f"shard {shard['number']}/{shard['of']} alone (--shard)")
        return " of ".join(reversed(said)) or None

    @property
    def failures(self) -> tuple[ClipResult, ...]:
        """The clips that could not be scored as asked."""
        return tuple(clip for clip in self.clips if clip.failure is not None)

    def __getitem__(self, key: str) -> Score:
        """The score under a key, an alias of it, or the text that was asked for; KeyError lists the keys there are."""
        try:
            return self.scores[key if key in self.scores else registry.metric(key).key]
        except (KeyError, ThgevalError):
            raise KeyError(f"{key} is none of the scores: {', '.join(self.scores)}") from None

    def __str__(self) -> str:
        """The table that ``thgeval score`` prints."""
        from thgeval.results.terminal import terminal_text

        return terminal_text(self, digits=4)

    def _repr_html_(self) -> str:
        """The same table for a notebook."""
        from thgeval.results.notebook import notebook_table

        return notebook_table(self, digits=4)

    def to_dict(self) -> dict[str, Any]:
        """The run as the result file holds it."""
        data: dict[str, Any] = {
            "schema": schema.SCHEMA,
            "scores": {key: score.to_dict() for key, score in self.scores.items()},
            "expected": self.expected,
            "protocol": dict(self.protocol),
            "options": dict(self.options),
            "clips": [clip.to_dict() for clip in self.clips],
            schema.RECORD: {"environment": dict(self.environment), **self.record},
        }
        named: dict[str, Any] = self._nameless(data) if self.places or self.addresses else data
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
            for side, address in self.addresses.items():
                value = value.replace(f"{address}/", f"{side}/").replace(address, side)
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
        rows = {clip.id: clip.scores for clip in self.clips}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(self.scores), dtype=float)

    def write(self, path: str | Path) -> None:
        """Write the result file in one step; OutputError if that is impossible."""
        path = Path(path)
        folders = {side: Path(os.path.relpath(place, path.parent)).as_posix() for side, place in self.places.items()}
        folders |= self.addresses
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
        folders = found.record.get("folders", {})
        addresses = {side: place for side, place in folders.items() if is_address(place)}
        places = {side: path.parent / place for side, place in folders.items() if side not in addresses}
        return replace(found, places=places, addresses=addresses, path=path)

    @classmethod
    def of_bytes(cls, content: bytes) -> "Run":
        """The run that the bytes of a result file hold, wherever they lie; ValueError says what is wrong with them."""
        return cls.of_data(schema.decoded(content))

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> "Run":
        """The run of what ``schema.taken`` gives."""
        record = dict(data[schema.RECORD])
        return cls(
            scores={key: Score.from_dict(key, score) for key, score in data["scores"].items()},
            clips=tuple(map(ClipResult.from_dict, data["clips"])),
            protocol=data["protocol"],
            environment=record.pop("environment"),
            options=data["options"],
            expected=data["expected"],
            record=record,
        )

    def place(self, clip: ClipResult, side: str) -> Path | None:
        """Where a clip was found: ``generated`` or ``reference``; None for frames from memory."""
        name = {"generated": clip.generated, "reference": clip.reference}[side]
        if name is None:
            return None
        own = clip.side or side
        return self.places[own] / name if own in self.places else Path(name)


def usual_note(run: Run) -> str | None:
    """The sentence about intervals that most scores share, to be said once for all of them; None if none is."""
    notes = [score.interval_note for score in run.scores.values() if score.value is not None]
    return next((note for note in dict.fromkeys(notes) if note and 2 * notes.count(note) > len(notes) > 1), None)


def states_folder(result: Path) -> Path:
    """Where the states of a result file live: beside it."""
    return result.with_name(result.stem + STATES)
