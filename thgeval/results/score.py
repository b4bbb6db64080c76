"""Scores as objects: a number with its interval, its coverage and its signature.

Numbers that JSON can't hold are text: a score that is infinite throughout is ``"inf"``; a score that does not exist is
``null``, with the reason under ``unscored``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from thgeval.metric import Better
from thgeval.statistics import Group, Interval, TwoGroups


@dataclass(frozen=True)
class Value:
    """A number with its 95 % interval over clips, or None where there is none, and how many clips it rests on."""

    value: float
    interval: Interval | None
    clips: int

    def to_dict(self) -> dict[str, Any]:
        """The number as the result file holds it."""
        interval = None if self.interval is None else list(map(to_json, self.interval))
        return {"value": to_json(self.value), "interval": interval, "clips": self.clips}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of ``to_dict``."""
        low_high = data["interval"]
        interval = None if low_high is None else Interval(*(float(bound) for bound in low_high))
        return cls(from_json(data["value"]) or 0.0, interval, data["clips"])


@dataclass(frozen=True)
class Score:
    """One metric's number and everything needed to read it.

    ``left_out`` counts clips and ``frames_left_out`` frames, by reason; ``reference`` is the reference clips' own value
    for metrics that say nothing without it, of the clips that are in the score; ``reference_clips`` is how many
    reference clips a distance of sets without pairs rests on, where ``clips`` counts generated ones; ``unscored`` is
    the reason where there is no value, ``note`` what a reader must know of one that there is. ``interval_note`` says
    what to know of the interval, or why there is none; ``groups`` are the clips that metrics of sets leave out together
    for theirs, ``pairs`` groups that were left out two at a time. ``controls`` are the scores of degraded copies of the
    references, by the name of the control, where they were asked for.
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
    pairs: tuple[TwoGroups, ...] = field(default=(), repr=False)
    controls: Mapping[str, Value] = field(default_factory=dict)

    @property
    def metric(self) -> str:
        """The name of the metric, without preset and fields."""
        return self.signature.partition("@")[0]

    @property
    def protocol_part(self) -> str:
        """The part of the signature that decides what the number means: equal where scores may be compared."""
        return self.signature.partition("||")[0]

    @property
    def run_tokens(self) -> list[str]:
        """The tokens of the rest of the signature: coverage, decoder, device, the kind of interval, ..."""
        return self.signature.partition("||")[2].split("|")

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
            "reference": None if self.reference is None else self.reference.to_dict(),
            "reference_clips": self.reference_clips,
            "signature": self.signature,
            "unscored": self.unscored,
            "note": self.note,
            "interval_note": self.interval_note,
            "groups": [{"clips": list(group.clips), "without": group.without} for group in self.groups],
            "pairs": [{"groups": list(pair.groups), "without": pair.without} for pair in self.pairs],
            **({"controls": {name: value.to_dict() for name, value in self.controls.items()}} if self.controls else {}),
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
            reference=None if reference is None else Value.from_dict(reference),
            reference_clips=data.get("reference_clips"),
            unscored=data["unscored"],
            note=data.get("note"),
            interval_note=data.get("interval_note"),
            groups=tuple(Group(tuple(item["clips"]), float(item["without"])) for item in data.get("groups", ())),
            pairs=tuple(
                TwoGroups((item["groups"][0], item["groups"][1]), float(item["without"]))
                for item in data.get("pairs", ())
            ),
            controls={name: Value.from_dict(value) for name, value in data.get("controls", {}).items()},
        )


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
