"""Reading what strangers send: JSON of bounded size and depth, without duplicate keys, and text that is what it shows.

Whatever is wrong becomes one ``EntryError`` that names the file and the field. Nothing read here is ever put together
into a path, a command or a piece of HTML.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from thgeval.errors import ProtocolError
from thgeval.files import opened

MOST_BYTES = 8 << 20
MOST_DEPTH = 24
MOST_TEXT = 4000
"""The largest file, the deepest nesting and the longest single text; signatures are the longest honest ones."""

SPOOFS = {"Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp"}
"""Kinds of characters that show as nothing, or turn round what stands beside them."""


class EntryError(ProtocolError):
    """What is wrong with one file, at one field: ``field`` is its dotted path, empty for the file as a whole."""

    def __init__(self, file: str, field: str, says: str) -> None:
        super().__init__(f"{file}: {field + ': ' if field else ''}{says}")
        self.file, self.field, self.says = file, field, says


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; EntryError if it is too large, too deep, no JSON, or says anything twice."""
    try:
        with opened(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise EntryError(path.name, "", f"it can't be read: {error.strerror or error}") from None
    return decoded(content, path.name)


def decoded(content: bytes, name: str) -> dict[str, Any]:
    """The object that bytes hold, as a file called ``name`` would; EntryError as of ``read_json``."""
    if len(content) > MOST_BYTES:
        raise EntryError(name, "", f"it has more than {MOST_BYTES} bytes")
    try:
        text = content.decode("utf-8")
        _shallow(text)
        data = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
        )
    except UnicodeDecodeError as error:
        raise EntryError(name, "", f"it is not UTF-8 (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        raise EntryError(name, "", f"it is no JSON that can be taken: {error}") from None
    if not isinstance(data, dict):
        raise EntryError(name, "", f"it holds a {type(data).__name__} where an object should be")
    if any(map(fault_of, _distinct(data))):
        raise next(EntryError(name, field, fault) for field, value in _texts(data, "") if (fault := fault_of(value)))
    return data


def fault_of(text: str) -> str:
    """What is wrong with a piece of text; empty if nothing is."""
    if len(text) > MOST_TEXT:
        return f"{len(text)} characters are too many, {MOST_TEXT} may be"
    if text.isascii() and text.isprintable():
        return ""  # nearly all there is, and much the faster to see
    if odd := next((mark for mark in text if unicodedata.category(mark) in SPOOFS and mark not in "\n\t"), None):
        return f"the character U+{ord(odd):04X} shows as nothing or hides what stands beside it"
    if unicodedata.normalize("NFC", text) != text:
        return "its characters are not composed (NFC), so that equal names could differ"
    return ""


def mixed_scripts(text: str) -> str:
    """The scripts of a name's letters where Latin ones stand beside look-alikes; empty where they don't."""
    scripts = {unicodedata.name(mark, "").partition(" ")[0] for mark in text if mark.isalpha()}
    mixed = scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}
    return " and ".join(sorted(name.title() for name in mixed)) if len(mixed) > 1 else ""


def fault_of_link(text: str) -> str:
    """What is wrong with an address; empty if it is a plain ``https`` one."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return f"{text!r} is no address"
    if parts.scheme != "https" or not re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", host) or parts.username is not None:
        return f"{text!r} is no address that begins with https:// and a host's name"
    if re.search(r"[\s\"'<>\\^`{|}]", text):
        return f"{text!r} has characters that no address has"
    return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it says {key!r} twice")
        found[key] = value
    return found


def _shallow(text: str) -> None:
    """ValueError for brackets nested deeper than ``MOST_DEPTH``, found before anything is built of them."""
    depth = 0
    for mark in re.findall(r"[\[{\]}]", re.sub(r'"(?:[^"\\]|\\.)*"', "", text)):
        depth += 1 if mark in "[{" else -1
        if depth > MOST_DEPTH:
            raise ValueError(f"it nests deeper than {MOST_DEPTH} levels")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a number that can be computed with")
    return value


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError(f"a whole number of {len(text)} digits")
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _distinct(data: Any) -> set[str]:
    """Every text in data, names of fields included, once."""
    found: set[str] = set()
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict):
            found.update(value)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return found


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every text in data, names of fields included, with the path that leads to it."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield at, key
            yield from _texts(item, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{at}[{number}]")
