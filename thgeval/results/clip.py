"""What a run found out about one clip: its entry in the result file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from thgeval.errors import Failure
from thgeval.results.score import from_json, to_json


@dataclass(frozen=True)
class ClipResult:
    """One pair of clips, or one clip that stands alone or has no partner.

    side       in a run without pairs, the folder the clip is from: ``generated`` or ``reference``; else empty
    generated  the clip's path below the folder of its side; None for frames from memory, or where there is no clip
    reference  the same of its reference
    content    the sha256 of every file that the scores depend on, by what it is; empty where nothing was kept
    states     the sha256 of the states that the scores were made of, or empty
    frames     how many were compared
    failure    why nothing, or not all that was asked, could be measured; None as a rule
    failed     why single metrics have no value, by metric key
    notes      what a reader must know
    media      what the files hold, by side, as ``thgeval probe`` shows it
    scores     the clip's own score by metric key; None where there is none

    ``contributions`` are what the clip adds above and below the fraction that is the score, ``reference_contributions``
    the same of its reference, and ``details`` what metrics show beside their numbers, all by metric key.
    """

    id: str
    side: str = ""
    generated: str | None = None
    reference: str | None = None
    content: Mapping[str, str] = field(default_factory=dict)
    states: str = ""
    frames: int = 0
    failure: Failure | None = None
    failed: Mapping[str, Failure] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    media: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scores: Mapping[str, float | None] = field(default_factory=dict)
    contributions: Mapping[str, list[float]] = field(default_factory=dict)
    reference_contributions: Mapping[str, list[float]] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The clip as the result file holds it."""
        data = dict(vars(self))
        if not self.side:
            del data["side"]
        return data | {
            "failure": None if self.failure is None else dict(vars(self.failure)),
            "failed": {key: dict(vars(failure)) for key, failure in self.failed.items()},
            "notes": list(self.notes),
            "scores": {key: to_json(value) for key, value in self.scores.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        typed = {
            "failure": None if data["failure"] is None else Failure(**data["failure"]),
            "failed": {key: Failure(**failure) for key, failure in data["failed"].items()},
            "notes": tuple(data["notes"]),
            "scores": {key: from_json(value) for key, value in data["scores"].items()},
        }
        return cls(**{**data, **typed})
