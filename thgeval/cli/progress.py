"""A live line on stderr while a run goes on: clips done, frames per second, time left."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from thgeval.cli.showing import say
from thgeval.engine.job import Watcher


@contextmanager
def watching(*, quiet: bool) -> Iterator[Watcher]:
    """A watcher that draws on stderr if that is a terminal, and only warns if it isn't or should be quiet."""
    if quiet or not sys.stderr.isatty():
        yield Watcher(warns=say)
        return
    columns = (
        TextColumn("clips"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} frames/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _drawn(bar)


def _drawn(bar: Progress) -> Watcher:
    task = bar.add_task("clips", total=None, rate=0.0)
    seen, began, lock = [0], monotonic(), Lock()

    def frames(count: int) -> None:
        with lock:
            seen[0] += count
            bar.update(task, rate=seen[0] / max(monotonic() - began, 1e-3))

    return Watcher(
        begins=lambda clips: bar.update(task, total=clips),
        frames=frames,
        clip=lambda clip: bar.advance(task),
        warns=say,
    )
