"""A fixed number of cores, shared by clips and by chunks of frames.

Each clip is decoded on a thread that holds one core. While fewer clips than cores are under way, the spare cores take
chunks off the decoding threads; when none is spare, a chunk is measured where it was decoded. So one long clip uses
the machine as well as many short ones, and the order of work never reaches the results: states are plain sums.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import BoundedSemaphore
from types import TracebackType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def available() -> int:
    """How many cores this process may use; all of them on systems that don't say."""
    affinity = getattr(os, "sched_getaffinity", None)
    return (os.cpu_count() or 1) if affinity is None else len(affinity(0))


def started(threads: ThreadPoolExecutor, work: Callable[[], T]) -> "Future[T]":
    """Work on another thread, where all holds that holds on this one: devices, and which weights may be used."""
    return threads.submit(copy_context().run, work)


class Cores:
    """As many threads at work as there are cores; a context manager."""

    def __init__(self, count: int) -> None:
        self._free = BoundedSemaphore(count)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="thgeval")

    def __enter__(self) -> "Cores":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def spare(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Start work on a spare core, or do it at once where there is none."""
        if not self._free.acquire(blocking=False):
            done: Future[T] = Future()
            done.set_result(work(*args, **kwargs))
            return done
        return started(self._threads, lambda: self._released(work, *args, **kwargs))

    def occupy(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do work here, counting as one core for as long as it takes."""
        self._free.acquire()
        return self._released(work, *args, **kwargs)

    def _released(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return work(*args, **kwargs)
        finally:
            self._free.release()
