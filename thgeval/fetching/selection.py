"""What the words after ``thgeval fetch`` stand for: weight files, the groups ``light`` and ``all``, or metrics."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from thgeval import weights
from thgeval.errors import ProtocolError
from thgeval.metrics import meant

GROUPS = ("light", "all")


class Choice(NamedTuple):
    """One weight file to fetch; ``by_name`` if it was asked for itself, not as one of a group."""

    name: str
    by_name: bool


def selected(requests: Iterable[str]) -> list[Choice]:
    """The weight files that names, groups and metrics stand for, each once, in the order they are named.

    ``light`` is the small and permissive ones, ``all`` every file, and a metric every file that some variant of it
    reads. ProtocolError if a word means nothing.
    """
    chosen: dict[str, bool] = {}
    for request in requests:
        names, by_name = _meant(request)
        for name in names:
            chosen[name] = chosen.get(name, False) or by_name
    return [Choice(name, by_name) for name, by_name in chosen.items()]


def _meant(request: str) -> tuple[list[str], bool]:
    from thgeval_models.manifest import manifest

    known = manifest()
    if request in known:
        return [request], True
    if request in GROUPS:
        tiers = ("light",) if request == "light" else ("embedded", "light", "canonical")
        return [name for name, entry in known.items() if entry.tier in tiers and not weights.is_computed(entry)], False
    metric = request.partition("/")[0].partition(":")[0]
    metric = (meant(metric) or metric).partition("/")[0]
    readers = {key for entry in known.values() for key in entry.used_by}
    if metric in readers:
        return [n for n, entry in known.items() if metric in entry.used_by and not weights.is_computed(entry)], False
    near = difflib.get_close_matches(request, [*known, *GROUPS, *readers], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ProtocolError(f"no weights are called {request!r}; {hint}`thgeval ls weights` lists them")
