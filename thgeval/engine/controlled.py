"""The metrics of a run on degraded copies of its references: what each score is worth beside them.

Every kind of copy is scored as a system of its own, against the references that the run could score, under the run's
protocol. Copies and their states are kept by content in ``THGEVAL_HOME``, so that the next system costs nothing more.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import TypeAlias

from thgeval.clip import Pair
from thgeval.controls import CONTROLS
from thgeval.controls.copies import Original, bounded, lack
from thgeval.engine.job import Watcher, files_of
from thgeval.engine.workers import started
from thgeval.errors import InputError, ProtocolError
from thgeval.metric import Better
from thgeval.pairing import Pairing
from thgeval.protocol import Protocol
from thgeval.remote.mirror import Mirrors
from thgeval.results import Run, Value

Scorer: TypeAlias = Callable[[Pairing, Sequence[str]], Run]


def check_controls(pairing: Pairing, protocol: Protocol) -> None:
    """ProtocolError where there is nothing that copies could be made of, or stand beside."""
    if pairing.packed is not None:
        raise ProtocolError("--controls reads references once for each kind of copy, and tars once at all: unpack them")
    if protocol.unpaired:
        raise ProtocolError("--controls (in Python, controls=True) compares clip by clip, so it needs pairs of clips")
    if protocol.excerpt is not None and protocol.excerpt.last is not None:
        raise ProtocolError(f"--controls copies whole references, and {protocol.label} looks at the last part of them")
    if all(pair.reference is None for pair in pairing.pairs):
        raise ProtocolError("--controls makes copies of the references, and there are none: name their folder too")


def with_controls(run: Run, pairing: Pairing, score: Scorer, *, cores: int, watcher: Watcher) -> Run:
    """The run, each score with those of the copies; ``score`` measures pairs by these metrics as the run did."""
    keys = [key for key, item in run.scores.items() if item.value is not None and item.better is not Better.NONE]
    failed = {clip.id for clip in run.failures}
    pairs = [pair for pair in pairing.pairs if pair.reference is not None and pair.id not in failed]
    found: dict[str, dict[str, Value]] = {key: {} for key in keys}
    for name, control in CONTROLS.items() if keys and pairs else ():
        if (problem := lack(name)) is not None:
            watcher.warns(str(problem))
            continue
        copied = _copied(pairs, name, pairing.mirrors, cores, watcher)
        if not copied:
            continue
        watcher.phase(f"scoring {control.label}")
        beside = Pairing(tuple(copied), (), places=pairing.places, mirrors=pairing.mirrors)
        for key, item in score(beside, keys).scores.items():
            if item.value is not None:
                found[key][name] = Value(item.value, item.interval, item.clips)
    bounded()
    return replace(run, scores={key: replace(item, controls=found.get(key, {})) for key, item in run.scores.items()})


def _copied(pairs: Sequence[Pair], name: str, mirrors: Mirrors, cores: int, watcher: Watcher) -> list[Pair]:
    """Each pair with a copy of its reference in place of the generated clip; the watcher hears of what can't be."""
    label = CONTROLS[name].label
    watcher.phase(f"making {label}")
    watcher.begins(len(pairs))
    locks: dict[str, Lock] = {}
    copied, problems = [], []
    with ThreadPoolExecutor(cores) as threads:
        futures = [started(threads, partial(_copy, pair, name, mirrors, locks, watcher)) for pair in pairs]
        try:
            for future in as_completed(futures):
                try:
                    copied.append(future.result())
                    watcher.clip(copied[-1].id)
                except InputError as error:
                    problems.append(str(error))
        except BaseException:
            threads.shutdown(wait=True, cancel_futures=True)
            raise
    if problems:
        said = mirrors.told(min(problems))
        watcher.warns(f"{label}: no copy of {len(problems)} of {len(pairs)} references: {said}")
    return sorted(copied, key=lambda pair: pair.id)


def _copy(pair: Pair, name: str, mirrors: Mirrors, locks: dict[str, Lock], watcher: Watcher) -> Pair:
    """The pair of a copy and its reference; clips of equal content, whose copies are one file, wait for each other."""
    if pair.reference is None:
        raise InputError(f"{pair.id} has no reference", reason="missing reference")
    original = Original(pair.reference, watcher.frames)
    with mirrors.use(files_of(Pair(pair.id, pair.reference))), locks.setdefault(original.content, Lock()):
        copy = original.copied(name)
    return replace(pair, generated=copy, timing=None)
