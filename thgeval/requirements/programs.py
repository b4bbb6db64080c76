"""Programs and models of the user's own that thgeval may run: folders in ``THGEVAL_HOME/checkouts``.

Some readers can't be shipped, nor rebuilt here: their code or weights come with terms that every user must agree to. A
folder of that name then holds what stands in for them: either a model as a library saves it, or a ``thgeval.toml`` that
says how to run a checkout on one clip:

    command   = ["/home/me/envs/avsr/bin/python", "read.py", "{clip}", "{out}"]
    folder    = "/home/me/auto_avsr"     # where it runs; the folder of this file by default
    files     = ["/home/me/vsr.pth"]     # what else its answers depend on
    timeout_s = 600

``{clip}`` becomes the path of the clip, ``{out}`` that of a file that the program must write. A program that prints its
answer needs no ``{out}``: ``says = "transcript:"`` takes what follows that on the one line that begins with it. For one
that makes a folder of ``{out}``, ``file = "*_results.json"`` says which file in it is the answer.

No shell is involved, and nothing runs unless a metric is asked for by this name. Every file of the folder, and every
file listed, is part of the signature by its content.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from thgeval.errors import InputError, ProtocolError, WeightsError
from thgeval.home import home

RECIPE = "thgeval.toml"
CLIP, OUT = "{clip}", "{out}"
KEYS = {"command", "says", "file", "folder", "files", "timeout_s"}
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Recipe:
    """How to run a checkout: command and arguments, where, what else it depends on, and for how long at most.

    ``says`` is what the line begins with that holds its answer, empty where it writes a file; ``file`` is a pattern of
    that file's name where it writes a folder, else empty.
    """

    command: tuple[str, ...]
    says: str
    file: str
    folder: Path
    files: tuple[Path, ...]
    timeout_s: float


def folder(name: str) -> Path:
    """Where a checkout or model of this name lies; ProtocolError for a name that isn't one plain word."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ProtocolError(f"{name!r} is not the name of a folder in {home() / 'checkouts'}")
    return home() / "checkouts" / name


def problem(name: str) -> WeightsError | None:
    """Why there is nothing to run or load under this name, as the error that says what helps, or None."""
    place = folder(name)
    if not place.is_dir():
        return WeightsError(f"there is no folder {place}; put the model there, or a {RECIPE} that says how to run it")
    try:
        _ = _content(name)
    except (WeightsError, ProtocolError) as error:
        return WeightsError(str(error))
    return None


def token(name: str) -> str:
    """What stands for the folder in signatures: eight digits of the sha256 of all it holds.

    It is ``absent`` without the folder, and ``unknown`` where that can't be read, of which ``problem`` says why.
    """
    if not folder(name).is_dir():
        return "absent"
    try:
        return _content(name)[:8]
    except (WeightsError, ProtocolError):
        return "unknown"


def _content(name: str) -> str:
    """The hash of all that the folder holds; WeightsError or ProtocolError if it can't be read."""
    place = folder(name)
    paths = sorted(path for path in place.rglob("*") if path.is_file())
    if (place / RECIPE).is_file():
        paths += recipe(name).files
    try:
        stamps = tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
        return _digest(place, stamps)
    except OSError as error:
        raise WeightsError(f"the checkout {name} can't be read: {error}") from None


@cache
def _digest(place: Path, stamps: tuple[tuple[Path, int, int], ...]) -> str:
    """The hash of files under their names in the folder, or their own; read again when their stamps change."""
    whole = sha256()
    for path, _, _ in stamps:
        name = path.relative_to(place) if path.is_relative_to(place) else Path(path.name)
        with path.open("rb") as file:
            content = sha256()
            while block := file.read(1 << 20):
                content.update(block)
        whole.update(f"{name.as_posix()}\n{content.hexdigest()}\n".encode())
    return whole.hexdigest()


def recipe(name: str) -> Recipe:
    """How the checkout is run; ProtocolError if its ``thgeval.toml`` doesn't say so."""
    path = folder(name) / RECIPE
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProtocolError(f"{path} can't be read: {error}") from None
    if unknown := given.keys() - KEYS:
        raise ProtocolError(f"{path} has unknown keys: {', '.join(sorted(unknown))}")
    command, files, timeout_s = given.get("command", []), given.get("files", []), given.get("timeout_s", TIMEOUT_S)
    for key, texts in (("command", command), ("files", files)):
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ProtocolError(f"{path}: {key} must be a list of texts")
    says, file = given.get("says", ""), given.get("file", "")
    if not isinstance(says, str):
        raise ProtocolError(f"{path}: says must be a text")
    if not isinstance(file, str) or Path(file).name != file:
        raise ProtocolError(f"{path}: file must be the name of a file, or a pattern of one")
    if says and file:
        raise ProtocolError(f"{path}: an answer is printed or in a file, so says and file can't stand together")
    marks = (CLIP,) if says else (CLIP, OUT)
    if not all(any(mark in argument for argument in command) for mark in marks):
        raise ProtocolError(f"{path}: command must name {' and '.join(marks)}")
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or timeout_s <= 0:
        raise ProtocolError(f"{path}: timeout_s must be a positive number of seconds")
    where = Path(given.get("folder", path.parent))
    return Recipe(tuple(command), says, file, where, tuple(where / file for file in files), float(timeout_s))


@contextmanager
def answer(name: str, clip: Path) -> Iterator[Path]:
    """The file that the checkout wrote for a clip, which is gone afterwards.

    Raises InputError: "checkout failed" if the program fails or writes nothing, "checkout timed out".
    """
    how = recipe(name)
    with TemporaryDirectory(prefix="thgeval-") as place:
        out = Path(place, "answer")
        marks = {CLIP: str(clip.resolve()), OUT: str(out)}
        command = [_filled(argument, marks) for argument in how.command]
        try:
            done = subprocess.run(  # noqa: S603 (the user's own command, as a list, asked for by name)
                command,
                cwd=how.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=how.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise InputError(
                f"{clip}: the checkout {name} took more than {how.timeout_s:g} s", reason="checkout timed out"
            ) from None
        except OSError as error:
            raise _failed(name, clip, f"can't be run: {error}") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
            raise _failed(name, clip, f"ended with {done.returncode}, saying {said[0][:200]!r}")
        if how.says:
            out.write_text(json.dumps({"text": _said(done.stdout, how.says, name, clip)}), encoding="utf-8")
        if how.file:
            out = _only(out, how.file, name, clip)
        if not out.is_file():
            raise _failed(name, clip, f"wrote no answer to {OUT}")
        yield out


def _only(folder: Path, pattern: str, name: str, clip: Path) -> Path:
    """The one file of a folder whose name has the pattern."""
    found = [path for path in folder.glob(pattern) if path.is_file()]
    if len(found) != 1:
        raise _failed(name, clip, f"wrote {len(found)} files {pattern} into {OUT} instead of one")
    return found[0]


def _said(printed: bytes, begin: str, name: str, clip: Path) -> str:
    lines = [line for line in printed.decode(errors="replace").splitlines() if line.startswith(begin)]
    if len(lines) != 1:
        raise _failed(name, clip, f"printed {len(lines)} lines that begin with {begin!r} instead of one")
    return lines[0].removeprefix(begin).strip()


def _filled(argument: str, marks: dict[str, str]) -> str:
    """The argument with its marks replaced, once: what was put in may look like a mark itself."""
    return re.sub("|".join(map(re.escape, marks)), lambda found: marks[found[0]], argument)


def _failed(name: str, clip: Path, why: str) -> InputError:
    return InputError(f"{clip}: the checkout {name} {why}", reason="checkout failed")
