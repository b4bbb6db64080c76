"""What a result file looks like: how it is written, checked when it is read, and brought up to date if it is older.

A file has two parts. The *canonical part* is everything but ``run``: scores, values per clip, signatures, hashes of
clips and of their states. It is the same, byte for byte, however the work was shared out, on one kind of machine. The
*run record* under ``run`` says when, where, by which command, with which versions and at what cost it came about.

What repeats is written once: the ends of signatures under ``shared``, a reason that several metrics share, and what a
clip adds to a mean only where it isn't its score. ``result.schema.json`` describes the file as it is written; in memory
a run has everything in full.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

SCHEMA = "thgeval.result/2"
FIRST = "thgeval.result/1"
RECORD = "run"
"""The key of what is no part of the canonical form."""
PREPARED, MADE = "*prepared", "*made"
"""What stands in a signature for the text under ``shared``."""
WHOLE = 1.0

Data = dict[str, Any]


def encoded(data: Mapping[str, Any]) -> bytes:
    """A run as the bytes of its file: a line for each score and each clip."""
    return (_text(_packed(data)) + "\n").encode()


def canonical(data: Mapping[str, Any]) -> bytes:
    """The canonical part of a run as bytes, which runs of the same clips share."""
    return _text({name: value for name, value in _packed(data).items() if name != RECORD}).encode()


def decoded(content: bytes) -> Data:
    """A run from the bytes of a file of any version; ValueError says what is wrong with them."""
    return taken(json.loads(content.decode("utf-8"), parse_constant=_no_number, parse_float=_finite))


def taken(data: Any) -> Data:
    """A run from what the JSON of a file of any version holds, which is changed; ValueError says what is wrong."""
    version = data.get("schema") if isinstance(data, dict) else None
    if version not in (SCHEMA, FIRST):
        raise ValueError(f"it follows schema {version!r}; this version reads {SCHEMA!r} and {FIRST!r}")
    if version == FIRST:
        data = _upgraded(data)
    _checks()(data)
    for clip in data["clips"]:
        clip["id"].encode("utf-8", "surrogateescape")  # what can't be a file's name can't be a clip's
    return _unpacked(data)


@cache
def _checks() -> Callable[[Data], Any]:
    import fastjsonschema

    schema = json.loads(files("thgeval").joinpath("result.schema.json").read_text(encoding="utf-8"))
    check = fastjsonschema.compile(schema, use_default=False)

    def checked(data: Data) -> None:
        try:
            check(data)
        except fastjsonschema.JsonSchemaValueException as error:
            raise ValueError(str(error.message)) from None

    return checked


def _text(data: Mapping[str, Any]) -> str:
    """JSON with a line for each entry of what is long."""
    parts = []
    for name, value in data.items():
        if name == "scores":
            text = _block("{}", (f"{_json(key)}: {_json(score)}" for key, score in value.items()))
        elif name == "clips":
            text = _block("[]", map(_json, value))
        else:
            text = _json(value)
        parts.append(f"{_json(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}"


def _block(marks: str, lines: Iterator[str]) -> str:
    inside = ",\n  ".join(lines)
    return f"{marks[0]}\n  {inside}\n{marks[1]}" if inside else marks


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _packed(data: Mapping[str, Any]) -> Data:
    prepared = "|".join(data["protocol"]["fields"])
    made = next((_made(score["signature"]) for score in data["scores"].values()), "")
    shared = {PREPARED: prepared, MADE: made}
    scores = {
        key: {**score, "signature": _with(score["signature"], {text: mark for mark, text in shared.items() if text})}
        for key, score in data["scores"].items()
    }
    return {
        **data,
        "schema": SCHEMA,
        "shared": shared,
        "scores": scores,
        "clips": [_clip_packed(clip) for clip in data["clips"]],
        RECORD: data[RECORD],
    }


def _made(signature: str) -> str:
    """The tokens of the run part that all scores of a run share: from the protocol's name to thgeval's version."""
    tokens = signature.partition("||")[2].split("|")
    first = next((at for at, token in enumerate(tokens) if token.startswith("protocol:")), 0)
    last = next((at for at, token in enumerate(tokens) if token.startswith("thgeval:")), -1)
    return "|".join(tokens[first : last + 1])


def _with(signature: str, instead: Mapping[str, str]) -> str:
    """A signature with runs of tokens replaced by others."""
    bounded = f"|{signature}|"
    for text, other in instead.items():
        bounded = bounded.replace(f"|{text}|", f"|{other}|", 1)
    return bounded[1:-1]


def _clip_packed(clip: Mapping[str, Any]) -> Data:
    same: dict[tuple[str, str], list[str]] = {}
    for key, failed in clip["failed"].items():
        same.setdefault((failed["reason"], failed["message"]), []).append(key)
    own = {key: value for key, value in clip["contributions"].items() if value != _usual(clip["scores"].get(key))}
    return {
        **clip,
        "scores": {key: value for key, value in clip["scores"].items() if value is not None},
        "contributions": own,
        "failed": [{"reason": reason, "message": said, "metrics": keys} for (reason, said), keys in same.items()],
    }


def _usual(score: float | str | None) -> list[float] | None:
    """What a clip adds to a mean of clips: its score, and 1; None where it has none, or an infinite one."""
    return None if score is None or isinstance(score, str) else [float(score), WHOLE]


def _unpacked(data: Data) -> Data:
    shared = data.pop("shared")
    for score in data["scores"].values():
        score["signature"] = _with(score["signature"], shared)
    for clip in data["clips"]:
        failed = [(key, item) for item in clip["failed"] for key in item["metrics"]]
        clip["failed"] = {key: {"reason": item["reason"], "message": item["message"]} for key, item in failed}
        given = clip["contributions"]
        usual = {key: value for key, score in clip["scores"].items() if (value := _usual(score)) is not None}
        clip["contributions"] = {**usual, **given}
        clip["scores"] = {key: clip["scores"].get(key) for key in data["scores"]}
    return data


def _upgraded(data: Data) -> Data:
    """A file of the first version as one of this: what it never said is empty."""
    try:
        clips = [
            {"content": {}, "states": "", "reference_contributions": {}, "details": {}, **clip}
            for clip in data["clips"]
        ]
        record = {"environment": data.pop("environment")}
        full = {**data, "clips": clips, RECORD: record}
        return _packed(full)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks what its schema asks for ({error!r})") from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number that can be computed with")
    return value


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")
