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
from thgeval_baselines.adapters import brought_systems, manifests
from thgeval_baselines.adapters.command import CommandSystem
from thgeval_baselines.adapters.manifest import Manifest, read_manifest
from thgeval_baselines.controls.system import ControlSystem, control_systems
from thgeval_baselines.controls.table import TABLE
from thgeval_baselines.generator import Paradigm
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
    if name == CONTROLS:
        return control_systems()
    if name in TABLE:
        return [ControlSystem(TABLE[name])]
    if "=" in name:
        return [_precomputed(*name.split("=", 1))]
    if ":" in name:
        return [_python(name)]
    if name.endswith((".yaml", ".yml")):
        return [_adapter(read_manifest(Path(name)), places)]
    known: dict[str, System] = {system.id: system for system in (*registered()[0], *builtin())}
    if name in known:
        return [known[name]]
    if name in manifests():
        return [_adapter(manifests()[name], places)]
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
    """Videos of a system; what is known of it goes with them."""
    if name in manifests():
        known = manifests()[name]
        return PrecomputedSystem(
            name,
            Path(folder),
            says=f"{known.data['title']}: {known.data['paper']}",
            paradigm=known.paradigm,
            trained_on=tuple(known.data["trained_on"]),
        )
    row = next((each for each in brought_systems() if each["id"] == name), None)
    if row is None:
        return PrecomputedSystem(name, Path(folder))
    return PrecomputedSystem(
        name, Path(folder), says=f"{row['title']}: {row['paper']}", paradigm=Paradigm(row["paradigm"])
    )


def _adapter(manifest: Manifest, places: Places) -> CommandSystem:
    return CommandSystem(
        manifest,
        checkout=places.checkouts.get(manifest.id),
        weights=places.weights.get(manifest.id),
        python=places.pythons.get(manifest.id),
        device=places.device,
    )


@dataclass(frozen=True)
class Row:
    """A line of the list: ``lacks`` is the first thing that stands in its way here."""

    id: str
    paradigm: str
    says: str
    needs: str
    lacks: str


def listed(places: Places) -> dict[str, list[Row]]:
    """Everything that there is, under a title for each kind."""
    theirs, broken = registered()
    return {
        "reference generators": [_row(system) for system in builtin()],
        "controls (made from the reference)": [_row(system) for system in control_systems()],
        "adapters of official repositories": [_row(_adapter(each, places)) for each in manifests().values()],
        "systems whose videos you can bring (NAME=FOLDER)": [
            Row(each["id"], each["paradigm"], f"{each['title']}: {each['paper']}", "", "") for each in brought_systems()
        ],
        "of other packages": [
            *(_row(system) for system in theirs),
            *(Row(each.name, "", "can't be loaded", "", each.why) for each in broken),
        ],
    }


def _row(system: System) -> Row:
    problems = system.problems()
    choices = {" or ".join(sorted(choice)) for choice in system.choices}
    needs = ", ".join(sorted(system.needs | system.fitting | choices))
    paradigm = "" if system.paradigm is None else system.paradigm.value
    return Row(system.id, paradigm, system.says, needs, problems[0] if problems else "")
