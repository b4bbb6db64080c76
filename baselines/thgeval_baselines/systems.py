"""What the runner can run, seen from outside: a generator of ours or a user's own, an adapter, a folder of videos.

    PythonSystem        a ``Generator``, in a process of its own
    PrecomputedSystem   videos that somebody has made already, one for each item, by its id

Adapters of official repositories are in ``thgeval_baselines.adapters``, controls in ``thgeval_baselines.controls``.
"""

import hashlib
import importlib.util
import inspect
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar

from thgeval.errors import InputError, install_line
from thgeval.version import __version__
from thgeval_baselines.generator import REFERENCE_NOTE, Generator, Paradigm
from thgeval_baselines.running.collect import Panel, linked
from thgeval_baselines.running.process import tail
from thgeval_baselines.running.staging import Stage
from thgeval_baselines.running.worker import REFUSED, REPORT, VIDEO, job, loaded
from thgeval_baselines.tasks.items import nothing

GIB = 1 << 30
DRAWING = ("generators", "photo", "rig", "sets", "speech")
"""Folders here whose modules reference generators are made of."""


@dataclass(frozen=True)
class Work:
    """What is to be run for one item: argument lists one after the other, where, and under which environment.

    ``watched`` are folders outside the stage whose growth counts; ``exclusive`` names a lock that one process at a
    time may hold, for scripts with fixed names of temporary files. ``actions`` say what was done to the inputs.
    """

    steps: tuple[tuple[str, ...], ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=nothing)
    watched: tuple[Path, ...] = ()
    exclusive: str | None = None
    actions: tuple[str, ...] = ()


class System(ABC):
    """Anything that makes a video of an item.

    ``needs``, ``takes`` and ``fitting`` name inputs; ``choices`` are sets of them of
    which one must be there; ``sees_reference`` is true of controls alone. ``memory_bytes`` is
    what one item is taken to need until one was measured. ``panel`` is cut out of each frame; ``same_framing`` says
    that the video is known to show the source image's own framing, ``framing`` how else it lies to it.
    """

    id: str
    kind: ClassVar[str]
    paradigm: Paradigm | None = None
    says: str = ""
    version: int = 1
    needs: frozenset[str] = frozenset()
    choices: tuple[frozenset[str], ...] = ()
    takes: frozenset[str] = frozenset()
    fitting: frozenset[str] = frozenset()
    trained_on: tuple[str, ...] = ()
    notice: str = ""
    sees_reference: bool = False
    timeout_s: float = 600.0
    memory_bytes: int = GIB
    panel: Panel | None = None
    same_framing: bool = False
    framing: str = "same"
    accepts_overlay: bool = False
    device: str = "cpu"

    @abstractmethod
    def code(self) -> str:
        """Changes with whatever changes its videos: part of the key under which a result is found again."""

    @abstractmethod
    def work(self, stage: Stage, *, seed: int, fitted: Path | None) -> Work:
        """What to run; it leaves its video where ``collect`` looks."""

    @abstractmethod
    def collect(self, stage: Stage, *, since: float) -> Path:
        """The video that came out (``since``: seconds of the system's clock); InputError if there is none."""

    def problems(self) -> list[str]:
        """What stands in its way on this machine, one sentence each with its cure."""
        return []

    def notes(self) -> list[str]:
        """What whoever runs it should know."""
        return []

    def refusal(self, stage: Stage, code: int | None, log: Path) -> InputError:
        """Why a process that ended with this code made nothing."""
        return InputError(f"it ended with exit code {code}", reason="crashed")

    def complaint(self, log: Path) -> InputError | None:
        """What a script that ended well complains of in its log; None if nothing."""
        return None

    def fit_work(self, stage: Stage, *, seed: int) -> Work:
        """What to run so that ``stage.out / "fit"`` holds what was learnt."""
        raise NotImplementedError(f"{self.id} has nothing to fit")

    def weights_bytes(self) -> int:
        """Bytes of the weights that it reads."""
        return 0

    def facts(self) -> dict[str, object]:
        """What a record says of it."""
        return {
            "id": self.id,
            "version": self.version,
            "kind": self.kind,
            "paradigm": None if self.paradigm is None else self.paradigm.value,
            "says": self.says,
            "notice": self.notice,
            "trained_on": list(self.trained_on),
            "code": self.code(),
        }


