"""Manifests: read, checked, and their placeholders filled in.

Placeholders are a closed set: ``{checkout} {weights} {work} {out} {item} {seed} {fps} {device} {width} {height}``;
``{NAME}`` of each of the manifest's inputs, ``{NAME.name}`` (without folder), ``{NAME.base}`` (without
suffix), ``{NAME.stem}`` (without either); ``{file.NAME}`` for whichever of a
file's alternatives is there. A step begins with ``python``, which stands for the script's own interpreter, or with one
of ``environment.programs``. No path may climb (``..``) or be absolute.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import fastjsonschema
import yaml

from thgeval.errors import InputError, ProtocolError
from thgeval.limits import content
from thgeval_baselines.generator import INPUTS, Paradigm
from thgeval_baselines.running.collect import Panel

PLACES = ("checkout", "weights", "work", "out")
PARTS = ("stem", "name", "base")
FACTS = ("item", "seed", "fps", "device", "width", "height")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PYTHON = "python"


@dataclass(frozen=True)
class Needed:
    """A file that a checkout must hold, or one of several; ``get`` says where it comes from."""

    any: tuple[str, ...]
    name: str = ""
    get: str = ""


@dataclass(frozen=True)
class Taken:
    """An input in the script's own words: which of ours it is made from, in order of preference, and how."""

    name: str
    sources: tuple[str, ...]
    optional: bool = False
    to: str = ""
    rate_hz: int = 16000
    dither: float = 0.0
    size: int | None = None
    crop: str = ""


@dataclass(frozen=True, eq=False)
class Manifest:
    """One adapter; ``data`` is the file as it was read."""

    data: Mapping[str, Any]
    where: str
    sha256: str

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.data["id"])

    @property
    def paradigm(self) -> Paradigm:
        """Which of the ten."""
        return Paradigm(self.data["paradigm"])

    @property
    def inputs(self) -> tuple[Taken, ...]:
        """What the script takes."""
        return tuple(
            Taken(
                name,
                tuple(each["from"]),
                each.get("optional", False),
                each.get("to", ""),
                each.get("rate_hz", 16000),
                each.get("dither", 0.0),
                each.get("size"),
                each.get("crop", ""),
            )
            for name, each in self.data["inputs"].items()
        )

    @property
    def files(self) -> tuple[Needed, ...]:
        """What the checkout and the weights must hold."""
        return tuple(
            Needed((each,))
            if isinstance(each, str)
            else Needed(tuple(each["any"]), each.get("name", ""), each.get("get", ""))
            for each in self.data["files"]
        )

    @property
    def environment(self) -> Mapping[str, Any]:
        """Interpreter, modules, programs, variables."""
        return dict(self.data.get("environment", {}))

    @property
    def panel(self) -> Panel | None:
        """The part of its frames that is the result."""
        found = self.data["output"].get("panel")
        return None if found is None else Panel(**found)

    @property
    def framing(self) -> str:
        """How its picture lies to the source image: ``same``, ``resized``, ``crop``, ``mesh``."""
        return str(self.data["output"]["framing"])

    @property
    def commit(self) -> str:
        """The commit at which it was read."""
        return str(self.data["verified"]).partition("@")[2]

    def known(self) -> frozenset[str]:
        """Every placeholder that may stand in it."""
        names = {*PLACES, *FACTS, *(f"file.{each.name}" for each in self.files if each.name)}
        for taken in self.inputs:
            names |= {taken.name, *(f"{taken.name}.{part}" for part in PARTS)}
        return frozenset(names)


