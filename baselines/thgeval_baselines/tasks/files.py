"""Task sets on disk: ``taskset.yaml`` says what the set is, ``items.jsonl`` has an item a line.

    SET/taskset.yaml
    SET/items.jsonl
    SET/...               files that items name, by paths below SET with forward slashes

Both are checked against their JSON Schemas, and a path that leaves the folder, by name or through a link, is refused.
Hashes are compared by ``check_files``, which the runner calls for the items it is about to make.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import fastjsonschema
import yaml

from thgeval.errors import InputError, ProtocolError
from thgeval.files import opened, write_atomically
from thgeval.limits import content
from thgeval_baselines.tasks.items import REFERENCE, Item, TaskSet

SCHEMA = "thgeval/taskset@1"
HEAD = "taskset.yaml"
ITEMS = "items.jsonl"


def write_taskset(tasks: TaskSet, *, hashed: Iterable[str] = ("source_image", "audio", "reference")) -> None:
    """Write a set whose files lie in its folder already; hashes of these files of every item are taken and written.

    Raises ProtocolError for what ``read_taskset`` would refuse.
    """
    wanted = frozenset(hashed)
    lines = []
    for item in tasks.items:
        known = {name: path for name, path in item.files().items() if name in wanted and tasks.path(path).is_file()}
        sums = {name: sha256(tasks.path(path)) for name, path in known.items()} | dict(item.sha256)
        lines.append(json.dumps(_row(item, sums), ensure_ascii=False, separators=(", ", ": "), sort_keys=False))
    head: dict[str, Any] = {
        "schema": SCHEMA,
        "id": tasks.id,
        "title": tasks.title,
        "licence": tasks.licence,
        "notice": tasks.notice,
        "fps": str(tasks.fps),
        "size": list(tasks.size),
        "language": tasks.language,
        "data": list(tasks.data),
        "made_by": dict(tasks.made_by),
        "items": ITEMS,
    }
    head = {name: value for name, value in head.items() if value not in ("", [], {})}
    text = "".join(f"{line}\n" for line in lines)
    _set(head, text.splitlines(), tasks.folder)
    write_atomically(tasks.folder / ITEMS, text.encode())
    write_atomically(tasks.folder / HEAD, yaml.safe_dump(head, sort_keys=False, allow_unicode=True).encode())


def read_taskset(place: Path) -> TaskSet:
    """The task set in a folder, or of a ``taskset.yaml``; ProtocolError says what is wrong with it, and on which line.

    Nothing is hashed here, nor need the files be there: see ``check_files``.
    """
    path = place / HEAD if place.is_dir() else place
    try:
        head = yaml.safe_load(content(path, "text_bytes").decode("utf-8"))
    except (InputError, OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ProtocolError(f"{place} is no task set: {_first_line(error)}") from None
    _check("taskset.schema.json", head, str(path))
    listed = _held(head["items"], path.parent, str(path))
    try:
        lines = content(listed, "companion_bytes").decode("utf-8").splitlines()
    except (InputError, OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"the items of {path} can't be read: {error}") from None
    return _set(head, lines, path.parent)


def check_files(tasks: TaskSet, item: Item, names: Iterable[str] | None = None) -> None:
    """Look whether these files of an item (all of them if None) are there, and are what their hashes say.

    Raises InputError, reason ``missing`` or ``changed``.
    """
    known = item.files()
    for name in known if names is None else [name for name in names if name in known]:
        path = tasks.path(known[name])
        if not path.exists():
            raise InputError(f"{item.id}: its {name} is missing ({path})", reason="missing")
        expected = item.sha256.get(name)
        if expected is not None and sha256(path) != expected:
            raise InputError(
                f"{item.id}: its {name} is another file than the set was made with ({path}); make the set again, or "
                f"take its sha256 out of {ITEMS}",
                reason="changed",
            )


def sha256(path: Path) -> str:
    """The hash of a file, or of a folder's files with their names."""
    if path.is_dir():
        inside = sorted(each for each in path.rglob("*") if each.is_file())
        named = "".join(f"{each.relative_to(path).as_posix()}\0{sha256(each)}\n" for each in inside)
        return hashlib.sha256(named.encode()).hexdigest()
    with opened(path) as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _row(item: Item, sums: Mapping[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": item.id,
        "identity": item.identity,
        "split": item.split,
        "frames": item.frames,
        "fps": None if item.fps is None else str(item.fps),
        "size": None if item.size is None else list(item.size),
        "language": item.language,
        "inputs": dict(item.inputs),
        "reference": item.reference,
        "truth": dict(item.truth),
        "sha256": dict(sums),
        "meta": dict(item.meta),
    }
    return {name: value for name, value in row.items() if value not in (None, {})}


def _set(head: Mapping[str, Any], lines: list[str], folder: Path) -> TaskSet:
    _check("taskset.schema.json", head, HEAD)
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            rows.append(_item(line, f"line {number} of {folder / head['items']}", folder))
    if not rows:
        raise ProtocolError(f"the task set {head['id']} in {folder} has no items")
    seen: dict[str, str] = {}
    for item in rows:
        if item.id.lower() in seen:
            raise ProtocolError(
                f"the task set {head['id']} has {seen[item.id.lower()]} and {item.id}: one name too many"
            )
        seen[item.id.lower()] = item.id
    facts = {name: head[name] for name in ("title", "licence", "notice", "language", "made_by") if name in head}
    if "size" in head:
        facts["size"] = _pair(head["size"])
    if "fps" in head:
        facts["fps"] = _rate(head["fps"])
    return TaskSet(id=head["id"], folder=folder, items=tuple(rows), data=tuple(head.get("data", ())), **facts)


def _item(line: str, where: str, folder: Path) -> Item:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"{where} is no JSON: {error}") from None
    _check("item.schema.json", row, where)
    if "size" in row:
        row["size"] = _pair(row["size"])
    if "fps" in row:
        row["fps"] = _rate(row["fps"])
    item = Item(**row)
    held = {name: _held(path, folder, where) for name, path in item.files().items()}
    if unknown := sorted(set(item.sha256) - set(held)):
        raise ProtocolError(f"{where} has a hash of {unknown[0]}, but no such file")
    sums = [item.sha256.get(name) for name in (REFERENCE, "fit_video")]
    if REFERENCE in held and (held.get("fit_video") == held[REFERENCE] or (sums[0] and sums[0] == sums[1])):
        raise ProtocolError(f"{where} fits to its own reference; a fit_video is never one that is scored")
    return item


