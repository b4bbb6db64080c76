"""A process of somebody's, with bounds on time, memory and disk, ended together with everything that it started.

It runs in a session of its own, and carries a mark in its environment that its children inherit: on Linux a child that
left the session (``setsid``, a second ``fork``) is still found by it. Elsewhere only the process group is ended, and
memory isn't known.
"""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from thgeval.files import trouble

MARK = "THGEVAL_TASK"
PROCESSES = Path("/proc")
POLL_S = 0.05
LOOK_S = 0.5
"""How often memory and disk are looked at; the first time after a tenth of it, then ever more seldom up to this."""
GRACE_S = 2.0
"""What a process has to end itself in before it is killed."""
ROUNDS = 100
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
MOST_FILES = 20_000
"""Files of a folder that are looked at to know how large it has become."""


@dataclass(frozen=True)
class Bounds:
    """What a process may use: seconds, resident bytes, bytes added to the folders it works in, bytes of its log."""

    seconds: float = 600.0
    memory_bytes: int = 8 << 30
    disk_bytes: int = 4 << 30
    log_bytes: int = 64 << 20


@dataclass(frozen=True)
class Ended:
    """How it went: ``over`` names the bound that was met, or is empty; ``code`` is None if it was ended by us."""

    code: int | None
    seconds: float
    peak_bytes: int
    over: str = ""


class Interrupted(Exception):
    """Somebody asked for the end."""


def ran(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    bounds: Bounds,
    watched: Sequence[Path] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> Ended:
    """Run a program to its end or to a bound; what it prints goes to the end of ``log``.

    ``watched`` are the folders whose growth counts. Nothing that it started is alive afterwards. Raises
    ``Interrupted`` once ``stopped`` says so, and OSError if it can't be started.
    """
    mark = uuid.uuid4().hex
    before = sum(map(_bytes_in, watched))
    with log.open("ab") as out:
        began = time.monotonic()
        process = subprocess.Popen(  # noqa: S603 - argv only, and running it is the point
            list(argv),
            cwd=cwd,
            env={**env, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        family = _Family(process, mark)
        try:
            over, peak = _watch(process, family, log, bounds, watched, before, stopped)
        finally:
            seconds = time.monotonic() - began
            family.end()
    return Ended(None if over else process.returncode, seconds, peak, over)


def _watch(
    process: "subprocess.Popen[bytes]",
    family: "_Family",
    log: Path,
    bounds: Bounds,
    watched: Sequence[Path],
    before: int,
    stopped: Callable[[], bool],
) -> tuple[str, int]:
    """Wait; the bound that was met, and the most memory that was seen."""
    began = time.monotonic()
    peak, next_look, pause = 0, began, LOOK_S / 10
    while process.poll() is None:
        now = time.monotonic()
        if stopped():
            raise Interrupted
        if now - began > bounds.seconds:
            return "time", peak
        if now >= next_look:
            held = family.resident_bytes()
            peak = max(peak, held)
            if held > bounds.memory_bytes:
                return "memory", peak
            if sum(map(_bytes_in, watched)) - before > bounds.disk_bytes:
                return "disk", peak
            if log.stat().st_size > bounds.log_bytes:
                return "log", peak
            pause = min(LOOK_S, pause * 1.5)
            next_look = now + pause
        time.sleep(min(POLL_S, pause))
    return ("disk" if sum(map(_bytes_in, watched)) - before > bounds.disk_bytes else ""), peak


class _Family:
    """A process and everything that it started."""

    def __init__(self, process: "subprocess.Popen[bytes]", mark: str) -> None:
        self._process, self._mark = process, f"{MARK}={mark}".encode()

    def members(self) -> list[int]:
        """Process ids of all that are alive, zombies aside."""
        try:
            pids = [int(entry.name) for entry in os.scandir(PROCESSES) if entry.name.isdigit()]
        except OSError:
            return []
        return [pid for pid in pids if pid != os.getpid() and self._is_one(pid)]

    def resident_bytes(self) -> int:
        """Resident memory of all together; pages that they share count for each."""
        total = 0
        for pid in self.members():
            with suppress(OSError, ValueError, IndexError):
                total += int(_told(pid, "statm").split()[1]) * PAGE
        return total

    def end(self) -> None:
        """End all of them: asked first, then killed, again and again until nobody is left."""
        if self._process.poll() is None or self.members():
            self._signal(signal.SIGTERM)
            self._wait(GRACE_S)
        for _ in range(ROUNDS):
            if self._process.poll() is not None and not self.members():
                return
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self._wait(0.1)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and (self._process.poll() is None or self.members()):
            time.sleep(POLL_S / 5)

    def _signal(self, number: int) -> None:
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, number)
            elif self._process.poll() is None:
                self._process.terminate()
        for pid in self.members():
            with suppress(OSError):
                os.kill(pid, number)

    def _is_one(self, pid: int) -> bool:
        with suppress(OSError, ValueError, IndexError):
            state, _, _, session = _told(pid, "stat").rpartition(b")")[2].split()[:4]
            if state == b"Z":
                return False
            return int(session) == self._process.pid or self._mark in _told(pid, "environ").split(b"\0")
        return False


def _told(pid: int, what: str) -> bytes:
    """What Linux tells of a process; all of them are asked several times a second, for which paths are too slow."""
    with open(f"{PROCESSES}/{pid}/{what}", "rb", buffering=0) as file:  # noqa: PTH123
        return file.read()


def tail(log: Path, lines: int = 20, most: int = 4000) -> str:
    """The last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - most))
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        return f"(the log can't be read: {trouble(error)})"
    return "\n".join(text.replace("\r", "\n").splitlines()[-lines:])


def _bytes_in(folder: Path) -> int:
    """Bytes of the files below a folder, as far as ``MOST_FILES`` go."""
    total = seen = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - thousands of times a second
        seen += len(names)
        if seen > MOST_FILES:
            break
    return total
