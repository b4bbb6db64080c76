"""What stderr shows while a run goes on: what is done, how fast, and how long it will take.

On a terminal one line that changes; elsewhere a line every half minute, so that a log shows that something happens.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic

from thgeval.cli.showing import say
from thgeval.compilation import heard_by
from thgeval.engine.job import Watcher

EVERY_S = 30.0
"""How long a log is silent."""
REDRAWS_S = 0.25
COMPILING = "compiling kernels, once"
READY, CLIPS = "getting ready", "clips"


@dataclass
class Pace:
    """What is done of a run, and how long the rest will take at the rate so far; threads may tell it at any time.

    Time in which loops were compiled doesn't count: it won't be spent again. ``clock`` gives seconds.
    """

    clock: Callable[[], float] = monotonic
    clips: int = 0
    done: int = 0
    frames: int = 0
    expected: int = 0
    phase: str = READY
    _compiling_since: float | None = None
    _compiled_s: float = 0.0
    _began: float = 0.0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def begins(self, clips: int) -> None:
        """So many clips are to be measured, which may be more than were known before."""
        with self._lock:
            if not self.clips:
                self._began, self._compiled_s = self.clock(), 0.0
            self.clips = clips
            self.phase = CLIPS if self.phase == READY else self.phase

    def expects(self, frames: int) -> None:
        """About so many frames there are in all."""
        with self._lock:
            self.expected = frames

    def measures(self, frames: int) -> None:
        """Frames have been read."""
        with self._lock:
            self.frames += frames

    def skips(self, frames: int) -> None:
        """Frames that were expected were measured before."""
        with self._lock:
            self.expected = max(0, self.expected - frames)

    def ends(self, clip: str) -> None:
        """A clip is done."""
        with self._lock:
            self.done += 1

    def turns_to(self, what: str) -> None:
        """Something else is done from now on, of which nothing is counted yet."""
        with self._lock:
            self.phase = what
            self.clips, self.done, self.frames, self.expected = 0, 0, 0, 0

    def compiles(self, begins: bool) -> None:
        """Loops begin to be compiled, or have been."""
        with self._lock:
            if begins:
                self._compiling_since = self.clock()
            elif self._compiling_since is not None:
                self._compiled_s += self.clock() - max(self._compiling_since, self._began)
                self._compiling_since = None

    @property
    def doing(self) -> str:
        """What is done now."""
        return COMPILING if self._compiling_since is not None else self.phase

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.frames / max(self._spent_s(), 1e-3)

    @property
    def left_s(self) -> float | None:
        """How long the rest will take; None where nothing says so yet."""
        spent = self._spent_s()
        if self.expected and self.frames:
            return max(0, self.expected - self.frames) / max(self.rate, 1e-9)
        if self.done and not self.expected:
            return (self.clips - self.done) * spent / self.done
        return None

    @property
    def share(self) -> float:
        """How much is done, 0 to 1."""
        if self.expected and self.done < self.clips:
            return min(self.frames / self.expected, 0.99)
        return self.done / self.clips if self.clips else 0.0

    def _spent_s(self) -> float:
        now, since = self.clock(), self._compiling_since
        under_way = 0.0 if since is None else now - max(since, self._began)
        return max(now - self._began - self._compiled_s - under_way, 0.0)

    def __str__(self) -> str:
        """The state of things in a line."""
        left = self.left_s
        said = [f"{self.done} of {self.clips} clips"] if self.clips else []
        said += [f"{self.rate:.0f} frames/s"] if self.frames else []
        said += [f"about {duration(left)} left"] if left is not None and self.done < self.clips else []
        return f"{self.doing}: {', '.join(said)}" if self.doing != CLIPS and said else ", ".join(said) or self.doing


def duration(seconds: float) -> str:
    """So long in words that a reader needs: ``40 s``, ``3 min``, ``2 h 10 min``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def watching(*, quiet: bool) -> Iterator[Watcher]:
    """A watcher that draws on stderr if that is a terminal, writes a line now and then elsewhere, or only warns."""
    if quiet:
        yield Watcher(warns=say)
        return
    pace = Pace()
    watcher = Watcher(
        begins=pace.begins,
        expects=pace.expects,
        frames=pace.measures,
        skips=pace.skips,
        clip=pace.ends,
        phase=pace.turns_to,
        warns=say,
    )
    with heard_by(pace.compiles), _drawn(pace) if sys.stderr.isatty() else _written(pace):
        yield watcher


@contextmanager
def _written(pace: Pace) -> Iterator[None]:
    """A line every so often, while anything goes on."""
    over = Event()

    def write() -> None:
        while not over.wait(EVERY_S):
            say(str(pace))

    with _beside(write, over):
        yield


@contextmanager
def _drawn(pace: Pace) -> Iterator[None]:
    """A line that changes."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"))
    over = Event()
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(pace.doing, total=1.0, said="")

        def draw() -> None:
            while not over.wait(REDRAWS_S):
                bar.update(task, completed=pace.share, description=pace.doing, said=_figures(pace))

        with _beside(draw, over):
            yield


def _figures(pace: Pace) -> str:
    left = pace.left_s
    said = [f"{pace.done}/{pace.clips}"] if pace.clips else []
    said += [f"{pace.rate:.0f} frames/s"] if pace.frames else []
    said += [f"{duration(left)} left"] if left is not None else []
    return "  ".join(said)


@contextmanager
def _beside(work: Callable[[], None], over: Event) -> Iterator[None]:
    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
