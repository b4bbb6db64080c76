"""Tables of TOML that strangers may have written: every field of a known name and kind, or a sentence that names it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from thgeval.errors import InputError, ProtocolError
from thgeval.limits import check_file, text

LARGEST_BYTES = 10_000_000
"""A list of a hundred thousand clips fits."""
LONGEST = 4_000
"""Characters of one text."""
MOST = 200_000
"""Items of one list."""
SHOWN = 60


@dataclass(frozen=True)
class Field:
    """What a field may be: its types in Python, in words, and for lists and tables those of their items."""

    kinds: tuple[type, ...]
    says: str
    items: tuple[type, ...] = ()


TEXT = Field((str,), "text")
WHOLE = Field((int,), "a whole number")
NUMBER = Field((int, float), "a number")
RATE = Field((int, float, str), "a number, or a text such as 30000/1001")
TEXTS = Field((list,), "a list of texts", (str,))
NAMED_TEXTS = Field((dict,), "a table of texts", (str,))
TABLE = Field((dict,), "a table")
TABLES = Field((list,), "a list of tables", (dict,))


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file of the user's own; ``what`` is what it should be. ProtocolError says what is wrong."""
    try:
        if check_file(path, "companion_bytes") > LARGEST_BYTES:
            raise ProtocolError(f"{path} is not a {what}: it has more than {LARGEST_BYTES} bytes")
        return tomllib.loads(text(path, "companion_bytes", "utf-8-sig"))
    except (InputError, OSError) as error:
        raise ProtocolError(f"the {what} {path} can't be read: {str(error).removeprefix(f'{path}: ')}") from None
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{path} is not a {what}: {error}") from None


def check(data: Mapping[str, Any], fields: Mapping[str, Field], what: str) -> None:
    """ProtocolError for a field that ``what`` doesn't have, or whose value is of another kind."""
    for name, value in data.items():
        if name not in fields:
            near = get_close_matches(name, fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(fields)}"
            raise ProtocolError(f"{what} has no field {_shown(name)}; {hint}")
        _check_kind(name, value, fields[name])


def _check_kind(name: str, value: Any, field: Field) -> None:
    if not _is(value, field.kinds):
        raise ProtocolError(f"{name} can't be {_shown(value)}: it is {field.says}")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if len(inner) > MOST:
        raise ProtocolError(f"{name} has {len(inner)} items, more than {MOST}")
    if field.items and (wrong := [item for item in inner if not _is(item, field.items)]):
        raise ProtocolError(f"{name} can't hold {_shown(wrong[0])}: it is {field.says}")
    for item in (value, *(inner if field.items else ())):
        if isinstance(item, str) and len(item) > LONGEST:
            raise ProtocolError(f"{name} has a text of {len(item)} characters, more than {LONGEST}")


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value is of a kind; True is no number."""
    return isinstance(value, kinds) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}..."
