"""Frames that are made on several processors and come in order, a few at a time."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Given = TypeVar("Given")
Made = TypeVar("Made")


def in_order(frame: Callable[[int], Image], count: int) -> Iterator[Image]:
    """``frame(0)`` to ``frame(count - 1)``; each must depend on its number alone."""
    return in_order_of(frame, range(count))


def in_order_of(make: Callable[[Given], Made], given: Iterable[Given]) -> Iterator[Made]:
    """What is made of each, in order; each must depend on what it is made of alone."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Made]] = deque()
        for each in given:
            waiting.append(pool.submit(make, each))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
