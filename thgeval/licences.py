"""What a user must know of the terms of weights, said before they are read.

A file may exclude commercial use. Whoever scores with it is told so once. At the command line that is once on a
machine: a mark in ``THGEVAL_HOME/told`` says that it was said; where no mark can be written it is said in every run. In
Python it is once in a process, on the log.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

from thgeval.errors import OutputError
from thgeval.files import write_atomically
from thgeval.home import home
from thgeval.registry import Named
from thgeval.requirements import weights
from thgeval.signature import files

SHOWN = 4
"""Metrics that are named before the rest is counted."""

_said: set[str] = set()
"""Files that were told of in this process."""


def reminders(metrics: Iterable[Named]) -> list[str]:
    """A sentence for each file that these metrics read, that excludes commercial use, and that wasn't told of yet."""
    return _sentences(metrics, _untold, "--commercial-safe leaves such metrics unscored")


def remind(metrics: Iterable[Named]) -> None:
    """Log the same for whoever calls from Python, once in a process for each file."""
    leaves = "Options(weights=Policy(commercial=True)) leaves such metrics unscored"
    for sentence in _sentences(metrics, _unsaid, leaves):
        logging.getLogger(__name__).warning(sentence)


def _sentences(metrics: Iterable[Named], untold: Callable[[str], bool], leaves: str) -> list[str]:
    readers: dict[str, list[str]] = {}
    for key, metric in metrics:
        for name in files(metric):
            readers.setdefault(name, []).append(key)
    return [
        f"{_some(keys)} {'reads' if len(keys) == 1 else 'read'} {name}, whose terms exclude commercial use; {leaves}"
        for name, keys in readers.items()
        if weights.entry(name).commercial_use == "no" and untold(name)
    ]


def _some(keys: list[str]) -> str:
    """The first few, and how many more."""
    named = ", ".join(keys[:SHOWN])
    return f"{named} and {len(keys) - SHOWN} more" if keys[SHOWN:] else named


def _unsaid(name: str) -> bool:
    """Whether this process wasn't told yet; from now on it was."""
    if name in _said:
        return False
    _said.add(name)
    return True


def _untold(name: str) -> bool:
    """Whether nobody on this machine was told yet; from now on somebody was."""
    mark = home() / "told" / name
    if mark.is_file():
        return False
    with suppress(OutputError):  # then it is said again
        write_atomically(mark, b"")
    return True
