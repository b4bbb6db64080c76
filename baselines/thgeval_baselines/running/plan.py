"""Which items a system makes, under which setting, and why it can't make the others; what is asked of a run."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thgeval.engine.workers import available
from thgeval.home import home
from thgeval_baselines.running.process import Bounds
from thgeval_baselines.systems import System
from thgeval_baselines.tasks.items import REFERENCE, Item, TaskSet
from thgeval_baselines.tasks.settings import FITTING, SETTINGS, Setting

CONTROL = Setting(
    "control",
    "the reference itself, to be spoilt on purpose",
    needs=frozenset({REFERENCE}),
    takes=frozenset({"audio", "source_image"}),
)
"""What controls are made under; no generator ever is."""
ORDER = (
    "self-audio",
    "cross-dub",
    "text",
    "self-reenactment",
    "cross-reenactment",
    "parameter",
    "text-audio",
    "self-dub",
    "cross-audio",
)
"""In which order settings are tried where none is asked for: those that can be scored first, those that leak last."""


def _memory() -> int:
    """Three quarters of the memory that is free, as far as the system says; 4 GiB where it doesn't."""
    free = 4 << 30
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024 * 3 // 4
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        free = min(free, int(limit) * 3 // 4) if limit.isdigit() else free
    except (OSError, ValueError):
        pass
    return free


@dataclass(frozen=True)
class Options:
    """What is asked of a run.

    ``workers`` processes at a time, together within ``memory_bytes``; ``threads`` for each of them (one thread makes
    the same frames every time); ``timeout_s`` for one item, None for each system's own; with ``retry`` what failed is
    tried again; ``fits`` is where what was fitted is kept.
    """

    setting: Setting | None = None
    seed: int = 0
    threads: int = 1
    workers: int = field(default_factory=available)
    memory_bytes: int = field(default_factory=_memory)
    disk_bytes: int = 4 << 30
    timeout_s: float | None = None
    retry: bool = False
    fits: Path = field(default_factory=lambda: home() / "fits")

    def bounds(self, system: System) -> Bounds:
        """For one process of a system."""
        seconds = system.timeout_s if self.timeout_s is None else self.timeout_s
        return Bounds(seconds=seconds, memory_bytes=self.memory_bytes, disk_bytes=self.disk_bytes)


@dataclass(frozen=True, eq=False)
class Job:
    """One item of one system; ``unable`` says why it can't be made, if so."""

    tasks: TaskSet
    item: Item
    system: System
    setting: Setting
    seed: int
    unable: str = ""

    def folder(self, out: Path) -> Path:
        """Where its files go."""
        return out / self.setting.name / self.system.id / "items" / self.item.id


def planned(tasks: TaskSet, systems: Sequence[System], options: Options, items: Sequence[Item]) -> list[Job]:
    """A job for each item of each system, in order."""
    return [job for system in systems for job in _of(tasks, system, options, items)]


def _of(tasks: TaskSet, system: System, options: Options, items: Sequence[Item]) -> Iterator[Job]:
    setting = usual_setting(system, items) if options.setting is None else options.setting
    if system.sees_reference:
        setting = CONTROL
    problems = system.problems()
    for item in items:
        unable = problems[0] if problems else _unable(system, setting, item)
        yield Job(tasks, item, system, setting, item_seed(options.seed, item), unable)


def usual_setting(system: System, items: Sequence[Item]) -> Setting:
    """The first setting under which a system can make any of these items.

    If there is none, the first that shows all that it needs, so that what is said is what items lack.
    """
    settings = [SETTINGS[name] for name in ORDER]
    able = [each for each in settings if any(not _unable(system, each, item) for item in items)]
    showing = [each for each in settings if system.needs - {REFERENCE} <= each.shows]
    return next(iter([*able, *showing, *settings]))


def _unable(system: System, setting: Setting, item: Item) -> str:
    if hidden := sorted(system.needs - setting.shows - {REFERENCE}):
        return f"{system.id} needs {', '.join(hidden)}, which the setting {setting.name} hides"
    for choice in system.choices:
        if not choice & setting.shows:
            return f"{system.id} needs {' or '.join(sorted(choice))}, which the setting {setting.name} hides"
    has = setting.files(item).keys() | ({"text"} if item.inputs.get("text") is not None else set()) | {REFERENCE}
    if lacking := sorted(set(setting.missing(item)) | {name for name in system.needs if name not in has}):
        return f"{item.id} has no {', '.join(lacking)}"
    for choice in system.choices:
        if not choice & has:
            return f"{item.id} has no {' or '.join(sorted(choice))}"
    if system.fitting & FITTING and not system.fitting & has:
        return f"{item.id} has no {' or '.join(sorted(system.fitting & FITTING))}, which {system.id} is fitted to"
    return ""


def item_seed(seed: int, item: Item) -> int:
    """The seed of an item: the run's, mixed with the item's id, below 2**31."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{item.id}".encode()).digest()[:4]) >> 1


def key(job: Job, inputs: Mapping[str, str], options: Options) -> str:
    """A hash of everything that the video follows from."""
    tasks, item = job.tasks, job.item
    made_from: dict[str, Any] = {
        "system": [job.system.id, job.system.version, job.system.code()],
        "setting": job.setting.name,
        "inputs": dict(inputs),
        "text": item.inputs.get("text") if "text" in job.setting.shows else None,
        "frames": item.frames,
        "fps": str(item.fps or tasks.fps),
        "size": list(item.size or tasks.size),
        "language": item.language or tasks.language,
        "seed": [job.seed, options.seed],
        "threads": options.threads,
    }
    return digest(made_from)


def digest(data: Mapping[str, Any]) -> str:
    """A hash of plain data, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def relative(path: Path, folder: Path) -> str:
    """A path as seen from a folder, or as it is where there is no way (another drive)."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return str(path)
