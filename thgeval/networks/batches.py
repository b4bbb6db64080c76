"""Samples of many threads, gathered into batches for a device that is fast only if it gets many at once.

Threads hand in samples and wait for the results. One thread of its own does the work: it takes as many samples of one
kind as a batch holds, whoever handed them in, and goes on as long as there are any. It never waits for a batch to fill,
so nobody waits for samples that don't come; while it is at work, the next batch fills by itself.
"""

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Any

Work = Callable[[Hashable, list[Any]], Sequence[Any]]


class _Call:
    """What one thread handed in at once."""

    def __init__(self, count: int) -> None:
        self.results: list[Any] = [None] * count
        self.open = count
        self.error: BaseException | None = None
        self.done = Event()
        if not count:
            self.done.set()

    def deliver(self, place: int, result: Any) -> None:
        self.results[place] = result
        self.open -= 1
        if not self.open:
            self.done.set()

    def fail(self, error: BaseException) -> None:
        self.error = error
        self.done.set()


Waiting = tuple[_Call, int, Any]


class Batches:
    """Works on batches of ``size(kind)`` samples of one kind, or fewer at the end; a context manager.

    ``work`` gets a kind and samples of it, and returns a result for each. What it raises is raised in the threads whose
    samples it was about: a batch of several threads that fails is done once more for each of them alone.
    """

    def __init__(self, work: Work, size: Callable[[Hashable], int]) -> None:
        self._work = work
        self._size = size
        self._lines: dict[Hashable, deque[Waiting]] = {}
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._run, name="thgeval-batches", daemon=True)

    def __enter__(self) -> "Batches":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def results(self, kind: Hashable, samples: Sequence[Any]) -> list[Any]:
        """The result of each sample, in their order; RuntimeError if the context is over."""
        call = _Call(len(samples))
        with self._changed:
            if self._closed:
                raise RuntimeError("batches are taken no more")
            if samples:
                self._lines.setdefault(kind, deque()).extend((call, i, sample) for i, sample in enumerate(samples))
                self._changed.notify()
        call.done.wait()
        if call.error is not None:
            raise call.error
        return call.results

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closed)
                if not self._lines:
                    return
                kind, batch = self._taken()
            self._serve(kind, batch)

    def _taken(self) -> tuple[Hashable, list[Waiting]]:
        """The next batch, of the kind that was not served for longest."""
        kind = next(iter(self._lines))
        line = self._lines.pop(kind)
        batch = [line.popleft() for _ in range(min(self._size(kind), len(line)))]
        if line:
            self._lines[kind] = line
        return kind, [waiting for waiting in batch if waiting[0].error is None]

    def _serve(self, kind: Hashable, batch: list[Waiting]) -> None:
        if not batch:
            return
        try:
            results = self._work(kind, [sample for _, _, sample in batch])
            delivered = list(zip(batch, results, strict=True))
        except BaseException as error:  # of any kind: the thread that waits must not wait forever
            calls = dict.fromkeys(call for call, _, _ in batch)
            if len(calls) == 1:
                next(iter(calls)).fail(error)
                return
            for own in calls:
                self._serve(kind, [waiting for waiting in batch if waiting[0] is own])
        else:
            for (call, place, _), result in delivered:
                call.deliver(place, result)
