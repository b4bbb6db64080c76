"""Work shared out over torch's threads: consecutive parts of about one cost each."""

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TypeVar

import torch

T = TypeVar("T")


def shared_out(work: Callable[[slice], T], count: int, costs: Sequence[int] = ()) -> list[T]:
    """What ``work`` gives for consecutive parts of ``count`` items, at most one part for each of torch's threads.

    ``costs`` are those of the items where they are not all alike.
    """
    parts = min(torch.get_num_threads(), count)
    reached = [0, *accumulate(costs or [1] * count)]
    edges = [_nearest(reached, reached[-1] * part / parts) for part in range(parts + 1)] if parts else []
    return list(_mapped(work, [slice(first, last) for first, last in pairwise(edges) if first < last]))


def _nearest(reached: Sequence[int], wanted: float) -> int:
    return min(range(len(reached)), key=lambda at: abs(reached[at] - wanted))


def _mapped(work: Callable[[slice], T], slices: list[slice]) -> Iterable[T]:
    if len(slices) < 2:
        return map(work, slices)
    return _threads(os.getpid(), len(slices)).map(work, slices)


@lru_cache(maxsize=2)
def _threads(process: int, count: int) -> ThreadPoolExecutor:
    """Threads of this very process: a fork has none of those that its parent had started."""
    return ThreadPoolExecutor(count, thread_name_prefix="thgeval-training")
