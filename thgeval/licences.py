"""What a user must know of the terms of weights, said at their first use on this machine.

A file may exclude commercial use. Whoever scores with it is told so once: a mark in ``THGEVAL_HOME/told`` says that it
was said. Where no mark can be written it is said in every run.
"""

from collections.abc import Iterable
from contextlib import suppress

from thgeval.errors import OutputError
from thgeval.files import write_atomically
from thgeval.home import home
from thgeval.registry import Named
from thgeval.requirements import weights
from thgeval.signature import files


def reminders(metrics: Iterable[Named]) -> list[str]:
    """A sentence for each file that these metrics read, that excludes commercial use, and that wasn't told of yet."""
    readers: dict[str, list[str]] = {}
    for key, metric in metrics:
        for name in files(metric):
            readers.setdefault(name, []).append(key)
    return [
        f"{', '.join(keys)} {'reads' if len(keys) == 1 else 'read'} {name}, whose terms exclude commercial use; "
        "--commercial-safe leaves such metrics unscored"
        for name, keys in readers.items()
        if weights.entry(name).commercial_use == "no" and _untold(name)
    ]


def _untold(name: str) -> bool:
    """Whether nobody on this machine was told yet; from now on somebody was."""
    mark = home() / "told" / name
    if mark.is_file():
        return False
    with suppress(OutputError):  # then it is said again
        write_atomically(mark, b"")
    return True