def read_manifest(path: Path) -> Manifest:
    """A manifest; ProtocolError says what is wrong with it."""
    try:
        raw = content(path, "text_bytes")
        data = yaml.safe_load(raw.decode("utf-8"))
    except (InputError, OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ProtocolError(f"the manifest {path} can't be read: {' '.join(str(error).split())}") from None
    return checked(data, str(path), hashlib.sha256(raw).hexdigest())


def checked(data: Any, where: str, sha256: str = "") -> Manifest:
    """Data as a manifest; ProtocolError if it isn't one."""
    try:
        _checks()(data)
    except fastjsonschema.JsonSchemaValueException as error:
        said = str(error.message).removeprefix("data").lstrip(". ")
        raise ProtocolError(f"{where} is no manifest: {said}") from None
    manifest = Manifest(data, where, sha256)
    known = manifest.known()
    for place, text in _texts(data):
        _check_text(text, known, f"{where}: {place}")
    for taken in manifest.inputs:
        if taken.name in (*PLACES, *FACTS, "file"):
            raise ProtocolError(f"{where}: an input can't be called {taken.name}, which is a placeholder of its own")
        if unknown := [name for name in taken.sources if name not in INPUTS]:
            raise ProtocolError(f"{where}: {taken.name} is made from {unknown[0]!r}; inputs are {', '.join(INPUTS)}")
    programs = (PYTHON, *manifest.environment.get("programs", ()))
    for step in data["steps"]:
        if step[0] not in programs:
            raise ProtocolError(f"{where}: a step begins with {step[0]!r}, not with {' or '.join(programs)}")
    may_lack = {taken.name for taken in manifest.inputs if taken.optional}
    allowed = may_lack | {f"no_{name}" for name in may_lack} | {"cpu", "cuda"}
    if unknown := sorted(set(data.get("optional", {})) - allowed):
        raise ProtocolError(f"{where}: optional arguments for {unknown[0]!r}; there are {', '.join(sorted(allowed))}")
    return manifest


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with its placeholders' values; InputError where one has none, such as an optional input."""

    def value(match: "re.Match[str]") -> str:
        name = match.group(1)
        if name not in values:
            raise InputError(f"there is nothing to put for {{{name}}}", reason="unable")
        return values[name]

    return PLACEHOLDER.sub(value, text)


def filled_deeply(data: Any, values: Mapping[str, str]) -> Any:
    """The same for all texts of nested data, keys among them."""
    if isinstance(data, str):
        return filled(data, values)
    if isinstance(data, list):
        return [filled_deeply(each, values) for each in data]
    if isinstance(data, dict):
        return {filled_deeply(key, values): filled_deeply(value, values) for key, value in data.items()}
    return data


def _check_text(text: str, known: frozenset[str], where: str) -> None:
    for name in PLACEHOLDER.findall(text):
        if name not in known:
            raise ProtocolError(
                f"{where} has {{{name}}}, which is no placeholder; there are {', '.join(sorted(known))}"
            )
    bare = PLACEHOLDER.sub("x", text)
    if "{" in bare or "}" in bare or "\0" in bare:
        raise ProtocolError(f"{where} has a brace that belongs to no placeholder: {text!r}")
    path = bare.partition("=")[2] or bare
    climbs = ".." in PurePosixPath(path).parts or ".." in PureWindowsPath(path).parts
    absolute = (PurePosixPath(path).is_absolute() or bool(PureWindowsPath(path).drive)) and "://" not in path
    if climbs or absolute:
        raise ProtocolError(f"{where} names {text!r}; paths begin with a placeholder, or lie below the checkout")


RUN_FIELDS = ("files", "steps", "optional", "output", "render", "overlay", "patches", "weights")


def _texts(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text that is run or looked for, with the field that it stands in."""
    left = [(name, data[name]) for name in RUN_FIELDS if name in data]
    left.append(("environment.variables", data.get("environment", {}).get("variables", {})))
    while left:
        place, value = left.pop()
        if place.endswith((".why", ".get", ".without")):
            continue
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, list):
            left += [(place, each) for each in value]
        elif isinstance(value, dict):
            left += [(place, key) for key in value if "{" in str(key)]
            left += [(f"{place}.{key}", each) for key, each in value.items()]


@cache
def _checks() -> Callable[[object], object]:
    text = files("thgeval_baselines.adapters").joinpath("manifest.schema.json").read_text(encoding="utf-8")
    check: Callable[[object], object] = fastjsonschema.compile(json.loads(text), use_default=False)
    return check
