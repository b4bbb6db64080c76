"""The folder that a generator works in: copies of what its setting shows, under names that tell nothing.

    in/source_image.png      ... one file or folder for each input that is shown
    work/                    where it may write what it likes
    out/                     where its video is looked for

Files are copied, or cloned where the file system can, never linked: no path, link or inode leads from here back to the
task set. The folder lies among the temporary files, and nothing in it, nor in the process's arguments and environment,
names the task set.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from thgeval.errors import InputError, OutputError
from thgeval.files import opened, trouble
from thgeval_baselines.generator import Inputs
from thgeval_baselines.tasks.files import check_files, sha256
from thgeval_baselines.tasks.items import REFERENCE, Item, TaskSet, nothing
from thgeval_baselines.tasks.settings import Setting, inputs_from

FICLONE = 0x40049409
"""Linux's request for a copy that shares its blocks until one of the two is written to."""


@dataclass(frozen=True)
class Stage:
    """A folder that is ready: ``inputs`` point into it; ``work`` and ``out`` are empty.

    Controls alone have the rest: the ``reference``, another item's sound as ``extras["other_audio"]``, and what a
    synthetic set knows of the item, as JSON has it.
    """

    folder: Path
    inputs: Inputs
    reference: Path | None = None
    extras: Mapping[str, Path] = field(default_factory=nothing)
    known: Mapping[str, Any] | None = None

    @property
    def work(self) -> Path:
        """Where anything may be written."""
        return self.folder / "work"

    @property
    def out(self) -> Path:
        """Where the video is looked for."""
        return self.folder / "out"


@contextmanager
def staged(
    tasks: TaskSet, item: Item, setting: Setting, *, only: frozenset[str] | None = None, with_reference: bool = False
) -> Iterator[Stage]:
    """A stage for one item, gone when the body ends; ``only`` narrows what is shown, as fitting does.

    ``with_reference`` is for controls, which are made from the reference; no generator ever gets it.

    Raises InputError where a file is missing or was changed, OutputError where there is no room.
    """
    shown = {name: path for name, path in setting.files(item).items() if only is None or name in only}
    extras = _extras(tasks, item) if with_reference else {}
    shown |= extras
    check_files(tasks, item, [name for name, path in item.files().items() if path in shown.values()])
    try:
        folder = Path(tempfile.mkdtemp(prefix="thgeval-task-"))
    except OSError as error:
        raise OutputError(f"no temporary folder can be made ({trouble(error)}); TMPDIR names a place") from None
    try:
        for name in ("in", "work", "out"):
            (folder / name).mkdir()
        places = {name: _copied(tasks.path(path), folder / "in" / name, item) for name, path in shown.items()}
        given = {name: path for name, path in places.items() if name not in extras}
        taken = {name: path for name, path in places.items() if name in extras}
        inputs = inputs_from(tasks, item, setting, given)
        known = _known(tasks, item, inputs, taken) if with_reference else None
        yield Stage(folder, inputs, taken.get(REFERENCE), taken, known)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hashes(tasks: TaskSet, item: Item, setting: Setting, *, with_reference: bool = False) -> dict[str, str]:
    """Hashes of what is shown, by input; a file that isn't there has the hash ``missing``."""
    shown = dict(setting.files(item)) | (_extras(tasks, item) if with_reference else {})
    known = {path: each.sha256[name] for each in tasks for name, path in each.files().items() if name in each.sha256}
    found = {}
    for name, path in sorted(shown.items()):
        found[name] = known.get(path) or (sha256(tasks.path(path)) if tasks.path(path).exists() else "missing")
    return found


def _extras(tasks: TaskSet, item: Item) -> dict[str, str]:
    """What controls see beside the inputs: reference, truth, and the sound of the next item that has another."""
    found = {name: path for name, path in item.files().items() if name == REFERENCE or name.startswith("truth.")}
    start = tasks.items.index(item)
    others = (*tasks.items[start + 1 :], *tasks.items[:start])
    own = (item.inputs.get("audio"), item.sha256.get("audio"))
    for other in others:
        audio = other.inputs.get("audio")
        if audio is not None and audio != own[0] and (own[1] is None or other.sha256.get("audio") != own[1]):
            return found | {"other_audio": audio}
    return found


def _known(tasks: TaskSet, item: Item, inputs: Inputs, taken: Mapping[str, Path]) -> dict[str, Any] | None:
    """What a synthetic set says of how an item was made; None for other sets."""
    truth = {name.partition(".")[2]: str(path) for name, path in taken.items() if name.startswith("truth.")}
    if not truth or not tasks.made_by:
        return None
    return {
        "made_by": dict(tasks.made_by),
        "identity": item.identity or "",
        "meta": dict(item.meta),
        "truth": truth,
        "size": list(inputs.size),
    }


def _copied(source: Path, target: Path, item: Item) -> Path:
    """A copy under the input's name with the file's suffix; links inside folders are copied as what they point to."""
    try:
        if source.is_dir():
            shutil.copytree(source, target, copy_function=clone)
            return target
        named = target.with_name(target.name.replace(".", "-") + source.suffix.lower())
        clone(source, named)
    except OSError as error:
        raise InputError(f"{item.id}: {source} can't be copied ({trouble(error)})", reason="unreadable") from None
    return named


def clone(source: str | Path, target: str | Path) -> None:
    """Copy a regular file, sharing blocks where the file system can; the copy may be written to."""
    with opened(Path(source)) as theirs, Path(target).open("xb") as ours:
        with suppress(OSError, ImportError, AttributeError):
            import_module("fcntl").ioctl(ours.fileno(), FICLONE, theirs.fileno())
            return
        shutil.copyfileobj(theirs, ours, 1 << 20)


def process_environment(stage: Stage, more: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """What the process finds in its environment: ours without what names places of a run, on so many threads."""
    kept = {name: value for name, value in os.environ.items() if name not in {"OLDPWD", "PWD", "_"}}
    counts = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS"),
        str(threads),
    )
    return {**kept, **counts, "TMPDIR": str(stage.work), "PYTHONUNBUFFERED": "1", **more}
