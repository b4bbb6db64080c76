"""What is kept of each item: ``run.json``, and the cost card beside the video.

``status`` is ``done``, ``failed``, ``timeout`` or ``skipped``; what isn't done has a ``reason`` (one or two words, by
which they are counted), a ``message`` and the tail of the log.
"""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from thgeval.errors import ThgevalError
from thgeval.files import write_atomically
from thgeval.limits import content
from thgeval_baselines.running.looking import Looked
from thgeval_baselines.tasks.items import nothing

SCHEMA = "thgeval/run-record@1"
RECORD, RAW, OUT, LOG = "run.json", "raw.mp4", "out.mp4", "log.txt"
DONE, FAILED, TIMEOUT, SKIPPED = "done", "failed", "timeout", "skipped"


@dataclass(frozen=True)
class Cost:
    """What one item cost: seconds of making (``timed`` says of what), to the first frame, of fitting; bytes."""

    seconds: float
    timed: str
    first_frame_s: float | None = None
    fit_s: float | None = None
    peak_memory_bytes: int | None = None
    weights_bytes: int = 0


@dataclass(frozen=True)
class Record:
    """One item of one system; ``key`` is what it was made from, as a hash."""

    item: str
    system: Mapping[str, Any]
    taskset: str
    setting: str
    seed: int
    threads: int
    key: str
    status: str
    reason: str = ""
    message: str = ""
    log_tail: str = ""
    inputs: Mapping[str, str] = field(default_factory=nothing)
    actions: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    contamination: tuple[str, ...] = ()
    video: Mapping[str, Any] = field(default_factory=nothing)
    cost: Cost | None = None
    environment: Mapping[str, Any] = field(default_factory=nothing)

    @property
    def done(self) -> bool:
        """Whether there is a video."""
        return self.status == DONE

    def write(self, folder: Path) -> None:
        """Keep it; whoever reads finds the old one or this one, never half of it."""
        data = {"schema": SCHEMA} | {each.name: _plain(getattr(self, each.name)) for each in fields(self)}
        write_atomically(folder / RECORD, (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())


def read_record(folder: Path) -> Record | None:
    """The record in an item's folder; None if there is none that can be read."""
    try:
        data = json.loads(content(folder / RECORD, "companion_bytes"))
        if data.pop("schema") != SCHEMA:
            return None
        cost = data.pop("cost")
        data |= {name: tuple(data[name]) for name in ("actions", "remarks", "contamination")}
        return Record(**data, cost=None if cost is None else Cost(**cost))
    except (ThgevalError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def cost_card(record: Record, found: Looked, device: str) -> dict[str, Any]:
    """The timing record that ``thgeval score`` reads beside a video, and what more was measured.

    ``real_time_factor`` is seconds of making for a second of video: below 1 is faster than real time.
    """
    cost = record.cost
    if cost is None or cost.seconds <= 0:
        return {}
    played_s = found.frames / float(found.fps) if found.fps else None
    return {
        "frames": found.frames,
        "seconds": cost.seconds,
        "device": device if device != "cpu" else f"cpu {processor()}",
        "dtype": "float32",
        "batch": 1,
        "resolution": f"{found.width}x{found.height}",
        "timed": cost.timed,
        "real_time_factor": None if not played_s else cost.seconds / played_s,
        "first_frame_s": cost.first_frame_s,
        "fit_s": cost.fit_s,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "weights_bytes": cost.weights_bytes,
        "threads": record.threads,
        "hardware": hardware(),
    }


@cache
def processor() -> str:
    """The processor's own name."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor() or platform.machine()


@cache
def hardware() -> str:
    """Processor, cores and system of this machine."""
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()}"


def environment() -> dict[str, Any]:
    """What this process runs on."""
    return {"python": platform.python_version(), "system": platform.system(), "hardware": hardware()}


def _plain(value: Any) -> Any:
    if isinstance(value, Cost):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
