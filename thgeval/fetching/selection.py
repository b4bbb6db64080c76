"""What the words after ``thgeval fetch`` stand for: files, metrics, ``default``, ``light``, ``all``, ``examples``."""

import difflib
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import NamedTuple

from thgeval.errors import ProtocolError
from thgeval.metrics import DEFAULT, ENTRY_POINTS, METRICS, meant
from thgeval.requirements import weights

GROUPS = ("default", "light", "all", "examples")
EVERY = "/all"


class Choice(NamedTuple):
    """One weight file to fetch; ``by_name`` if it was asked for itself, not as one of a group."""

    name: str
    by_name: bool


def selected(requests: Iterable[str]) -> list[Choice]:
    """The weight files that names, groups and metrics stand for, each once, in the order they are named.

    ``default`` is what the metrics read that are scored where none is asked for, ``light`` the small and permissive
    ones, ``all`` every weight file, ``examples`` what networks are tried on. A metric is what its defaults read,
    ``lpips/vgg`` what that preset reads, ``lpips/all`` every file that some form of it can read. ProtocolError if a
    word means nothing, or no file; ``default`` may be none.
    """
    chosen: dict[str, bool] = {}
    for request in requests:
        names, by_name = _meant(request)
        for name in names:
            chosen[name] = chosen.get(name, False) or by_name
    return [Choice(name, by_name) for name, by_name in chosen.items()]


def _meant(request: str) -> tuple[list[str], bool]:
    from thgeval_models.manifest import examples, manifest

    known = manifest()
    if request in known or request in examples():
        return [request], True
    if request == "examples":
        return list(examples()), False
    if request == "default":
        return list(dict.fromkeys(file for each in DEFAULT for file in _read_by(each))), False
    if request in GROUPS:
        tiers = ("light",) if request == "light" else ("embedded", "light", "canonical")
        return [name for name, entry in known.items() if entry.tier in tiers and not weights.is_computed(entry)], False
    name = request.partition("/")[0].partition(":")[0]
    name = (meant(name) or name).partition("/")[0]
    metrics = [*METRICS, *(point.name for point in entry_points(group=ENTRY_POINTS))]
    if name in metrics:
        names = _of_any_form(name) if request.endswith(EVERY) else _read_by(request)
        if not names:
            raise ProtocolError(_nothing_to_read(request, name))
        return names, False
    near = difflib.get_close_matches(request, [*known, *GROUPS, *metrics], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise ProtocolError(f"no weights are called {request!r}; {hint}`thgeval ls weights` lists them")


def _read_by(request: str) -> list[str]:
    """The files that one form of a metric reads."""
    from thgeval.registry import metric
    from thgeval.signature import files

    return [name for name in files(metric(request).metric) if not weights.is_computed(weights.entry(name))]


def _of_any_form(name: str) -> list[str]:
    from thgeval_models.manifest import manifest

    return [key for key, entry in manifest().items() if name in entry.used_by and not weights.is_computed(entry)]


def _nothing_to_read(request: str, name: str) -> str:
    from thgeval.registry import metric_class

    presets = [f"{name}/{preset}" for preset in metric_class(name).presets if _read_by(f"{name}/{preset}")]
    hint = f"; {', '.join(presets)} do" if presets else ""
    return f"{request} reads no weights that can be fetched{hint}"
