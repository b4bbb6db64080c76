"""Official repositories behind the runner: a manifest each, and nothing of their code.

    manifest    what a manifest says, checked against ``manifest.schema.json`` and a closed set of placeholders
    command     a manifest as a system: what is missing, what to run, where its video is
    inputs      inputs in the form that a script takes
    overlay     a view of a checkout whose own folders a script may write to
    seeded      seeds a script that has no option for it; runs under the script's own interpreter
    manifests/  one file per repository; ``precomputed.yaml`` lists systems whose videos people bring

A manifest holds argument lists, never a shell's line. ``verified: source@COMMIT`` says that its arguments, names of
files and traps were read in the repository's source at that commit; ``run@COMMIT``, that somebody ran it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import as_file, files
from types import MappingProxyType
from typing import Any

import yaml

from thgeval_baselines.adapters.manifest import Manifest, read_manifest

PRECOMPUTED = "precomputed.yaml"


@cache
def manifests() -> Mapping[str, Manifest]:
    """Every adapter that comes with this package, by id."""
    with as_file(files("thgeval_baselines.adapters").joinpath("manifests")) as folder:
        found = [read_manifest(path) for path in sorted(folder.glob("*.yaml")) if path.name != PRECOMPUTED]
    return MappingProxyType({manifest.id: manifest for manifest in found})


@cache
def brought_systems() -> tuple[Mapping[str, Any], ...]:
    """Systems whose videos people bring: ``id``, ``paradigm``, ``title``, ``paper``; adapters among them too."""
    text = files("thgeval_baselines.adapters").joinpath("manifests", PRECOMPUTED).read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text))
