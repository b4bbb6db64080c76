"""What is said in a clip, found in its name: data sets whose file names are codes of their sentences.

A rule is a small file, YAML or TOML, with a regular expression and what its groups mean:

    annotation_regex: "([blps])([bgrw])([abiw])([a-z])([z1-9])([anps])"
    annotation_map:
      - {b: bin, l: lay, p: place, s: set}
      - {b: blue, g: green, r: red, w: white}
      - ...

``annotation_regex``  searched in the clip's name
``annotation_group``  the group that is looked up, or is itself what is said; every group in turn where it isn't given
``annotation_map``    what each value of the group means; or a list of such tables, one for each group; a value that
                      stands in no table means itself, and so does every value where there is none

The keys are those of facial-animation-evaluation, whose files are read as they are; its other keys are not looked at.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thgeval import limits
from thgeval.errors import InputError, MissingExtra, ProtocolError

REGEX, GROUP, MAP = "annotation_regex", "annotation_group", "annotation_map"


@dataclass(frozen=True)
class TranscriptRule:
    """A regular expression, the groups that are read, and a table of meanings for each of them."""

    pattern: re.Pattern[str]
    groups: tuple[int, ...]
    meanings: tuple[dict[str, str], ...]

    def __call__(self, name: str) -> str | None:
        """What is said in the clip of this name, or None where the expression isn't found in it."""
        match = self.pattern.search(name)
        if match is None:
            return None
        values = (match.group(group) or "" for group in self.groups)
        return " ".join(table.get(value, value) for value, table in zip(values, self.meanings, strict=True)).strip()


def rule(path: Path) -> TranscriptRule:
    """The rule in a TOML or YAML file; ProtocolError if it isn't one, MissingExtra for YAML without PyYAML."""
    given = _content(path)
    try:
        pattern = re.compile(given[REGEX])
    except KeyError:
        raise ProtocolError(f"{path} has no {REGEX} to find words with") from None
    except (re.error, TypeError) as error:
        raise ProtocolError(f"{path}: {REGEX} is not a valid regular expression ({error})") from None
    chosen = given.get(GROUP)
    groups = tuple(range(1, pattern.groups + 1)) if chosen is None else (chosen,)
    if not groups or not all(type(group) is int and 0 <= group <= pattern.groups for group in groups):
        raise ProtocolError(f"{path}: {GROUP} must name one of the expression's {pattern.groups} groups")
    tables = given.get(MAP, {})
    tables = tables if isinstance(tables, list) else [tables] * len(groups)
    if len(tables) != len(groups) or not all(isinstance(table, dict) for table in tables):
        raise ProtocolError(
            f"{path}: {MAP} must be one table, or one for each of the {len(groups)} groups that are read"
        )
    if wrong := [value for table in tables for value in table.values() if not isinstance(value, str | int | float)]:
        raise ProtocolError(f"{path}: {MAP} must map to text, not to {wrong[0]!r}")
    if wrong := [item for table in tables for pair in table.items() for item in pair if isinstance(item, bool)]:
        raise ProtocolError(f"{path}: YAML takes a word for {wrong[0]}; put the words of {MAP} in quotation marks")
    meanings = tuple({str(value): str(words) for value, words in table.items()} for table in tables)
    return TranscriptRule(pattern, groups, meanings)


def _content(path: Path) -> dict[str, Any]:
    try:
        text = limits.text(path, "text_bytes")
        given = tomllib.loads(text) if path.suffix.lower() == ".toml" else _yaml(text)
    except (InputError, OSError, ValueError, RecursionError) as error:
        raise ProtocolError(f"the rule {path} can't be read: {error}") from None
    if not isinstance(given, dict):
        raise ProtocolError(f"the rule {path} is not a table of keys and values")
    return given


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtra("a rule in YAML", extra="speech") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