class PythonSystem(System):
    """A ``Generator``, by ``module:Class`` or ``FILE.py:Class``; each item in a process of its own."""

    kind = "python"

    def __init__(self, spec: str, *, builtin: bool = False) -> None:
        place, _, name = spec.rpartition(":")
        self.spec = f"{Path(place).resolve()}:{name}" if place.endswith(".py") else spec
        self._generator = loaded(self.spec)()
        made = self._generator
        self.id, self.paradigm, self.says, self.version = made.id, made.paradigm, made.says, made.version
        self.needs, self.takes, self.fitting = made.needs, made.takes, made.fitting
        self.trained_on = made.trained_on
        self.notice = REFERENCE_NOTE if builtin else ""
        self.kind = "builtin" if builtin else "python"  # type: ignore[misc]

    def code(self) -> str:
        """Of the file that its class stands in, or for a reference generator of all here that draws and speaks."""
        source = _own() if self.kind == "builtin" else _source(type(self._generator))
        return hashlib.sha256(source + __version__.encode()).hexdigest()[:16]

    def problems(self) -> list[str]:
        """Its own."""
        return list(self._generator.problems())

    def work(self, stage: Stage, *, seed: int, fitted: Path | None) -> Work:
        """One item."""
        return self._work(stage, "generate", seed, fitted)

    def fit_work(self, stage: Stage, *, seed: int) -> Work:
        """One fit."""
        return self._work(stage, "fit", seed, None)

    def _work(self, stage: Stage, task: str, seed: int, fitted: Path | None) -> Work:
        path = stage.work / "job.json"
        what = job(self.spec, stage.inputs, seed=seed, out=stage.out, fitted=fitted, task=task)
        path.write_text(json.dumps(what), encoding="utf-8")
        return Work(steps=((sys.executable, "-m", "thgeval_baselines.running.worker", str(path)),), cwd=stage.work)

    def collect(self, stage: Stage, *, since: float) -> Path:
        """What the worker wrote."""
        if not (stage.out / VIDEO).is_file():
            raise InputError("it ended without a video", reason="no output")
        return stage.out / VIDEO

    def refusal(self, stage: Stage, code: int | None, log: Path) -> InputError:
        """What the worker says of it, or the end of the log."""
        if code == REFUSED and (stage.out / REPORT).is_file():
            report = json.loads((stage.out / REPORT).read_text(encoding="utf-8"))
            return InputError(report["message"].replace(f"{stage.folder / 'in'}{os.sep}", ""), reason=report["refused"])
        last = tail(log).strip().splitlines()
        return InputError(f"it ended with exit code {code}" + (f": {last[-1]}" if last else ""), reason="crashed")

    def weights_bytes(self) -> int:
        """Of the files that its class names."""
        kind = type(self._generator)
        module = sys.modules[kind.__module__]
        here = Path(getattr(module, "__file__", ".")).parent
        package = Path(__file__).parent
        found = [next((p for p in (here / name, package / name) if p.is_file()), None) for name in kind.weights]
        return sum(path.stat().st_size for path in found if path is not None)


class PrecomputedSystem(System):
    """Videos that lie in a folder already, ``ITEM.mp4`` for each item; nothing is known of what they cost."""

    kind = "precomputed"

    def __init__(
        self,
        id: str,
        folder: Path,
        *,
        says: str = "",
        paradigm: Paradigm | None = None,
        trained_on: tuple[str, ...] = (),
    ) -> None:
        self.id, self.folder, self.paradigm = id, folder, paradigm
        self.says, self.trained_on = says or "videos made elsewhere", trained_on

    def code(self) -> str:
        """Nothing is made here."""
        return "precomputed"

    def problems(self) -> list[str]:
        """A folder that is missing."""
        return [] if self.folder.is_dir() else [f"there is no folder {self.folder}; name the one that holds its videos"]

    def found(self, item: str) -> Path | None:
        """The video of an item, by name."""
        names = [self.folder / f"{item}{suffix}" for suffix in (".mp4", ".mov", ".mkv", ".webm", ".avi")]
        return next((path for path in names if path.is_file()), None)

    def work(self, stage: Stage, *, seed: int, fitted: Path | None) -> Work:
        """Nothing to run: the video is taken over."""
        path = self.found(stage.inputs.item)
        if path is None:
            raise InputError(f"{self.folder} has no video called {stage.inputs.item}.mp4", reason="no output")
        linked(path, stage.out / f"raw{path.suffix}")
        return Work(steps=(), cwd=stage.work)

    def collect(self, stage: Stage, *, since: float) -> Path:
        """What was taken over."""
        return next(stage.out.glob("raw.*"))


@cache
def _own() -> bytes:
    """The text of every module that reference generators are made of, so that none makes videos of an earlier one."""
    here = Path(__file__).parent
    return b"".join(path.read_bytes() for folder in DRAWING for path in sorted((here / folder).glob("*.py")))


def _source(kind: type[Generator]) -> bytes:
    """The file that a class stands in."""
    try:
        return Path(inspect.getfile(kind)).read_bytes()
    except (OSError, TypeError):
        return kind.__qualname__.encode()


def importable(extra: str, module: str) -> list[str]:
    """The problem of an extra that isn't installed; nothing if its module is there."""
    return (
        [] if importlib.util.find_spec(module) is not None else [f"it needs an optional package: {install_line(extra)}"]
    )
