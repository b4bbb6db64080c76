"""What the time of a clip goes to: processor seconds by stage, measured where the work is done, if anybody asks.

Stages don't overlap: what is spent inside another stage is not counted twice. Seconds are the thread's own, so that
they mean the same on a busy machine. Where nobody asks, a stage costs a look at a context variable.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any, TypeVar

from thgeval.feature import Feature
from thgeval.requirements import Weights

T = TypeVar("T")
DECODE, NETWORKS, METRICS, STATES, WRITE, OTHER = "decode", "networks", "metrics", "states", "write", "other"
SCORES = "scores"
"""The stage after all clips: numbers, intervals, and the result file."""


@dataclass
class Stages:
    """Seconds by stage, of any number of threads."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _inside: dict[int, list[float]] = field(default_factory=dict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @contextmanager
    def spent(self, stage: str) -> Iterator[None]:
        """Count the time of the body, but for what stages inside it count themselves."""
        inside = self._inside.setdefault(get_ident(), [])
        inside.append(0.0)
        began = time.thread_time()
        try:
            yield
        finally:
            whole = time.thread_time() - began
            own = whole - inside.pop()
            if inside:
                inside[-1] += whole
            with self._lock:
                self.seconds[stage] += own


_measured: ContextVar[Stages | None] = ContextVar("stages", default=None)


@contextmanager
def measured_stages() -> Iterator[Stages]:
    """Count stages until the body ends, on this thread and those that are given its ``contextvars``."""
    stages = Stages()
    token = _measured.set(stages)
    try:
        yield stages
    finally:
        _measured.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """The body belongs to a stage."""
    if (stages := _measured.get()) is None:
        yield
        return
    with stages.spent(name):
        yield


def timed_pieces(pieces: Iterator[T], name: str) -> Iterator[T]:
    """What an iterator gives; the time that it takes belongs to a stage."""
    while True:
        with stage(name):
            piece: Any = next(pieces, _END)
        if piece is _END:
            return
        yield piece


_END = object()


def stage_of(feature: Feature[Any]) -> str:
    """The stage of a feature: ``networks`` where it reads weights, else its room: ``frames``, ``faces``, ..."""
    if any(isinstance(item, Weights) for item in feature.requires):
        return NETWORKS
    parts = getattr(feature.compute, "__module__", "").split(".")
    return parts[2] if parts[:2] == ["thgeval", "features"] and len(parts) > 2 else OTHER
