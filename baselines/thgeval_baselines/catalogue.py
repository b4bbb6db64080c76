"""Every system by name: what this package brings, what other packages register, and what a user names.

    ref-audio                      a reference generator
    ctl-blur3                      a control
    wav2lip                        an adapter of an official repository, whose checkout is named beside it
    all, controls                  all reference generators, all controls
    FILE.py:Class, module:Class    a generator of the user's own
    FILE.yaml                      an adapter of the user's own
    NAME=FOLDER                    videos that somebody has made already, ``FOLDER/ITEM.mp4``

Packages register generators under the entry point group ``thgeval.generators``: ``my-talker = "my_package:MyTalker"``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

from thgeval.errors import ProtocolError
from thgeval_baselines.generators import BUILTIN
from thgeval_baselines.systems import PrecomputedSystem, PythonSystem, System
from thgeval_baselines.tasks.items import nothing

GROUP = "thgeval.generators"
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
ALL, CONTROLS = "all", "controls"


@dataclass(frozen=True)
class Unloadable:
    """A registered generator that can't be imported, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Places:
    """Where what isn't ours lies: checkouts, weights and interpreters by the adapter's id."""

    checkouts: Mapping[str, Path] = field(default_factory=nothing)
    weights: Mapping[str, Path] = field(default_factory=nothing)
    pythons: Mapping[str, str] = field(default_factory=nothing)
    device: str = "cpu"


def builtin() -> list[PythonSystem]:
    """The reference generators."""
    return [PythonSystem(spec, builtin=True) for spec in BUILTIN]


def registered() -> tuple[list[PythonSystem], list[Unloadable]]:
    """Generators of other packages, and those that can't be loaded."""
    found, broken = [], []
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            found.append(PythonSystem(entry.value))
        except Exception as error:  # another package's code; its trouble is shown, not ours
            broken.append(Unloadable(entry.name, f"{type(error).__name__}: {error}"))
    return found, broken


def systems(names: Iterable[str], places: Places | None = None) -> list[System]:
    """The systems of these names, each once; ProtocolError for a name that is none."""
    places = places or Places()
    found: dict[str, System] = {}
    for name in names:
        for system in _named(name, places):
            if not ID.fullmatch(system.id):
                raise ProtocolError(f"{system.id!r} is no id of a generator: lower-case letters, digits and -")
            if system.id in found and found[system.id].code() != system.code():
                raise ProtocolError(f"two generators are called {system.id}; give one of them another id")
            found[system.id] = system
    return list(found.values())


def _named(name: str, places: Places) -> Sequence[System]:
    if name == ALL:
        return builtin()
    if "=" in name:
        return [_precomputed(*name.split("=", 1))]
    if ":" in name:
        return [_python(name)]
    known: dict[str, System] = {system.id: system for system in (*registered()[0], *builtin())}
    if name in known:
        return [known[name]]
    raise ProtocolError(
        f"there is no generator called {name!r}; `thgeval baseline list` shows all, and FILE.py:Class, "
        "FILE.yaml and NAME=FOLDER name your own"
    )


def _python(spec: str) -> PythonSystem:
    try:
        return PythonSystem(spec)
    except ProtocolError:
        raise
    except Exception as error:  # the user's own code
        raise ProtocolError(f"{spec} can't be loaded: {type(error).__name__}: {error}") from error


def _precomputed(name: str, folder: str) -> PrecomputedSystem:
    return PrecomputedSystem(name, Path(folder))
