"""What people said of clips: one file of opinions, made from tables of others, that a run's scores are held against.

Higher is better in every opinion. A clip's score is the mean of its ratings where the table has raters, and otherwise
what the table gives as its score.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastjsonschema

from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval_leaderboard.untrusted import read_json

SCHEMA = "thgeval.opinions/1"
TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
NUMBER = {"type": "number"}
JSON_SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Opinions of people about clips",
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "name", "source", "files", "scale", "clips"],
    "properties": {
        "schema": {"const": SCHEMA},
        "name": {"type": "string", "minLength": 1},
        "source": TEXT,
        "files": TEXTS,
        "scale": {"type": ["array", "null"], "items": NUMBER, "minItems": 2, "maxItems": 2},
        "clips": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["clip", "score", "method", "labels", "ratings"],
                "properties": {
                    "clip": {"type": "string", "minLength": 1},
                    "score": NUMBER,
                    "method": TEXT,
                    "labels": TEXTS,
                    "ratings": {"type": "object", "additionalProperties": NUMBER},
                },
            },
        },
    },
}
"""JSON Schema of a file of opinions."""


@dataclass(frozen=True)
class Opinion:
    """What people said of one clip.

    ``score`` is on the scale of its table; ``method`` made the clip, empty where the table does not say; ``labels``
    say what else is known (``portrait``, ``utterance``, ``distortion``, ``level``, ...); ``ratings`` are single
    people's, empty where only their mean is known.
    """

    clip: str
    score: float
    method: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ratings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Opinions:
    """One study. ``files`` are the sha256 of the tables read, by name; ``scale`` its ends, None where not stated."""

    name: str
    clips: tuple[Opinion, ...]
    source: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    scale: tuple[float, float] | None = None

    def encoded(self) -> bytes:
        """The bytes of its file: a line for each clip, so that equal tables make equal bytes."""
        head = {"schema": SCHEMA, "name": self.name, "source": self.source, "files": dict(self.files)}
        text = json.dumps(head | {"scale": self.scale}, indent=1, ensure_ascii=False).removesuffix("\n}")
        lines = (json.dumps(vars(clip), ensure_ascii=False, allow_nan=False) for clip in self.clips)
        return (text + ',\n "clips": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n").encode()

    def write(self, path: Path) -> None:
        """Write the file in one step; OutputError if that is impossible."""
        write_atomically(path, self.encoded())

    @classmethod
    def read(cls, path: Path) -> "Opinions":
        """Read such a file; ProtocolError says which field is wrong."""
        data = read_json(path)
        try:
            fastjsonschema.compile(JSON_SCHEMA, use_default=False)(data)
        except fastjsonschema.JsonSchemaValueException as error:
            at = ".".join(map(str, error.path[1:]))
            what = str(error.message).removeprefix(f"{error.name} ")
            raise ProtocolError(f"{path} is not a file of opinions: {at + ': ' if at else ''}{what}") from None
        clips = tuple(Opinion(**clip) for clip in data["clips"])
        scale = None if data["scale"] is None else (float(data["scale"][0]), float(data["scale"][1]))
        return once(cls(data["name"], clips, data["source"], data["files"], scale), str(path))


def once(opinions: Opinions, where: str) -> Opinions:
    """The same opinions; ProtocolError if a clip is rated twice under one method, or a score is off the scale."""
    seen: set[tuple[str, str]] = set()
    low, high = opinions.scale or (-math.inf, math.inf)
    for each in opinions.clips:
        if (each.method, each.clip) in seen:
            of = f" of {each.method}" if each.method else ""
            raise ProtocolError(f"{where} scores the clip {each.clip!r}{of} twice; give one score, or name the raters")
        seen.add((each.method, each.clip))
        for score in (each.score, *each.ratings.values()):
            if not (math.isfinite(score) and low <= score <= high):
                raise ProtocolError(f"{where} scores the clip {each.clip!r} {score:g}, which is off the scale")
    return opinions