def _held(relative: str, folder: Path, where: str) -> Path:
    """The file that a path of a set names; ProtocolError if it would leave the folder."""
    if (
        PurePosixPath(relative).is_absolute()
        or PureWindowsPath(relative).drive
        or "\\" in relative
        or "\0" in relative
        or ".." in PurePosixPath(relative).parts
    ):
        raise ProtocolError(f"{where} names {relative!r}, which is no path below the set's folder with forward slashes")
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ProtocolError(f"{where} names {relative!r}, a link that leads out of the set's folder")
    return path


def _rate(value: float | str) -> Fraction:
    return Fraction(value) if isinstance(value, str) else Fraction(value).limit_denominator(1001)


def _pair(size: list[int]) -> tuple[int, int]:
    return size[0], size[1]


def _check(schema: str, data: object, where: str) -> None:
    try:
        _checks(schema)(data)
    except fastjsonschema.JsonSchemaValueException as error:
        said = str(error.message).removeprefix("data").lstrip(". ")
        raise ProtocolError(f"{where} is no part of a task set: {said}") from None


@cache
def _checks(schema: str) -> Callable[[object], object]:
    text = files("thgeval_baselines.tasks").joinpath(schema).read_text(encoding="utf-8")
    check: Callable[[object], object] = fastjsonschema.compile(json.loads(text), use_default=False)
    return check


def _first_line(error: BaseException) -> str:
    return " ".join(str(error).split())
