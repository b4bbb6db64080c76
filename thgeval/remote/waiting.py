"""How long a place may be silent: work that waits for others ends in a stated time, whatever they do.

The libraries below have time limits of their own, of some minutes, which differ. Here work runs on a thread of its own
and says that it is alive as often as something arrives; after ``silent_s`` seconds without a word (see
``thgeval.limits``) it is given up. Its thread is left to end by itself.
"""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from thgeval.limits import limit

T = TypeVar("T")
Alive = Callable[[], None]
LOOK_S = 0.5


class Silent(Exception):
    """Nothing came for so long that it was given up."""


def patiently(work: Callable[[Alive], T], silent_s: float | None = None) -> T:
    """The outcome of work that calls what it is given whenever something arrives; Silent if it doesn't for too long."""
    longest_s = float(limit("silent_s")) if silent_s is None else silent_s
    last = [time.monotonic()]
    ended: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def alive() -> None:
        last[0] = time.monotonic()

    def worked() -> None:
        try:
            ended.put((work(alive), None))
        except BaseException as error:
            ended.put((None, error))

    Thread(target=worked, daemon=True, name="thgeval-remote").start()
    while True:
        try:
            found, error = ended.get(timeout=max(min(LOOK_S, last[0] + longest_s - time.monotonic()), 0.01))
        except Empty:
            if time.monotonic() - last[0] >= longest_s:
                raise Silent(f"it didn't answer for {longest_s:g} s") from None
            continue
        if error is not None:
            raise error
        return found  # type: ignore[return-value]
